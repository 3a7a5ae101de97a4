"""Lays the pages of the site out in ``run/docs-pages`` and builds ``run/site`` with Zensical (``make docs``).

The site is docs/ and what its pages link to beside it: SECURITY.md, CHANGELOG.md and the measured results. A link to
any other file of the repository becomes its name, since a site has no such file. The build is strict: a warning fails
it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGES = "run/docs-pages"
# Pages from beside docs/, by their name in the site.
BESIDE = {
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/RESULTS.md": "results.md",
}
_LINK = re.compile(r"\[([^\]]*)\]\((?![a-z]+:|#)([^)#\s]+)(#[^)\s]*)?\)")


def rewritten(text: str, source: Path, root: Path = ROOT) -> str:
    """Return a page's text with links that hold in the site; ``source`` is the page's own file in the repository."""

    def link(match: re.Match[str]) -> str:
        text, target, anchor = match[1], match[2], match[3] or ""
        place = (source.parent / target).resolve().relative_to(root).as_posix()
        if source.is_relative_to(root / "docs") and place.startswith("docs/"):
            return match[0]
        up = "../" * (len(source.relative_to(root / "docs").parts) - 1) if source.is_relative_to(root / "docs") else ""
        if place in BESIDE:
            return f"[{text}]({up}{BESIDE[place]}{anchor})"
        if place.startswith("docs/"):
            return f"[{text}]({place.removeprefix('docs/')}{anchor})"
        return text if text.strip("`") == place else f"{text} (`{place}`)"

    return _LINK.sub(link, text)


def lay_out(pages: Path, root: Path = ROOT) -> None:
    """Write every page and picture of the site under ``pages``."""
    shutil.rmtree(pages, ignore_errors=True)
    sources = {
        path.relative_to(root / "docs").as_posix(): path for path in (root / "docs").rglob("*") if path.is_file()
    }
    sources |= {name: root / path for path, name in BESIDE.items()}
    for name, source in sources.items():
        place = pages / name
        place.parent.mkdir(parents=True, exist_ok=True)
        if source.suffix == ".md":
            place.write_text(rewritten(source.read_text(encoding="utf-8"), source, root), encoding="utf-8")
        else:
            shutil.copyfile(source, place)


def main() -> int:
    """Build the site; return Zensical's own exit code."""
    lay_out(ROOT / PAGES)
    command = [
        str(Path(sys.executable).parent / "zensical"),
        "build",
        "--strict",
        "--clean",
        "--config-file",
        "zensical.toml",
    ]
    done = subprocess.run(command, cwd=ROOT, check=False)
    if done.returncode == 0:
        print("docs: open run/site/index.html")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main())
