"""Results as people compare them: a section of benchmarks/RESULTS.md with machine, date and command."""

from __future__ import annotations

import datetime
import json
import os
import platform
import re
from pathlib import Path

FILE = Path(__file__).with_name("RESULTS.md")
FIGURES = Path(__file__).with_name("results.json")
HEAD = (
    "# Measured\n\nEach section says where, when and by which command; run it on your own machine before you decide.\n"
)


def machine() -> str:
    """Return the machine in a line."""
    try:
        info = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        info = ""
    model = re.search(r"model name\s*:\s*(.+)", info)
    load = os.getloadavg()[0]
    return (
        f"{model.group(1).strip() if model else platform.processor() or 'unknown CPU'}, {os.cpu_count()} cores, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, load {load:.1f} at the start"
    )


def today() -> str:
    """Return the date, UTC."""
    return datetime.datetime.now(datetime.UTC).date().isoformat()


def write(section: str, body: str, file: Path = FILE) -> None:
    """Replace one section, or add it; the others stay."""
    begin, end = f"<!-- {section} -->\n", f"<!-- /{section} -->\n"
    text = file.read_text(encoding="utf-8") if file.exists() else HEAD
    made = f"{begin}{body.rstrip()}\n{end}"
    start, stop = text.find(begin), text.find(end)
    text = f"{text[:start]}{made}{text[stop + len(end) :]}" if 0 <= start < stop else f"{text.rstrip()}\n\n{made}"
    file.write_text(text, encoding="utf-8")


def keep(section: str, figures: str, file: Path = FIGURES) -> None:
    """Replace one section of the figures for programs; ``figures`` is its JSON."""
    known: dict[str, object] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    known[section] = json.loads(figures)
    file.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", encoding="utf-8")
