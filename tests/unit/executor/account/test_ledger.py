"""Rounding in balances: amount and fee of a fill are rounded once each, to the ledger's decimals."""

from __future__ import annotations

from decimal import Decimal

import pytest

from executor.account.ledger import Entry, Ledger, Trade

# A sell of 10.00005 USD with a fee of 0.02005: the ledger's amount and fee are a half unit up each.
SOLD = Trade("T1", {"USD": Decimal("9.98000")}, {"USD": Decimal("0.02005")})


def ledger(*trades: Trade) -> Ledger:
    made = Ledger(lambda _: False, lambda _: set())
    made.set_decimals({"USD": 4})
    made.open({"USD": Decimal(100)}, ts=1000)
    for trade in trades:
        made.fill(trade)
    return made


@pytest.mark.parametrize(
    ("balance", "explained"),
    [("109.9799", True), ("109.9800", True), ("109.9801", True), ("109.9802", False), ("109.9798", False)],
)
def test_a_leg_explains_one_unit_of_the_ledger_either_way_and_no_more(balance: str, explained: bool) -> None:
    made = ledger(SOLD)
    made.snapshot({"USD": Decimal(balance)})
    assert (made.difference == "") is explained
    assert (made.holdings["USD"].open_legs == {}) is explained


def test_each_leg_adds_its_unit() -> None:
    legs = [Trade(f"T{n}", SOLD.effects, SOLD.fees) for n in range(3)]
    for above, explained in (("0.0003", True), ("0.0004", False)):
        made = ledger(*legs)
        made.snapshot({"USD": Decimal("129.94") + Decimal(above)})
        assert (made.difference == "") is explained


def test_once_a_leg_has_its_entry_nothing_is_left_to_rounding() -> None:
    made = ledger(SOLD)
    entry = Entry("L1", "T1", "USD", "trade", Decimal("10.0001"), Decimal("0.0201"), Decimal("109.9800"), 2000)
    assert made.entry(entry, live=True)
    assert made.difference == ""
    made.snapshot({"USD": Decimal("109.9801")})
    assert made.difference


def test_amount_and_fee_round_away_each_for_itself() -> None:
    # 0.00004 USD and a fee of 0.00004: together nearly a unit, and yet neither makes an entry.
    nothing = Trade("T1", {"USD": Decimal("-0.00008")}, {"USD": Decimal("0.00004")})
    assert ledger(nothing).holdings["USD"].open_legs == {}
    # 0.00006 USD less 0.00002: less than half a unit, and yet an entry of 0.0001 comes.
    something = Trade("T1", {"USD": Decimal("0.00004")}, {"USD": Decimal("0.00002")})
    assert list(ledger(something).holdings["USD"].open_legs) == ["T1"]


# The journal's opening was timed by our clock; the exchange's is some seconds off.
OPENED = 1_000 * 10**9


def deposit(amount: str, ts: int, name: str = "L1") -> Entry:
    return Entry(name, "R1", "USD", "deposit", Decimal(amount), Decimal(0), Decimal(0), ts)


@pytest.mark.parametrize("seconds", [-2, 2])
def test_a_deposit_around_the_opening_counts_if_the_balance_lacks_it_and_only_then(seconds: int) -> None:
    for balance, counts in (("100", False), ("130", True)):
        made = Ledger(lambda _: False, lambda _: set())
        made.open({"USD": Decimal(100)}, ts=OPENED)
        made.snapshot({"USD": Decimal(balance)})
        entry = deposit("30", OPENED + seconds * 10**9)
        assert not made.entry(entry, live=False)
        assert made.newer_than_opening() == ([entry] if counts else [])
        assert made.difference == ""
        assert made.holdings["USD"].transfers == Decimal(30 if counts else 0)
        assert made.newer_than_opening() == []


def test_of_entries_around_the_opening_the_last_ones_that_explain_the_balance_count() -> None:
    made = Ledger(lambda _: False, lambda _: set())
    made.open({"USD": Decimal(100)}, ts=OPENED)
    made.snapshot({"USD": Decimal(119)})
    # The account's first deposit comes nearer to what is missing than either of those that followed.
    for number, amount in enumerate(["20", "30", "-11"]):
        made.entry(deposit(amount, OPENED + (number - 1) * 10**9, f"L{number}"), live=False)
    assert [entry.ledger_id for entry in made.newer_than_opening()] == ["L1", "L2"]
    assert (made.difference, made.holdings["USD"].transfers) == ("", Decimal(19))


def test_what_is_clearly_older_or_newer_than_the_opening_goes_by_its_time() -> None:
    for seconds, counts in ((-6, False), (6, True)):
        made = Ledger(lambda _: False, lambda _: set())
        made.open({"USD": Decimal(100)}, ts=OPENED)
        made.snapshot({"USD": Decimal(130)})
        assert made.entry(deposit("30", OPENED + seconds * 10**9), live=False) is counts
        assert made.newer_than_opening() == []


def test_entries_beside_a_fill_are_taken_if_all_is_explained_and_else_none_is() -> None:
    sold = {"USD": Decimal(10)}
    for balance, taken in (("80", ["L2"]), ("81", [])):
        made = Ledger(lambda _: False, lambda _: set())
        made.open({"USD": Decimal(100)}, ts=OPENED)
        made.snapshot({"USD": Decimal(balance)})
        for number, amount in enumerate(["40", "-7", "-30"]):  # the last one and the sale explain 80
            made.entry(deposit(amount, OPENED + (number - 1) * 10**9, f"L{number}"), live=False)
        assert made.undecided == 3
        assert [entry.ledger_id for entry in made.take_beside(sold, 0)] == taken
        assert made.undecided == 3 - len(taken)


@pytest.mark.parametrize(
    ("balance", "taken"),
    [("79.9999", True), ("80.0000", True), ("80.0001", True), ("79.9998", False), ("80.0002", False)],
)
def test_each_fill_beside_them_explains_one_unit_of_rounding_and_no_more(balance: str, taken: bool) -> None:
    made = Ledger(lambda _: False, lambda _: set())
    made.set_decimals({"USD": 4, "BTC": 10})
    made.open({"USD": Decimal(100), "BTC": Decimal(1)}, ts=OPENED)
    made.snapshot({"USD": Decimal(balance), "BTC": Decimal(1)})  # of BTC nothing is missing
    withdrawn = deposit("-30", OPENED)
    made.entry(withdrawn, live=False)
    assert made.take_beside({"USD": Decimal(10)}, 1) == ([withdrawn] if taken else [])
    assert made.holdings["USD"].balance == Decimal(balance)


def test_without_decimals_a_unit_is_that_of_the_finest_asset() -> None:
    for away, taken in (("1e-10", 1), ("2e-10", 0)):
        made = Ledger(lambda _: False, lambda _: set())
        made.open({"USD": Decimal(100)}, ts=OPENED)
        made.snapshot({"USD": 80 + Decimal(away)})
        made.entry(deposit("-30", OPENED), live=False)
        assert len(made.take_beside({"USD": Decimal(10)}, 1)) == taken


def around_the_opening(balance: str, change: str, *trades: Trade) -> tuple[Ledger, Entry]:
    """Return a ledger that opened at 100 dollars, and an entry that was fetched and may be newer."""
    made = Ledger(lambda _: False, lambda _: set())
    made.set_decimals({"USD": 4})
    made.open({"USD": Decimal(100)}, ts=OPENED)
    made.snapshot({"USD": Decimal(balance)})
    for trade in trades:
        made.fill(trade)
    entry = deposit(change, OPENED)
    made.entry(entry, live=False)
    return made, entry


def test_an_entry_is_not_taken_for_what_the_rounding_of_a_fill_explains() -> None:
    made, _ = around_the_opening("89.9999", "-0.0001")
    assert made.take_beside({"USD": Decimal(-10)}, 1) == []
    made, _ = around_the_opening("109.9801", "0.0001", SOLD)
    assert made.newer_than_opening() == []


def test_an_entry_is_taken_for_what_no_rounding_explains() -> None:
    made, entry = around_the_opening("99.9999", "-0.0001")
    assert made.newer_than_opening() == [entry]
    made, entry = around_the_opening("79.9799", "-30", SOLD)
    assert made.newer_than_opening() == [entry]
