"""From the API's answers to what is shown: numbers as they came, own quotes in place, filters, exports, questions."""

from __future__ import annotations

import csv
import io
import re
from decimal import Decimal
from typing import Any, TypeVar

import msgspec
import pytest

from monitor.model.sections import BookShown, FillShown, OrderShown, Process
from monitor.model.status_object import Status
from monitor.web import controls, machine, market, money, news, records, sections as web_sections
from monitor.web.drawing import figures, markup
from monitor.web.drawing.markup import Cell, Column
from monitor.web.news import LogFilter
from monitor.web.records import Filter
from monitor.web.sections import Section
from tests.kit.fake_api import NOW, book, fill, order, process, sections

T = TypeVar("T")


def an_order(side: str, price: str, **fields: Any) -> OrderShown:
    return msgspec.convert(order(side, price, **fields), OrderShown)


def a_fill(*arguments: Any, **fields: Any) -> FillShown:
    return msgspec.convert(fill(*arguments, **fields), FillShown)


def a_book(*mid: str | None, **fields: Any) -> BookShown:
    return msgspec.convert(book(*mid, **fields), BookShown)


def answer(section: Section[T], made: Any = None) -> T:
    """Return a section as the page has it, of the fake API's or of another answer."""
    return msgspec.convert(sections()[section.path] if made is None else made, section.kind)


def a_status(**fields: Any) -> Status:
    """Return the fake API's status with other fields; what an asset leaves out is as in a quiet sandbox."""
    for name, row in fields.get("assets", {}).items():
        fields["assets"][name] = {"position": "0", "worth": ""} | row
    return answer(web_sections.STATUS, sections()["/api/status"] | fields)


ORDERS = [
    an_order("buy", "99999.0"),
    an_order("sell", "100004.0", filled="0.00040000"),
    an_order("buy", "1.0", is_live=False),
]


def rows(html: str) -> list[list[str]]:
    """Return a table's rows as text."""
    row_texts = re.findall(r"<tr>(.*?)</tr>", html.partition("<tbody>")[2])
    return [[re.sub(r"<[^>]+>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)] for row in row_texts]


def test_everything_from_elsewhere_is_escaped() -> None:
    nasty = '<script>alert("x")</script>'
    made = markup.table("t", [Column(nasty)], [[nasty], [Cell(nasty, "bad", is_badge=True)]], "none")
    for html in (made, markup.banner(nasty, "bad", nasty), markup.cards([markup.Card(nasty, nasty, nasty)])):
        assert "<script" not in html
        assert "&lt;script&gt;" in html


def test_numbers_stand_to_the_right_and_stay_as_the_api_wrote_them() -> None:
    made = markup.table("t", [Column("a", True)], [["0.00050000"]], "none")
    assert '<td class="tb-number">0.00050000</td>' in made


def test_an_empty_table_says_why_it_is_empty() -> None:
    assert "nothing is open" in markup.table("t", [Column("a")], [], "nothing is open")


def test_buy_and_sell_are_told_apart_without_colour() -> None:
    assert markup.side("buy").text != markup.side("sell").text.replace("sell", "buy")


@pytest.mark.parametrize(("text", "tone"), [("-0.10", "bad"), ("0.10", ""), ("-0.00", ""), (None, "")])
def test_a_loss_is_marked(text: str | None, tone: str) -> None:
    assert markup.money(text).tone == tone


def test_own_quotes_count_what_is_left_of_live_orders_only() -> None:
    assert market.own_quotes(ORDERS, "BTC/USD") == {
        ("buy", Decimal("99999.0")): Decimal("0.00100000"),
        ("sell", Decimal("100004.0")): Decimal("0.00060000"),
    }
    assert market.own_quotes(ORDERS, "ETH/USD") == {}


def test_the_ladder_has_the_asks_above_the_bids_and_own_quotes_where_they_stand() -> None:
    ladder = rows(market.ladder(a_book(), market.own_quotes(ORDERS, "BTC/USD")))
    assert [row[2] for row in ladder] == [
        "100004.0", "100003.0", "100002.0", "100001.0", "100000.0", "99999.0", "99998.0",
    ]  # fmt: skip
    assert {row[2]: row[0] for row in ladder if row[0]} == {"100004.0": "0.00060000", "99999.0": "0.00100000"}


def test_a_book_that_is_not_live_shows_why_instead_of_old_prices() -> None:
    dead = a_book(None, state="silent", why="the book process has not been heard", bids=[], asks=[])
    assert "silent the book process has not been heard" in market.ladder(dead, market.own_quotes(ORDERS, "BTC/USD"))


def test_depth_adds_up_from_the_touch() -> None:
    bids, _, asks, own = market.depth(a_book(), market.own_quotes(ORDERS, "BTC/USD"), "BTC/USD")["data"]
    assert bids["y"] == [1.0, 3.0, 3.5]
    assert asks["y"] == [0.75, 2.0, 5.0]
    assert (own["x"], own["y"]) == ([100004.0], [0.0006])


def test_own_fills_and_the_markets_trades_are_drawn_apart_and_by_pair() -> None:
    series, trades = answer(web_sections.HISTORY).series, answer(web_sections.TRADES)["BTC/USD"]
    fills = [a_fill(90), a_fill(91, "sell"), a_fill(92, symbol="ETH/USD"), a_fill(1)]
    made = market.over_time(series, trades, fills, "BTC/USD", "5 min")
    drawn = {trace["name"]: trace for trace in made["data"]}
    assert len(drawn["own buy"]["x"]) == 1, "one is of another pair, one is older than what is shown"
    assert len(drawn["own sell"]["x"]) == len(drawn["market buy"]["x"]) == 1
    assert drawn["own buy"]["marker"]["symbol"] != drawn["own sell"]["marker"]["symbol"]
    assert drawn["own buy"]["marker"]["symbol"] != drawn["market buy"]["marker"]["symbol"]


def test_a_persons_zoom_lasts_until_something_else_is_looked_at() -> None:
    def revision(symbol: str, window: str, points: figures.Points) -> Any:
        return market.over_time({f"mid.{symbol}": points}, [], [], symbol, window)["layout"]["uirevision"]

    assert revision("A", "5 min", [[1, 1]]) == revision("A", "5 min", [[2, 2]])
    assert len({revision("A", "5 min", []), revision("B", "5 min", []), revision("A", "4 h", [])}) == 3


def test_a_chart_without_history_says_so() -> None:
    assert "no history yet" in str(money.inventory({}, "BTC", "5 min"))
    assert "no history yet" not in str(money.inventory({"asset.BTC": [[NOW, 0]]}, "BTC", "5 min"))


@pytest.mark.parametrize(
    ("chosen", "left"),
    [
        (Filter(), ["TEXEC1", "TEXEC2", "TEXEC3"]),
        (Filter(symbol="ETH/USD"), ["TEXEC3"]),
        (Filter(side="sell"), ["TEXEC2"]),
        (Filter(text=" texec2 "), ["TEXEC2"]),
        (Filter(symbol="ETH/USD", side="sell"), []),
    ],
)
def test_a_filter_leaves_what_fits(chosen: Filter, left: list[str]) -> None:
    assert [each.exec_id for each in chosen.leaves(answer(web_sections.FILLS).fills)] == left


def test_the_newest_fill_is_on_top() -> None:
    assert [row[-1] for row in rows(records.fills([a_fill(1), a_fill(2)]))] == ["TEXEC2", "TEXEC1"]


def test_live_orders_come_before_ended_ones() -> None:
    ended = an_order("buy", "1.0", is_live=False, state="filled", changed_ts=NOW)
    table = rows(records.orders([ended, an_order("buy", "2.0")], known=True))
    assert [row[3] for row in table] == ["2.0", "1.0"]


def test_orders_that_are_not_known_are_not_called_none() -> None:
    assert "has not published" in records.orders([], known=False)


def test_csv_has_every_field_as_the_api_wrote_it() -> None:
    written = records.to_csv(records.FILL_FIELDS, [a_fill(1), a_fill(2)]).decode()
    read = list(csv.DictReader(io.StringIO(written)))
    assert [row["price"] for row in read] == ["99999.9", "99999.9"]
    assert set(read[0]) == set(fill(1))


def test_csv_starts_no_formula_in_a_spreadsheet() -> None:
    written = records.to_csv(["error", "price"], [an_order("buy", "-1.0", error="=1+1")]).decode()
    assert written == "error,price\n'=1+1,-1.0\n"


def test_profit_is_without_what_was_paid_in() -> None:
    made = sections()["/api/pnl"]
    made["total"] |= {"equity": "1001.25000", "transfers": "1000.00000", "today": "-0.25"}
    pnl = answer(web_sections.PROFIT, made)
    assert (money.totals(pnl)[0].value, money.totals(pnl)[4].value) == ("1.25", "1,000.00")
    day = money.today(pnl)
    assert (day.value, day.note, day.tone) == ("-0.25", "USD, since 00:00 UTC", "bad")


def test_what_is_not_reconciled_says_so() -> None:
    made = sections()["/api/pnl"] | {"valid": False, "why": "fills and balances disagree"}
    pnl = answer(web_sections.PROFIT, made)
    assert "not sure: fills and balances disagree" in money.totals(pnl)[0].note


def test_a_stale_mid_is_flagged() -> None:
    made = sections()["/api/pnl"]
    made["pairs"]["BTC/USD"]["is_stale"] = True
    assert "stale mid" in money.pairs(answer(web_sections.PROFIT, made), answer(web_sections.POSITIONS))


def test_a_process_that_was_never_heard_has_dashes_and_its_state() -> None:
    never = dict.fromkeys(process()) | {"state": "dead", "why": "never heard", "restarts": 0}
    (row,) = rows(machine.processes({"book": msgspec.convert(never, Process)}))
    assert row[:6] == ["book", "dead", "never heard", "-", "-", "-"]


@pytest.mark.parametrize(("ms", "text"), [(0.05, "50 µs"), (1.5, "1.5 ms"), (2500.0, "2.5 s")])
def test_durations_read_in_their_unit(ms: float, text: str) -> None:
    assert machine.duration(ms) == text


def test_a_histogram_has_equal_steps_and_loses_nothing() -> None:
    (bars,) = machine.histogram(answer(web_sections.LATENCY).hops[0])["data"]
    # What took no time, by clocks that disagree, is in the lowest bar.
    assert (bars["x"][0], bars["y"][0], sum(bars["y"][1:20])) == ("1 µs", 5, 0)
    bars = {key: bars[key][20:] for key in "xy"}
    assert bars["x"] == [
        "100 µs", "126 µs", "158 µs", "200 µs", "251 µs", "316 µs", "398 µs", "501 µs", "631 µs", "794 µs", "1 ms",
    ]  # fmt: skip
    assert bars["y"] == [60, 0, 0, 0, 30, 0, 0, 0, 0, 0, 10]


def test_log_lines_are_found_by_process_and_by_any_word() -> None:
    lines = answer(web_sections.LOGS).lines
    assert LogFilter(process="book", text="eth/usd").leaves(lines) == lines
    assert LogFilter(process="executor").leaves(lines) == LogFilter(text="nothing").leaves(lines) == []
    assert rows(news.lines(lines))[0][-1] == "symbol=ETH/USD"


def test_halt_says_how_many_orders_go() -> None:
    assert (
        controls.halt(a_status(open_orders=3, orders_known=True)).happens[0].startswith("All 3 open orders are pulled")
    )
    assert "not known" in " ".join(controls.flatten(a_status(orders_known=False, assets={})).happens)
    assert (
        controls.halt(a_status(open_orders=0, orders_known=False)).happens[0].startswith("Every open order is pulled")
    )


def test_flatten_says_what_is_sold_and_bought_and_that_it_halts() -> None:
    status = a_status(
        open_orders=1,
        orders_known=True,
        sandbox=True,
        assets={
            "A": {"position": "0.50"},
            "B": {"position": "-2", "held": ""},
            "C": {"position": "0.0"},
            "D": {"position": "9", "held": "a deposit"},
            "F": {"position": "0.00001", "least": "0.0001"},
        },
    )
    text = " ".join(controls.flatten(status).happens)
    assert "A: 0.50 sold" in text
    assert "B: 2 bought" in text
    assert "C:" not in text
    assert "F:" not in text
    assert "D is left as it is" in text
    assert "halted" in text


def test_pause_resume_and_accept_name_what_they_are_about() -> None:
    assert controls.pause("ETH/USD").body == {"name": "ETH/USD", "why": "from the web page"}
    assert controls.go_on("ETH/USD", a_status(sandbox=True)).body == {"name": "ETH/USD"}
    question = controls.accept("BTC", a_status(sandbox=True, assets={"BTC": {"position": "5", "held": "a deposit"}}))
    assert (question.path, question.body) == ("/api/accept", {"assets": ["BTC"]})
    assert "a deposit." in question.happens


def test_assets_are_told_with_worth_and_currency_and_what_is_wrong_with_them() -> None:
    made = sections()["/api/positions"]
    (row,) = rows(money.assets(answer(web_sections.POSITIONS, made)))
    assert row[:5] == ["BTC", "0.00050000", "50.00 USD", "1", "100000.5"]
    made["assets"]["BTC"] |= {"held": "a deposit", "wallets": {"earn": "0.5"}}
    (row,) = rows(money.assets(answer(web_sections.POSITIONS, made)))
    assert row[5:] == ["0.5 in earn", "held"]
    made["assets"]["BTC"]["held"], made["rates"]["BTC"]["valid"] = "", False
    assert rows(money.assets(answer(web_sections.POSITIONS, made)))[0][6] == "stale rate"


def test_profit_in_another_quote_is_named_and_told_by_quote() -> None:
    assert money.quotes(answer(web_sections.PROFIT)) == ""
    assert money.rates(answer(web_sections.POSITIONS)) == ""
    made, held = sections()["/api/pnl"], sections()["/api/positions"]
    made["pairs"]["BTC/EUR"] = made["pairs"]["BTC/USD"]
    made["quotes"]["EUR"] = made["quotes"]["USD"]
    made["total"]["fx"] = "-0.5"
    held["rates"]["EUR"] = {"rate": "1.08", "valid": False, "way": ["EUR/USD"]}
    pnl, positions = answer(web_sections.PROFIT, made), answer(web_sections.POSITIONS, held)
    assert rows(money.pairs(pnl, positions))[1][4:7] == ["-0.25 EUR", "1.50 EUR", "0.00 EUR"]
    assert [row[0] for row in rows(money.quotes(pnl))] == ["USD", "EUR"]
    assert money.rates(positions) == "1 EUR = 1.08 USD (stale)"
    assert (money.totals(pnl)[-1].name, money.totals(pnl)[-1].value) == ("Fx", "-0.50")


@pytest.mark.parametrize("ask", [controls.resume, controls.flatten])
def test_what_trades_says_when_it_is_real_money(ask: Any) -> None:
    assert "This is real money." in ask(a_status(sandbox=False, dry_run=False)).happens
    assert "This is real money." not in ask(a_status(sandbox=True)).happens
    assert "This is real money." in ask(None).happens


def test_only_the_executor_may_keep_its_orders() -> None:
    assert controls.restart("executor", keep=True).body == {"process": "executor", "keep": True}
    assert controls.restart("book", keep=True).body == {"process": "book"}
