"""The halt switch: any file there halts, whatever is in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shared import halt


@pytest.mark.parametrize("kind", ["empty", "binary", "folder", "unreadable", "link to nothing", "link to itself"])
def test_whatever_is_there_halts_and_says_something_and_can_be_resumed(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "HALT"
    match kind:
        case "empty":
            file.touch()
        case "binary":
            file.write_bytes(b"\xff\x00")
        case "folder":
            file.mkdir()
        case "unreadable":
            file.write_text("x")
            file.chmod(0)
        case "link to nothing":
            file.symlink_to("nowhere")
        case _:
            file.symlink_to("HALT")
    assert halt.is_halted(file)
    assert isinstance(halt.reason(file), str)
    halt.halt(file, "again")
    assert halt.resume(file)
    assert not halt.is_halted(file)
    assert halt.reason(file) == ""
    assert not halt.resume(file)


def test_a_folder_with_something_in_it_stays_and_is_named(tmp_path: Path) -> None:
    (tmp_path / "HALT" / "inside").mkdir(parents=True)
    with pytest.raises(OSError, match="HALT"):
        halt.resume(tmp_path / "HALT")
    assert halt.is_halted(tmp_path / "HALT")


def test_where_nobody_can_look_it_counts_as_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "lstat", refuse)
    assert halt.is_halted(tmp_path / "HALT")
