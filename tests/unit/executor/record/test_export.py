"""Where an export goes that names no folder."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from executor.record.export import new_folder


def test_two_exports_in_one_second_have_a_folder_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    moment = time.gmtime(1_790_000_000)
    monkeypatch.setattr(time, "gmtime", lambda: moment)
    folders = [new_folder(tmp_path / "data") for _ in range(3)]
    assert [folder.name for folder in folders] == [
        "export-20260921T141320Z",
        "export-20260921T141320Z-2",
        "export-20260921T141320Z-3",
    ]
    assert all(folder.is_dir() for folder in folders)
