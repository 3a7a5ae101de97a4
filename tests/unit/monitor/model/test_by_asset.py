"""Positions by asset, rates and profit by quote: in the sections, the texts, the metrics and the charts' past."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from monitor.api.metrics import Metrics
from monitor.cli.doctor import assets
from monitor.cli.doctor.questions import Answer, Answers
from monitor.cli.status import lines
from monitor.model import status_details
from monitor.model.latency import Latency
from monitor.model.past_fills import fill_in
from monitor.model.picture import Picture
from monitor.model.status_object import Status
from monitor.model.troubles import troubles as all_troubles
from monitor.model.view import View
from monitor.top import panels
from monitor.ui import troubles
from monitor.ui.snapshot import Watch
from monitor.ui.text import text_of
from shared.bus import Received, topics
from shared.clock import SECOND
from shared.config import Config, check
from shared.kraken.rest_names import RestNames
from shared.messages import Account, AssetPosition, Instruments, Message, QuoteProfit, Rate
from tests.kit.monitor.messages import line, profit
from tests.kit.monitor.view import NOW, WALL, beat

PAIRS = ["BTC/USD", "BTC/EUR", "ETH/BTC"]
HELD = "0.0500 BTC beyond inventory_base, not by a fill of ours: left alone until 'tradebyte accept BTC'"


@pytest.fixture
def config() -> Config:
    kept = {"BTC": Decimal(1), "ETH": Decimal(20)}
    trading = msgspec.structs.replace(Config().trading, pairs=list(PAIRS), inventory_base=kept)
    made = msgspec.structs.replace(Config(), trading=trading)
    check(made, lambda _key: "test")
    return made


def account(**changed: Any) -> Account:
    quote = QuoteProfit(realised="1", unrealised="0", fees="0", transfers="0", rounding="0", equity="1")
    fields: dict[str, Any] = {
        "positions": dict.fromkeys(PAIRS, "0.001"),
        "assets": {
            "BTC": AssetPosition(position="0.0500", worth="5000.00", inventory="1", wallets={"earn": "0.5"}),
            "ETH": AssetPosition(position="-0.2", worth="-500.00", inventory="20"),
        },
        "rates": {
            "BTC": Rate(rate="100000", valid=True, way=["BTC/USD"]),
            "ETH": Rate(rate="2500", valid=True, way=["ETH/BTC", "BTC/USD"]),
            "EUR": Rate(rate="1.08", valid=True, way=["BTC/EUR", "BTC/USD"]),
            "USD": Rate(rate="1", valid=True),
        },
        "profits": {"BTC/USD": profit(), "BTC/EUR": profit(), "ETH/BTC": profit(realised="0.0002")},
        "quotes": {"USD": quote, "EUR": quote},
        "fx": "-0.75",
    }
    return Account(valid=True, **{**fields, **changed})


def held() -> Account:
    return account(assets={"BTC": AssetPosition(position="0.0500", worth="5000.00", held=HELD)})


def stale() -> Account:
    return account(rates={"EUR": Rate(rate="1.08", valid=False, way=["BTC/EUR", "BTC/USD"])})


def take(view: View | Picture | Watch, topic: str, message: Message) -> None:
    kind = topics.kind_of(topic)
    assert kind is not None
    view.take(Received(topic, kind, topics.rest_of(topic, kind), message), NOW)


def status(config: Config, message: Account, unknown: list[str] | None = None) -> Status:
    view = View(config)
    take(view, "heartbeat.executor", beat("executor"))
    take(view, "account", message)
    take(view, "feed.instrument", Instruments(unknown=unknown or []))
    return status_details.status(view, config, NOW, WALL, None)


def test_a_held_asset_a_stale_rate_and_an_unlisted_pair_are_troubles_of_every_view(config: Config) -> None:
    (is_bad, what, why), *more = all_troubles(status(config, held()), WALL)
    assert (is_bad, what, why, more) == (True, "BTC is held", HELD, [])
    (is_bad, what, why), *more = all_troubles(status(config, stale()), WALL)
    assert (is_bad, what, more) == (False, "the rate of EUR is stale", [])
    assert "BTC/EUR, BTC/USD" in why
    made = status(config, account(), ["ETH/BTC", "NOT/OURS"])
    assert [what for _, what, _ in all_troubles(made, WALL)] == ["ETH/BTC is out"]
    assert any("the exchange does not list it" in line for line in lines(made))


def test_what_is_well_is_no_trouble_and_the_rates_are_told(config: Config) -> None:
    made = status(config, account())
    assert all_troubles(made, WALL) == []
    assert "rates in USD: 1 BTC = 100000, 1 ETH = 2500, 1 EUR = 1.08" in lines(made)
    assert any("1 EUR = 1.08 [yellow]stale[/yellow]" in each for each in lines(status(config, stale())))


@pytest.mark.parametrize(
    ("message", "level", "text"),
    [
        (account(), "ok", "BTC 0.0500"),
        (held(), "error", HELD.partition(":")[0]),
        (stale(), "warning", "the rate of EUR is stale"),
    ],
)
def test_doctor_tells_what_is_held_and_whose_rate_is_stale(
    config: Config, message: Account, level: str, text: str
) -> None:
    findings = assets.positions(status(config, message))
    assert any(each.level == level and text in each.text for each in findings)


def test_doctor_tells_what_lies_in_other_wallets_and_that_auto_earn_should_be_off(config: Config) -> None:
    (finding,) = assets.wallets(status(config, account()))
    assert (finding.level, "0.5 BTC in earn" in finding.text, "auto-earn" in finding.mend) == ("warning", True, True)
    assert [each.level for each in assets.wallets(status(config, held()))] == ["ok"]


def test_doctor_names_a_pair_that_the_exchange_does_not_list(config: Config) -> None:
    (finding,) = assets.unlisted(["ETH/BTC"])
    assert (finding.level, "ETH/BTC" in finding.text) == ("error", True)
    nobody = Answer()
    answers = Answers(nobody, nobody, nobody)
    assert answers.unlisted(PAIRS) == []  # the exchange was not heard
    answers.names = RestNames({"XXBTZUSD": {"altname": "XBTUSD", "wsname": "XBT/USD"}}, {})
    assert answers.unlisted(PAIRS) == ["BTC/EUR", "ETH/BTC"]


def test_the_terminal_shows_the_base_once_each_pair_in_its_quote_and_fx(config: Config) -> None:
    watch = Watch(config, NOW)
    take(watch, "heartbeat.executor", beat("executor"))
    take(watch, "account", held())
    snapshot = watch.look(NOW, WALL, None, flattening=False)
    rows = [text_of(row).split() for row in panels.profit(snapshot, 100)]
    assert rows[1][:4] == ["BTC/USD", "+1.15", "0.0500", "5,000.00"]
    assert rows[2][:3] == ["BTC/EUR", "+1.15", "EUR"]
    assert "0.0500" not in rows[2]
    assert rows[3][0] == "ETH/BTC"
    assert rows[-1] == ["fx", "-0.75"]
    assert any("tradebyte accept BTC" in text_of(row) for row in troubles.now(snapshot))


def test_the_sections_have_rates_quotes_and_fx(config: Config) -> None:
    picture = Picture(config)
    take(picture, "heartbeat.executor", beat("executor"))
    take(picture, "account", account())
    assert picture.positions(NOW).rates["EUR"].way == ["BTC/EUR", "BTC/USD"]
    made = picture.profit(NOW)
    assert (made.total.fx, made.quotes["EUR"].realised) == ("-0.75", "1")


def test_charts_of_profit_are_in_the_currency_and_inventory_is_by_asset(config: Config) -> None:
    picture = Picture(config)
    take(picture, "heartbeat.executor", beat("executor"))
    take(picture, "account", account())
    picture.turn(NOW, WALL)
    series = picture.past(["pnl.BTC/USD", "pnl.BTC/EUR", "asset.ETH"], 600, 0).series
    values = {name: points[-1][1] for name, points in series.items()}
    assert values == pytest.approx({"pnl.BTC/USD": 1.15, "pnl.BTC/EUR": 1.15 * 1.08, "asset.ETH": -0.2})


def test_the_past_of_other_quotes_is_not_added_up_with_the_currency(config: Config) -> None:
    picture = Picture(config)
    other = line(20, symbol="BTC/EUR", realised="7")
    fill_in(picture, [line(10), other], "USD")
    series = picture.past(["realised", "pnl.BTC/USD", "pnl.BTC/EUR"], 600, 0).series
    assert series == {"realised": [], "pnl.BTC/USD": [(10.0, 0.25)], "pnl.BTC/EUR": []}


def test_metrics_have_positions_worth_and_rates_by_asset(config: Config) -> None:
    view = View(config)
    take(view, "heartbeat.executor", beat("executor"))
    take(view, "account", held())
    made = status_details.status(view, config, NOW, WALL, None)
    page = Metrics(config, view, Latency(), lambda: made).text().decode()
    for sample in (
        'tradebyte_asset_position{asset="BTC"} 0.05',
        'tradebyte_asset_position_worth{asset="BTC",currency="USD"} 5000.0',
        'tradebyte_asset_held{asset="BTC"} 1.0',
        'tradebyte_asset_rate{asset="EUR",currency="USD"} 1.08',
        'tradebyte_asset_rate_valid{asset="EUR"} 1.0',
    ):
        assert sample in page


def test_what_the_executor_told_is_gone_once_it_is_not_heard(config: Config) -> None:
    view = View(config)
    take(view, "heartbeat.executor", beat("executor"))
    take(view, "account", held())
    later = NOW + 60 * SECOND
    made = status_details.status(view, config, later, WALL, None)
    assert (made.assets, made.asset_rates, all_troubles(made, WALL)) == ({}, {}, [])
