"""When a flatten is asked for, and when it is refused with what to do; nothing is written where it is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.acts import flattening
from monitor.views.acts import Acts
from shared.config import Config, Trading, check


@pytest.fixture
def config(tmp_path: Path) -> Config:
    found = Config(root=tmp_path, trading=Trading(dry_run=True))
    check(found, lambda _key: "test")
    return found


def test_a_dry_run_refuses_and_says_what_to_do(config: Config) -> None:
    with pytest.raises(flattening.Refused, match="nothing is sent, so nothing can be closed") as refused:
        flattening.wish(config)
    assert "tradebyte restart executor" in refused.value.mend
    assert not config.flatten_file.exists()
    done, text = Acts(config, "top").flatten()
    assert not done
    assert "trading.dry_run is true" in text
