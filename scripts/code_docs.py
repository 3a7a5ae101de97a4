"""Two tables of the docs, made from the code that they describe: the bus's topics and every bound."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec

from shared import limits, messages
from shared.bus import topics
from shared.messages import Message

TOPICS_HEAD: Final = """# The topics of the bus

<!-- Made by 'make docs-pages' from shared/bus/topics.py and shared/messages.py; do not edit. -->

A message is two frames: the topic, which ends in a NUL byte, and a msgpack map. A message of a *state* topic holds the
whole state; the same bytes are sent again every second and to each new subscriber. A message of an *event* topic is
sent once. `tradebyte tail TOPIC` prints any of them. Every message carries `v` (schema version), `src` (the process),
`boot` (the number of its start), `seq` (per topic, from 1) and `ts` (ns since the epoch), besides the fields below.

"""
LIMITS_HEAD: Final = """# Every bound

<!-- Made by 'make docs-pages' from shared/limits.py; do not edit. -->

All bounds of queues, sizes, times and tries. When a process hits a bound, that is counted and shown, never silent. A
name ends in its unit: `_S` seconds, `_MS` milliseconds, `_BYTES`; the others are counts.
"""
_BOUND = re.compile(r"^([A-Z][A-Z0-9_]*): Final = [^#]*(?:#\s*(.*))?$")


def topics_page() -> str:
    """Return the text of ``docs/topics.md``."""
    lines = ["| topic | kind | message | what it says |", "| --- | --- | --- | --- |"]
    for kind in topics.KINDS:
        how = "state" if kind.is_state else "event"
        lines.append(f"| `{kind.name}` | {how} | [{kind.message.__name__}](#messages) | {kind.about} |")
    lines += ["", "## Messages", "", "| message | fields |", "| --- | --- |"]
    header = {field.name for field in msgspec.structs.fields(Message)}
    lines += [_fields(message, header) for message in _by_name({kind.message for kind in topics.KINDS})]
    lines += ["", "## Parts of them", "", "| part | fields |", "| --- | --- |"]
    structs = [each for each in vars(messages).values() if isinstance(each, type) and issubclass(each, msgspec.Struct)]
    lines += [_fields(part, set()) for part in _by_name(each for each in structs if not issubclass(each, Message))]
    return TOPICS_HEAD + "\n".join(lines) + "\n"


def _by_name(structs: Iterable[type[msgspec.Struct]]) -> list[type[msgspec.Struct]]:
    return sorted(structs, key=lambda struct: struct.__name__)


def _fields(struct: type[msgspec.Struct], without: set[str]) -> str:
    fields = [field for field in msgspec.structs.fields(struct) if field.name not in without]
    return f"| {struct.__name__} | {', '.join(f'`{field.name}` {_kind(field.type)}' for field in fields)} |"


def _kind(kind: object) -> str:
    if isinstance(kind, type) and not typing.get_args(kind):
        return kind.__name__
    # A bar would end the table's cell.
    return str(kind).replace("typing.", "").replace("shared.messages.", "").replace(" | ", " or ")


def limits_page() -> str:
    """Return the text of ``docs/limits.md``."""
    assert limits.__file__ is not None
    lines: list[str] = []
    above = ""
    for line in Path(limits.__file__).read_text(encoding="utf-8").splitlines():
        match = _BOUND.match(line)
        if match:
            if above:
                title, _, text = above.partition(". ")
                lines += ["", f"## {title.rstrip('.')}", ""] + ([text, ""] if text else [])
                lines += ["| bound | value | why |", "| --- | --- | --- |"]
                above = ""
            name, why = match.groups()
            lines.append(f"| `{name}` | {getattr(limits, name):,} | {why or ''} |")
        elif line.startswith("# "):
            above = f"{above} {line[2:]}".strip()
    return LIMITS_HEAD + "\n".join(lines) + "\n"
