"""Writes the pages that are made from the code, or with ``--check`` says which are not current and exits 1."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from shared import code_docs, config_docs  # noqa: E402 - found by the line above

PAGES: dict[str, Callable[[], str]] = {
    "configuration.md": config_docs.page,
    "limits.md": code_docs.limits_page,
    "topics.md": code_docs.topics_page,
}


def outdated(folder: Path) -> list[str]:
    """The pages in a folder that are not what the code makes."""
    found = []
    for name, page in PAGES.items():
        file = folder / name
        if not file.is_file() or file.read_text(encoding="utf-8") != page():
            found.append(name)
    return found


def main(words: list[str]) -> int:
    """Writes, or checks."""
    docs = ROOT / "docs"
    late = outdated(docs)
    if words == ["--check"]:
        for name in late:
            print(f"docs/{name} is not what the code says; 'make docs-pages' makes it anew")
        return 1 if late else 0
    for name in late:
        (docs / name).write_text(PAGES[name](), encoding="utf-8")
        print(f"docs/{name} written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
