"""The browser's tests run where there is a Chromium; elsewhere they say why they do not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import web

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip this folder's tests where no Chromium is found."""
    if web.CHROMIUM is None:
        for item in items:
            if HERE in item.path.parents:
                item.add_marker(pytest.mark.skip(reason="no chromium in PATH (Debian, Ubuntu: apt install chromium)"))
