"""A clone by a Git that makes every line end CRLF has ours as they are: scripts run, captured frames verify."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.frames import frames_path

ROOT = Path(__file__).resolve().parents[2]
FILES = [".gitattributes", "Makefile", "scripts/setup.sh", "supervisord.conf", "config/config.yaml"]


@pytest.mark.skipif(shutil.which("git") is None, reason="no git here")
def test_a_clone_with_crlf_changes_no_byte(tmp_path: Path) -> None:
    source, clone = tmp_path / "source", tmp_path / "clone"
    files = {name: (ROOT / name).read_bytes() for name in FILES}
    files["frames.jsonl"] = frames_path("public_v2/docs_Book_Level_2.jsonl").read_bytes()
    for name, content in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(content)

    def git(*words: str) -> None:
        who = ("-c", "user.name=tests", "-c", "user.email=tests@localhost")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True, capture_output=True, timeout=60)

    git("init", "-q", "source")
    git("-C", "source", "add", "-A")
    git("-C", "source", "commit", "-qm", "Everything")
    git("-c", "core.autocrlf=true", "-c", "core.eol=crlf", "clone", "-q", "source", "clone")
    assert {name: (clone / name).read_bytes() for name in files} == files
