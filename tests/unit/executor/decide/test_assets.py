"""Limits, flatten and profit by asset: several pairs of one base, bases that others are quoted in, other quotes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from executor.account.held import Cause, Hold, Inventory
from executor.decide.flatten import closing_pairs
from executor.publish import account_message
from executor.record.rows import MetaRow
from shared.clock import SECOND
from shared.messages import Account, BookState, Pair, Quote
from tests.kit.executor.assets import PAIRS, TOUCHES, world
from tests.kit.executor_world import World, params_of


def quote(symbol: str, side: Any, ticks_away: int, dollars: float, slot: str) -> Quote:
    """A quote worth so many dollars, some ticks behind the touch."""
    bid, ask = TOUCHES[symbol]
    rate = {"USD": 1.0, "EUR": 1.05, "BTC": 84_000.0}[PAIRS[symbol].quote]
    price = bid - ticks_away if side == "buy" else ask + ticks_away
    lots = int(dollars / rate / (price / 10 ** PAIRS[symbol].price_precision) * 10**8)
    return Quote(slot=slot, side=side, price=price, qty=lots)


def ladder(symbol: str, side: Any, count: int, dollars: float = 100.0) -> list[Quote]:
    step = 1 if symbol == "ETH/BTC" else 10
    return [quote(symbol, side, step * (n + 1), dollars, f"{side[0]}{n}") for n in range(count)]


def dollars_sent(made: World, side: str) -> Decimal:
    """Return what all orders of a side that left are worth, at the worse of price and mid."""
    total = Decimal(0)
    for request in [*made.taken("add_order"), *made.taken("batch_add")]:
        params = params_of(request)
        for order in params.get("orders", [params]):
            if order["side"] == side:
                symbol = params["symbol"]
                rate = {"USD": Decimal(1), "EUR": Decimal("1.05005"), "BTC": Decimal(84_000)}[PAIRS[symbol].quote]
                mid = Decimal(sum(TOUCHES[symbol])) / 2 / 10 ** PAIRS[symbol].price_precision
                total += max(order["limit_price"], mid) * order["order_qty"] * rate
    return total


def account(made: World) -> Account:
    message = account_message(made.state, made.now)
    assert isinstance(message, Account)
    return message


def confirm_cancels(made: World) -> None:
    for request in [*made.taken("cancel_order"), *made.taken("batch_cancel")]:
        made.answer(request, {})
        for name in request.orders:
            made.report("canceled", made.state.registry.find(name), order_status="canceled")


# --- limits ----------------------------------------------------------------------------------------------------------


def test_two_pairs_of_one_base_share_its_position_limit() -> None:
    made = world("BTC/USD", "BTC/EUR", max_open_orders=40, max_gross_position=Decimal(5000)).ready()
    made.target(*ladder("BTC/USD", "buy", 9), symbol="BTC/USD")
    made.target(*ladder("BTC/EUR", "buy", 9), symbol="BTC/EUR")
    made.turn()
    sent = dollars_sent(made, "buy")
    assert 900 < sent <= 1000


def test_a_pair_of_two_traded_bases_counts_towards_the_limits_of_both() -> None:
    made = world("BTC/USD", "ETH/BTC", references=(), max_open_orders=40, max_gross_position=Decimal(9000)).ready()
    # Offers of BTC for dollars, and bids that pay with BTC: both take the position down.
    made.target(*ladder("BTC/USD", "sell", 6), symbol="BTC/USD")
    made.target(*ladder("ETH/BTC", "buy", 6), symbol="ETH/BTC")
    made.turn()
    sells = [r for r in made.sent if r.params.get("symbol") == "BTC/USD"]
    buys = [r for r in made.sent if r.params.get("symbol") == "ETH/BTC"]
    count = sum(
        len(params_of(r).get("orders", [r.params])) for r in [*sells, *buys] if r.method in ("add_order", "batch_add")
    )
    assert count == 9  # 100 dollars each, a little more at the mid


def test_a_base_that_others_are_quoted_in_counts_while_its_own_rate_is_not_known() -> None:
    # After a restart EUR is valued and BTC, which goes by BTC/USD, is not yet.
    made = world("BTC/USD", "BTC/EUR", "ETH/BTC", max_position_size=Decimal(350))
    hear = made.hear_book
    made.hear_book = lambda symbol, state=BookState.LIVE, waited=0: (  # type: ignore[method-assign]
        hear(symbol, state, waited) if symbol in ("BTC/EUR", "EUR/USD") else None
    )
    made.state.account.inventory = Inventory({"BTC": Decimal("0.9962"), "ETH": Decimal(1)})
    made.balances = lambda **_: [  # type: ignore[method-assign]
        {"asset": asset, "balance": Decimal(amount)}
        for asset, amount in {"USD": 1000, "EUR": 1000, "BTC": 1, "ETH": 1}.items()
    ]
    made.ready()
    assert made.state.market.rates.rate("BTC") is None
    made.target(quote("BTC/EUR", "buy", 10, 100, "b0"), symbol="BTC/EUR")
    made.turn()
    assert made.taken("add_order") == []  # 0.0038 BTC are 319 dollars


def without_a_book(made: World, *silent: str) -> World:
    hear = made.hear_book
    made.hear_book = lambda symbol, state=BookState.LIVE, waited=0: (  # type: ignore[method-assign]
        hear(symbol, state, waited) if symbol not in silent else None
    )
    made.balances = lambda **_: [  # type: ignore[method-assign]
        {"asset": asset, "balance": Decimal(amount)} for asset, amount in {"USD": 9000, "BTC": 1, "ETH": 3}.items()
    ]
    return made


@pytest.mark.parametrize("is_kept", [False, True])
def test_after_a_start_a_position_without_a_book_counts_by_what_it_was_worth_before(is_kept: bool) -> None:
    made = without_a_book(world("BTC/USD", "ETH/USD", references=()), "ETH/USD")
    if is_kept:  # by the journal: 2 ETH beyond the inventory are 5,040 dollars
        made.state.market.rates.restore('{"ETH": "2520"}')
    made.ready()
    made.target(quote("BTC/USD", "buy", 10, 100, "b0"), symbol="BTC/USD")
    made.turn()
    assert made.taken("add_order") == []
    why = made.executor.backoff.reasons()["market_maker BTC/USD b0"]
    assert ("gross worst case 51" if is_kept else "nothing values the position in ETH yet") in why


def test_what_is_promised_on_one_pair_is_not_there_for_another() -> None:
    made = world("BTC/USD", "BTC/EUR", max_position_size=Decimal(9_000), max_gross_position=Decimal(20_000))
    made.state.config.trading = msgspec.structs.replace(made.state.config.trading, max_order_size=Decimal(1000))
    made.balances = lambda **_: [  # type: ignore[method-assign]
        {"asset": "USD", "balance": Decimal(1000)},
        {"asset": "EUR", "balance": Decimal(1000)},
        {"asset": "BTC", "balance": Decimal("0.01")},
    ]
    made.state.account.inventory = Inventory({"BTC": Decimal("0.01")})
    made.ready()
    made.target(quote("BTC/USD", "sell", 10, 500, "a0"), symbol="BTC/USD")
    made.target(quote("BTC/EUR", "sell", 10, 500, "a0"), symbol="BTC/EUR")
    made.turn()
    assert len(made.taken("add_order")) == 1  # 0.01 BTC is 840 dollars: enough for one of them


# --- rates -----------------------------------------------------------------------------------------------------------


def test_without_a_rate_nothing_is_quoted_and_the_reason_is_named() -> None:
    made = world("BTC/EUR", references=()).ready()
    made.target(quote("BTC/EUR", "buy", 10, 100, "b0"), symbol="BTC/EUR")
    made.turn()
    assert made.taken("add_order") == []
    closed = made.executor.gates.quoting("BTC/EUR", made.now)
    assert closed is not None
    assert "EUR" in closed.text
    assert account(made).rates.get("EUR") is None


def test_sizes_in_dollars_are_sent_in_euros() -> None:
    made = world("BTC/EUR").ready()
    made.target(quote("BTC/EUR", "buy", 10, 100, "b0"), symbol="BTC/EUR")
    made.turn()
    assert len(made.taken("add_order")) == 1
    made.target(quote("BTC/EUR", "buy", 10, 260, "b1"), symbol="BTC/EUR")  # 248 euros
    made.turn()
    assert made.taken("add_order") == []
    rate = account(made).rates["EUR"]
    assert (Decimal(rate.rate), rate.valid, rate.way) == (Decimal("1.05005"), True, ["EUR/USD"])


def test_a_rate_that_went_stale_pulls_what_goes_by_it_and_is_shown() -> None:
    made = world("BTC/EUR").ready()
    made.target(quote("BTC/EUR", "buy", 10, 100, "b0"), symbol="BTC/EUR")
    made.turn()
    for request in made.taken("add_order"):
        made.answer(request, {"order_id": "O1", "cl_ord_id": request.orders[0]})
    for _ in range(10):
        made.now += SECOND // 2
        made.raw({"channel": "heartbeat"})
        made.hear_bus()
        made.hear_book("EUR/USD", BookState.SILENT)
        made.target(quote("BTC/EUR", "buy", 10, 100, "b0"), symbol="BTC/EUR")
        made.turn()
        made.armed()
    assert len(made.taken("cancel_order")) == 1
    assert not account(made).rates["EUR"].valid


# --- flatten ---------------------------------------------------------------------------------------------------------


def flatten(made: World, seconds: float = 20) -> list[tuple[str, str, Decimal]]:
    """Plays a flatten with orders that fill at once; returns (symbol, side, quantity) of each, in order."""
    made.state.controls.flattening = True
    orders: list[tuple[str, str, Decimal]] = []
    until = made.now + int(seconds * SECOND)
    while made.now < until and not made.halt:
        made.now += SECOND // 4
        made.raw({"channel": "heartbeat"})
        made.hear_bus()
        made.turn()
        made.armed()
        confirm_cancels(made)
        for request in made.taken("add_order"):
            assert request.params["time_in_force"] == "ioc"
            fill(made, request, orders)
    return orders


def fill(made: World, request: Any, orders: list[tuple[str, str, Decimal]]) -> None:
    symbol, side, qty = request.params["symbol"], request.params["side"], request.params["order_qty"]
    pair: Pair = PAIRS[symbol]
    price = Decimal(TOUCHES[symbol][0 if side == "sell" else 1]).scaleb(-pair.price_precision)
    orders.append((symbol, side, qty))
    exec_id, name = f"T{len(orders)}", request.orders[0]
    made.answer(request, {"order_id": f"OF{len(orders)}", "cl_ord_id": name})
    trade = {
        "order_id": f"OF{len(orders)}",
        "cl_ord_id": name,
        "exec_type": "trade",
        "exec_id": exec_id,
        "symbol": symbol,
        "side": side,
        "last_qty": qty,
        "last_price": price,
        "order_status": "filled",
    }
    made.push("executions", [trade])
    sign = 1 if side == "buy" else -1
    for asset, change in ((pair.base, sign * qty), (pair.quote, -sign * qty * price)):
        balance = made.state.account.ledger.holdings[asset].balance + change
        entry = {"ledger_id": f"L{exec_id}{asset}", "ref_id": exec_id, "type": "trade", "asset": asset}
        made.push("balances", [{**entry, "amount": change, "fee": Decimal(0), "balance": balance}])


def with_balances(made: World, **balances: str) -> World:
    rows = {**{row["asset"]: row["balance"] for row in made.balances()}, **balances}
    made.balances = lambda **_: [{"asset": a, "balance": Decimal(b)} for a, b in rows.items()]  # type: ignore[method-assign]
    return made.ready()


def test_what_other_peoples_orders_may_come_to_holds_up_no_flatten() -> None:
    made = world("BTC/USD", references=(), max_gross_position=Decimal(1200)).ready()
    order = {"order_id": "OHAND", "symbol": "BTC/USD", "side": "buy", "order_type": "limit", "order_status": "new"}
    made.push("executions", [{**order, "order_qty": Decimal(1), "limit_price": Decimal("83000.0")}])
    made.state.account.inventory = Inventory({"BTC": Decimal("1.001")})  # 84 dollars short
    made.state.account.changes += 1
    made.state.controls.flattening = True
    made.turn()
    (close,) = made.taken("add_order")
    assert (close.params["side"], close.params["order_qty"]) == ("buy", Decimal("0.001"))


def test_a_base_with_two_pairs_is_closed_once() -> None:
    made = with_balances(world("BTC/USD", "BTC/EUR"), BTC="1.0100000000")
    orders = flatten(made)
    assert {symbol for symbol, _, _ in orders} == {"BTC/USD"}
    assert sum(qty for _, _, qty in orders) == Decimal("0.01")
    assert made.halt.startswith("flattened")


def test_a_base_quoted_in_another_base_is_closed_first() -> None:
    made = with_balances(world("BTC/EUR", "ETH/BTC"), BTC="1.0050000000", ETH="1.1000000000")
    orders = flatten(made)
    symbols = [symbol for symbol, _, _ in orders]
    assert symbols == sorted(symbols, key=lambda symbol: symbol != "ETH/BTC")
    assert {"ETH/BTC", "BTC/EUR"} == set(symbols)
    assert made.halt.startswith("flattened")
    assert abs(made.state.account.position("BTC")) < Decimal("0.0001")
    assert made.state.account.position("ETH") < Decimal("0.002")


def test_a_flatten_that_would_take_another_base_over_its_limit_closes_that_one_in_between() -> None:
    made = with_balances(world("BTC/EUR", "ETH/BTC"), BTC="1.0110000000", ETH="1.3000000000")  # 924 and 756 dollars
    orders = flatten(made, 40)
    assert made.halt.startswith("flattened")
    worth = Decimal(924)
    for symbol, side, qty in orders:
        change = qty * 84_000 if symbol == "BTC/EUR" else qty * Decimal("0.03") * 84_000
        worth += -change if (symbol, side) == ("BTC/EUR", "sell") else change
        assert worth < 1001


def test_a_flatten_from_one_base_into_another_is_not_held_up_by_the_gross_limit() -> None:
    # 252 dollars of ETH, closed through BTC: the worst case is that it is sold and not sold at once, 504 dollars.
    made = world("BTC/USD", "BTC/EUR", "ETH/BTC", max_gross_position=Decimal(200))
    made = with_balances(made, BTC="1.0000000000", ETH="1.1000000000")
    orders = flatten(made, 40)
    assert {symbol for symbol, _, _ in orders} == {"ETH/BTC", "BTC/USD"}
    assert made.halt.startswith("flattened")
    assert made.state.account.position("ETH") < Decimal("0.002")


def test_a_base_that_only_a_held_one_quotes_is_left_as_it_is() -> None:
    made = with_balances(world("BTC/EUR", "ETH/BTC"), BTC="1.0200000000", ETH="1.1000000000")  # 1,680 and 250 dollars
    made.state.account.holds.held["BTC"] = Hold(Cause.CHANGE, Decimal("0.02"), made.now)
    assert flatten(made) == []  # selling ETH would buy BTC
    assert "BTC is left as it is" in made.halt
    assert "0.1 ETH are left as they are: ETH is quoted in BTC only, which is held" in made.halt


def test_a_base_is_closed_through_a_pair_without_a_held_asset() -> None:
    made = with_balances(world("BTC/USD", "ETH/BTC", "ETH/USD", references=()), BTC="1.0200000000", ETH="1.1000000000")
    made.state.account.holds.held["BTC"] = Hold(Cause.CHANGE, Decimal("0.02"), made.now)
    assert {symbol for symbol, _, _ in flatten(made)} == {"ETH/USD"}


@pytest.mark.parametrize(
    ("pairs", "tradable", "chosen"),
    [
        (["ETH/BTC", "ETH/USD", "BTC/USD"], {"ETH/BTC", "ETH/USD", "BTC/USD"}, {"ETH": "ETH/USD", "BTC": "BTC/USD"}),
        (["ETH/BTC", "ETH/USD", "BTC/USD"], {"ETH/BTC", "BTC/USD"}, {"ETH": "ETH/BTC", "BTC": "BTC/USD"}),
        (["BTC/EUR", "BTC/USD"], {"BTC/USD"}, {"BTC": "BTC/USD"}),
        (["BTC/EUR"], set(), {}),
    ],
)
def test_each_base_is_closed_through_one_pair_that_takes_orders(
    pairs: list[str], tradable: set[str], chosen: dict[str, str]
) -> None:
    assert closing_pairs(pairs, tradable) == chosen


# --- profit ----------------------------------------------------------------------------------------------------------


def bought_and_sold(made: World) -> None:
    """0.01 BTC bought at 80,000 and sold at 80,100 euros: 1 euro made."""
    for n, (side, price) in enumerate((("buy", "80000"), ("sell", "80100"))):
        sign = 1 if side == "buy" else -1
        trade = {
            "order_id": f"OX{n}",
            "cl_ord_id": "",
            "exec_type": "trade",
            "exec_id": f"TX{n}",
            "symbol": "BTC/EUR",
            "side": side,
            "last_qty": Decimal("0.01"),
            "last_price": Decimal(price),
        }
        made.push("executions", [{**trade, "order_status": "filled"}])
        for asset, change in (("BTC", sign * Decimal("0.01")), ("EUR", -sign * Decimal("0.01") * Decimal(price))):
            balance = made.state.account.ledger.holdings[asset].balance + change
            entry = {"ledger_id": f"L{n}{asset}", "ref_id": f"TX{n}", "type": "trade", "asset": asset}
            made.push("balances", [{**entry, "amount": change, "fee": Decimal(0), "balance": balance}])


def test_profit_is_exact_in_euros_and_told_in_dollars_at_the_rate_when_it_was_made() -> None:
    made = world("BTC/EUR").ready()
    bought_and_sold(made)
    made.wait(1)
    message = account(made)
    assert (message.quotes["EUR"].realised, message.quotes["EUR"].equity) == ("1", "1")
    assert (message.realised, message.fx, message.equity) == ("1.05005", "0", "1.05005")
    made.touches = {**TOUCHES, "EUR/USD": (11_000, 11_001)}
    made.wait(2)
    message = account(made)
    assert message.quotes["EUR"].equity == "1"
    assert (message.realised, message.fx, message.equity) == ("1.05005", "0.05", "1.10005")


def test_the_days_loss_is_told_in_the_currency_and_without_the_rates_own_move() -> None:
    made = world("BTC/EUR", max_daily_loss=Decimal(1000)).ready()
    bought_and_sold(made)
    made.wait(3)
    gained = Decimal(account(made).day_loss)
    assert gained == Decimal("-1.05")
    made.touches = {**TOUCHES, "EUR/USD": (5_000, 5_001)}
    made.wait(3)
    assert Decimal(account(made).day_loss) == Decimal("-0.50")


def test_what_was_converted_outlives_a_restart() -> None:
    from executor.account.conversion import restore_conversion

    made = world("BTC/EUR").ready()
    bought_and_sold(made)
    made.wait(2)
    kept = [row.value for row in made.out.rows if isinstance(row, MetaRow) and row.key == "booked"]
    again = restore_conversion(kept[-1])
    assert again.total("realised") == Decimal("1.05005")


def test_an_asset_has_one_position_and_each_pair_the_share_of_its_fills() -> None:
    made = world("BTC/USD", "BTC/EUR").ready()
    bought_and_sold(made)
    trade = {"order_id": "OY", "exec_type": "trade", "exec_id": "TY", "symbol": "BTC/USD", "side": "buy"}
    made.push(
        "executions", [{**trade, "last_qty": Decimal("0.002"), "last_price": Decimal(84_000), "order_status": "filled"}]
    )
    for asset, change in (("BTC", Decimal("0.002")), ("USD", Decimal(-168))):
        balance = made.state.account.ledger.holdings[asset].balance + change
        entry = {"ledger_id": f"LY{asset}", "ref_id": "TY", "type": "trade", "asset": asset}
        made.push("balances", [{**entry, "amount": change, "fee": Decimal(0), "balance": balance}])
    made.wait(2)
    message = account(made)
    assert message.positions == {"BTC/USD": "0.002", "BTC/EUR": "0"}
    assert (message.assets["BTC"].position, message.assets["BTC"].worth) == ("0.002", "168")


def short_of_euros(euros: str) -> World:
    """0.005 BTC are to be bought back, which takes 400 euros at the touch and 404 at the band's end."""
    made = world("BTC/EUR")
    rows = {"BTC": "0.9950000000", "EUR": euros, "USD": "100000.0000"}
    made.balances = lambda **_: [{"asset": a, "balance": Decimal(b)} for a, b in rows.items()]  # type: ignore[method-assign]
    return made.ready()


def test_a_purchase_that_the_band_makes_too_dear_is_paid_nearer_the_touch() -> None:
    made = short_of_euros("401.0000")
    orders = flatten(made)
    assert sum(qty for _, _, qty in orders) == Decimal("0.005")
    assert "short" not in made.halt


def test_a_flatten_ends_where_the_money_ends_and_says_what_is_short() -> None:
    made = short_of_euros("200.0000")
    flatten(made)
    assert made.halt.startswith("flattened")
    assert "BTC short: there is nothing left to buy it with" in made.halt
    left = -made.state.account.position("BTC")
    assert Decimal("0.0025") < left < Decimal("0.0026")
    assert left > Decimal(account(made).assets["BTC"].least)


def test_a_shortage_below_the_least_amount_is_dust() -> None:
    made = short_of_euros("399.7000")  # 3 millionths of a BTC too few
    flatten(made)
    assert made.halt == "flattened: every position is at inventory_base, but for amounts too small to trade"
    assert 0 < -made.state.account.position("BTC") < Decimal(account(made).assets["BTC"].least)
