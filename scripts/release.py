"""Make a release: python scripts/release.py 1.2.3. Check the changelog, write the version, commit and tag."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VERSION = re.compile(r"\d+\.\d+\.\d+")


def problem(version: str, changelog: str, status: str) -> str:
    """Return why it cannot be released now, and what to do; empty when it can."""
    if not VERSION.fullmatch(version):
        return f"{version!r} is no version: say three numbers, as in 1.2.3"
    if not re.search(rf"^## {re.escape(version)}, \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE):
        return f"CHANGELOG.md has no section '## {version}, YYYY-MM-DD': name what people will notice, with the date"
    if status.strip():
        return "something is not committed: commit it, or take it back"
    return ""


def written(pyproject: str, version: str) -> str:
    """Return pyproject.toml with another version."""
    return re.sub(r'^version = ".*"$', f'version = "{version}"', pyproject, count=1, flags=re.MULTILINE)


def main(arguments: list[str]) -> int:
    """Release what the working tree holds."""
    version = arguments[0] if len(arguments) == 1 else ""
    status = _git("status", "--porcelain")
    why_not = problem(version, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), status)
    if why_not:
        print(f"release: {why_not}", file=sys.stderr)
        return 2
    path = ROOT / "pyproject.toml"
    path.write_text(written(path.read_text(encoding="utf-8"), version), encoding="utf-8")
    _git("commit", "--allow-empty", "-am", f"Release {version}")
    _git("tag", "-a", f"v{version}", "-m", f"TradeByte {version}")
    print(f"release: v{version} is tagged here; 'git push --follow-tags' when it is to be seen")
    return 0


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
