"""The proof on those who look, in short: nothing is lost on the way of trading, and the monitor stays small."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos import watchers


@pytest.mark.processes
@pytest.mark.timeout(300)
def test_watchers_that_stop_reading_cost_trading_nothing(tmp_path: Path) -> None:
    seen = watchers.run(tmp_path, 4, 8, seconds=3, stopped_s=4, settle_s=1)
    assert seen.losses == []
    assert seen.watchers["clients"]["quiet"] == seen.watchers["tails"]["quiet"] == 0
    assert seen.watchers["clients"]["answers"] > 0
    # How long each hop took is the long form's business: this machine may be busy.
    assert seen.phases[1].hops["collector_to_book"]["count"] > 0
