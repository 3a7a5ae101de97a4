"""The fixtures ``kraken`` (one exchange a test) and ``kraken_settings`` (to override): a sandbox in anybody's tests.

Switch it on with ``pytest_plugins = ["simulator.pytest_plugin"]`` in the topmost conftest, or with
``-p simulator.pytest_plugin``.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from simulator.testing import Kraken, running_kraken


# Any: arguments of running_kraken, each of its own type.
@pytest.fixture
def kraken_settings() -> dict[str, Any]:
    """Return the arguments of :func:`simulator.testing.running_kraken`; override it to change them."""
    return {}


@pytest.fixture
def kraken(kraken_settings: dict[str, Any]) -> Iterator[Kraken]:
    """Return a running Kraken on a free port."""
    with running_kraken(**kraken_settings) as running:
        yield running
