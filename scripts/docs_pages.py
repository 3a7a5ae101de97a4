"""Write the pages that are made from the code, or with ``--check`` say which are not current and exit 1."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from scripts import (  # noqa: E402 - found by the line above
    architecture_docs,
    code_docs,
    config_docs,
    order_docs,
    unconfirmed_docs,
)

PAGES: dict[str, Callable[[], str]] = {
    "configuration.md": config_docs.page,
    "limits.md": code_docs.limits_page,
    "orders.md": order_docs.page,
    "topics.md": code_docs.topics_page,
}
# Tables in hand-written pages, between the two marks below.
TABLES: dict[str, Callable[[], str]] = {
    "architecture.md": architecture_docs.table,
    "simulator.md": unconfirmed_docs.table,
}
BEGIN = "<!-- Made by 'make docs-pages' from the code; do not edit up to the next such line. -->\n"
END = "<!-- The end of what is made from the code. -->\n"


def outdated(folder: Path) -> list[str]:
    """Return the pages in a folder that are not what the code makes."""
    return [
        name
        for name in (*PAGES, *TABLES)
        if not (file := folder / name).is_file() or file.read_text(encoding="utf-8") != made(folder, name)
    ]


def made(folder: Path, name: str) -> str:
    """Return a page as the code makes it, whole or in its table."""
    if name in PAGES:
        return PAGES[name]()
    before, begin, rest = (folder / name).read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin or BEGIN}\n{TABLES[name]()}\n{end or END}{after}"


def main(arguments: list[str]) -> int:
    """Write the pages, or check them."""
    docs = ROOT / "docs"
    late = outdated(docs)
    if arguments == ["--check"]:
        for name in late:
            print(f"docs/{name} differs from the code; 'make docs-pages' writes it again")
        return 1 if late else 0
    for name in late:
        (docs / name).write_text(made(docs, name), encoding="utf-8")
        print(f"docs/{name} written")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
