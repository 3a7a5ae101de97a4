"""Small JSON files in ``run/`` that keep counts from one start of a process to the next."""

from __future__ import annotations

import json
from pathlib import Path


def read(path: Path) -> dict[str, object]:
    try:
        counts = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return counts if isinstance(counts, dict) else {}


def number(counts: dict[str, object], key: str) -> int:
    value = counts.get(key, 0)
    return value if isinstance(value, int) and value >= 0 else 0


def write(path: Path, content: dict[str, object]) -> None:
    part = path.with_suffix(path.suffix + ".part")
    part.write_text(json.dumps(content), encoding="utf-8")
    part.replace(path)
