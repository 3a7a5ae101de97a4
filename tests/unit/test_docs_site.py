"""The pages of docs/ make a site: every page is in it, its links hold, and a link that does not fails the build."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ZENSICAL = Path(sys.executable).parent / "zensical"
_spec = importlib.util.spec_from_file_location("docs_site", ROOT / "scripts" / "docs_site.py")
assert _spec is not None
assert _spec.loader is not None
docs_site = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(docs_site)


def pages_in(nav: list[Any] | str) -> list[str]:
    if isinstance(nav, str):
        return [nav]
    return [
        page
        for entry in nav
        for part in (entry.values() if isinstance(entry, dict) else [entry])
        for page in pages_in(part)
    ]


def test_every_page_is_in_the_navigation_once(tmp_path: Path) -> None:
    docs_site.lay_out(tmp_path)
    there = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.md"))
    nav = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]["nav"]
    assert sorted(pages_in(nav)) == there


@pytest.mark.parametrize(
    ("page", "text", "expected"),
    [
        ("docs/README.md", "[ops](operations.md#halting)", "[ops](operations.md#halting)"),
        ("docs/README.md", "[security](../SECURITY.md)", "[security](security.md)"),
        ("docs/decisions/layering.md", "[was](../../CHANGELOG.md#now)", "[was](../changelog.md#now)"),
        ("docs/README.md", "[config/config.yaml](../config/config.yaml)", "config/config.yaml"),
        ("docs/README.md", "[an example](../config/config.yaml)", "an example (`config/config.yaml`)"),
        ("SECURITY.md", "[going live](docs/going-live.md)", "[going live](going-live.md)"),
        (
            "docs/README.md",
            "[out](https://example.org/a.md) [here](#halting)",
            "[out](https://example.org/a.md) [here](#halting)",
        ),
    ],
)
def test_links_hold_in_the_site(page: str, text: str, expected: str) -> None:
    assert docs_site.rewritten(text, ROOT / page) == expected


def build(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [ZENSICAL, "build", "--strict", "--clean"], cwd=folder, capture_output=True, text=True, check=False, timeout=100
    )


@pytest.mark.skipif(not ZENSICAL.exists(), reason="Zensical is not installed: it comes with the set-up for tests")
def test_the_site_builds_without_warnings_and_a_broken_link_fails_it(tmp_path: Path) -> None:
    shutil.copy(ROOT / "zensical.toml", tmp_path)
    docs_site.lay_out(tmp_path / docs_site.PAGES)
    done = build(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "No issues found" in done.stdout + done.stderr
    front = (tmp_path / "run/site/index.html").read_text()
    assert "made-up money" in front
    assert "fonts.googleapis" not in front
    (tmp_path / docs_site.PAGES / "limits.md").write_text("# Limits\n\n[nowhere](not-there.md)\n")
    assert build(tmp_path).returncode != 0
