"""JSON merge patches (RFC 7396). Two JSON values as Python has them come in, their difference comes out."""

from __future__ import annotations

from monitor.errors import Inexpressible


def patch(old: object, new: object) -> object:
    """Return what merged into ``old`` gives ``new``; an empty object when they are equal objects.

    Raises :class:`Inexpressible` when a member has to become null.
    """
    if not isinstance(new, dict) or not isinstance(old, dict):
        return _without_null(new)
    changes: dict[str, object] = dict.fromkeys(old.keys() - new.keys())
    for name, value in new.items():
        if name not in old:
            changes[name] = _without_null(value)
        elif old[name] != value:
            changes[name] = patch(old[name], value)
    return changes


def _without_null(value: object) -> object:
    """Return the value unchanged; raise :class:`Inexpressible` if a member of an object is null."""
    if value is None:
        raise Inexpressible
    if isinstance(value, dict):
        for each in value.values():
            _without_null(each)
    return value
