"""Validation errors of msgspec as text for people: file, line, key, the value, what is allowed, the likely key."""

from __future__ import annotations

import difflib
import re
import typing
from collections.abc import Callable

import msgspec

from shared.config.schema import NOT_FROM_THE_FILE, Config


def explained(problem: str, tree: object, where: Callable[[str], str], schema: object = Config, above: str = "") -> str:
    """Return a validation error of msgspec as text with the line, the key and the key that was probably meant.

    ``tree`` was read as ``schema``; ``above`` is its key path in the file.
    """
    text, _, raw_path = problem.partition(" - at ")
    # The error is about a key, which its text names.
    is_key = raw_path.startswith("`key`")
    path = raw_path.partition("`$")[2].rstrip("`").lstrip(".")
    before, in_map, _ = path.partition("[...]")
    if in_map and not is_key and isinstance(named := _value_at(tree, before), dict):
        # msgspec does not say which of a map's values is wrong: take the first that fails by itself.
        kind = _kind_at(schema, f"{before}[...]")
        for name, inner in named.items():
            try:
                msgspec.convert(inner, kind, strict=False)
            except msgspec.ValidationError as error:
                return explained(str(error), inner, where, kind, _joined(above, before, str(name)))
    full = _joined(above, path)
    unknown = re.match(r"Object contains unknown field `(.+)`", text)
    if unknown:
        name = unknown.group(1)
        key = f"{full}.{name}" if full else name
        allowed = _fields_at(schema, path)
        close = difflib.get_close_matches(name, allowed, 1)
        mend = f"did you mean '{close[0]}'?" if close else f"allowed here: {', '.join(allowed)}"
        return f"{where(key)}: unknown key '{key}'; {mend}"
    if text.startswith("Invalid enum value"):
        kind = typing.get_args(_kind_at(schema, path))[0] if is_key else _kind_at(schema, path)
        text = f"{f'{text}, ' if is_key else ''}must be one of {', '.join(_words(kind))}"
    value = _value_at(tree, path)
    # A map or a list may contain a secret.
    given = "" if is_key or isinstance(value, dict | list) or _is_secret(full) else f", found {value!r}"
    return f"{where(full)}: {full or 'the file'}: {text}{given}"


def _joined(*parts: str) -> str:
    return ".".join(part for part in parts if part)


def _is_secret(path: str) -> bool:
    return bool(re.search(r"(key|secret|webhooks)", path))


def _kind_at(schema: object, path: str) -> object:
    kind = schema
    for part in re.findall(r"[^.\[\]]+|\[[^\]]*\]", path):
        kind = _inner(kind, part)
    return kind


def _words(kind: object) -> list[str]:
    """Return the allowed values of a literal type."""
    if typing.get_origin(kind) is typing.Literal:
        return [str(value) for value in typing.get_args(kind)]
    return [word for part in typing.get_args(kind) for word in _words(part)]


def _fields_at(schema: object, path: str) -> list[str]:
    kind = _kind_at(schema, path)
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return []
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    return [name for name in names if name not in NOT_FROM_THE_FILE]


def _inner(kind: object, part: str) -> object:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            if field.encode_name == part:
                return field.type
        return None
    arguments = [a for a in typing.get_args(kind) if a is not type(None)]
    return arguments[-1] if arguments else None


def _value_at(tree: object, path: str) -> object:
    for part in re.findall(r"[^.\[\]]+", path):
        if isinstance(tree, dict) and part in tree:
            tree = tree[part]
        elif isinstance(tree, list) and part.isdigit() and int(part) < len(tree):
            tree = tree[int(part)]
        else:
            break
    return tree
