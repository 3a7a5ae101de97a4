"""Profit by pair: MARKET.md's weighted-average cost, and pairs that add up to the totals to the last digit."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given, strategies as some

from executor.account.account import Account
from executor.account.pnl import Pnl
from executor.publish import account_message
from shared import messages as m
from shared.messages import BookState
from tests.kit.executor_world import World

PAIRS = ("BTC/USD", "ETH/USD", "SOL/USD")
amounts = some.decimals("0.00000001", "100000", places=8)
fills = some.tuples(some.sampled_from(PAIRS), some.sampled_from(["buy", "sell"]), amounts, amounts, amounts)


def account() -> Account:
    return Account({}, lambda _: False, lambda _: False, lambda _: set())


def published(world: World) -> m.Account:
    message = account_message(world.state, world.now)
    assert isinstance(message, m.Account)
    return message


@given(some.lists(fills, max_size=30), some.dictionaries(some.sampled_from(PAIRS), amounts))
def test_pairs_add_up_to_the_total_to_the_last_digit(
    made: list[tuple[str, m.Side, Decimal, Decimal, Decimal]], mids: dict[str, Decimal]
) -> None:
    traded = account()
    for symbol, side, qty, price, fee in made:
        traded.pnl.setdefault(symbol, Pnl()).fill(side, qty, price, fee)
    profits = traded.profit(mids, set(), PAIRS, {"USD": Decimal(1)})
    assert set(profits.pairs) == set(PAIRS)
    for total, name in (
        (profits.realised, "realised"),
        (profits.unrealised, "unrealised"),
        (profits.fees_paid, "fees"),
    ):
        assert Decimal(total) == sum(Decimal(getattr(pair, name)) for pair in profits.pairs.values())
    for symbol, pnl in traded.pnl.items():
        assert abs(Decimal(profits.pairs[symbol].realised) - pnl.realised) <= Decimal("5e-9")
    parts = (
        Decimal(profits.realised) + Decimal(profits.unrealised) - Decimal(profits.fees_paid) + Decimal(profits.rounding)
    )
    assert Decimal(profits.equity) == parts


def test_a_pair_shows_its_cost_its_mid_and_what_closing_there_would_make() -> None:
    pnl = Pnl()
    pnl.fill("buy", Decimal("0.3"), Decimal(100), Decimal("0.01"))
    pnl.fill("buy", Decimal("0.1"), Decimal(104), Decimal("0.01"))
    pnl.fill("sell", Decimal("0.2"), Decimal(110), Decimal("0.02"))
    row = pnl.row(Decimal("102.5"), is_stale=False)
    assert (row.qty, row.average_price, row.realised) == ("0.2", "101", "1.8")
    assert (row.unrealised, row.fees, row.mid, row.is_stale) == ("0.3", "0.04", "102.5", False)


def test_before_the_first_mid_and_when_flat_nothing_is_guessed() -> None:
    row = Pnl().row(None, is_stale=True)
    assert (row.average_price, row.mid, row.unrealised, row.is_stale) == ("", "", "0", True)


def test_the_last_good_mid_stays_and_is_flagged_while_the_book_is_not_live() -> None:
    world = World().ready()
    assert (published(world).profits["BTC/USD"].mid, published(world).profits["BTC/USD"].is_stale) == (
        "84000.05",
        False,
    )
    world.now += 10**9
    world.hear_bus(BookState.RESYNCING)
    assert (published(world).profits["BTC/USD"].mid, published(world).profits["BTC/USD"].is_stale) == ("84000.05", True)


def test_a_silent_book_process_makes_every_mid_stale() -> None:
    world = World().ready()
    assert not published(world).profits["BTC/USD"].is_stale
    world.now += 2 * 10**9
    assert published(world).profits["BTC/USD"].is_stale
