"""``tradebyte flatten`` against the running system: pulled, closed, halted, and resumed."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.system import System, running, until


@pytest.mark.processes
def test_flatten_closes_every_position_and_halts(tmp_path: Path) -> None:
    def lopsided(tree: dict[str, Any]) -> None:
        # 0.005 BTC over the base: two orders of 250 USD at the most.
        tree["trading"]["inventory_base"]["BTC"] = 0.995
        # What rests on a history that lags is proved elsewhere; the comparison at the end would wait for it.
        tree["simulator"]["history_lag_s"] = [0, 0.5]

    system: System
    with running(tmp_path, lopsided) as system:
        result = system.json("flatten")
        assert result["flat"]
        assert result["halted"]
        assert result["open_orders"] == 0
        dust = {"BTC": Decimal("0.00005"), "ETH": Decimal("0.002"), "SOL": Decimal("0.06")}
        assert all(abs(Decimal(left)) < dust[asset] for asset, left in result["assets"].items())
        assert any(fill["side"] == "sell" and fill["symbol"] == "BTC/USD" for fill in system.lines("fills"))
        assert system.exchange("OpenOrders")["open"] == {}
        assert system.tradebyte("flatten", "--json").returncode == 1
        assert "resume" in system.tradebyte("flatten", "--yes").stderr
        system.json("resume")
        until("it quotes again", lambda: not system.not_quoting(), 30)
        assert system.differences_when_halted() == []
