"""The ledger step by step: entries before, with and after their fills, wallets, transfers, and what stays open."""

from __future__ import annotations

from decimal import Decimal

import pytest

from executor.account.ledger import Entry, Holding, Ledger, Recent, Spot, Trade
from shared import limits
from shared.clock import SECOND

OPENED = 1_000 * SECOND
LATER = OPENED + 60 * SECOND
# 0.01 BTC bought for 10 USD, with a fee of 0.02 USD.
BOUGHT = Trade("T1", {"BTC": Decimal("0.01"), "USD": Decimal("-10.02")}, {"USD": Decimal("0.02")})
PAID, GOT = ("USD", "-10", "0.02", "89.98"), ("BTC", "0.01", "0", "1.01")


class Known:
    """The journal's answers."""

    def __init__(self) -> None:
        self.entries: set[str] = set()
        self.settled: dict[str, set[str]] = {}

    def ledger(self) -> Ledger:
        made = Ledger(self.entries.__contains__, lambda exec_id: self.settled.get(exec_id, set()))
        made.set_decimals({"USD": 4, "BTC": 8})
        made.open({"USD": Decimal(100), "BTC": Decimal(1)}, ts=OPENED)
        return made


def entry(
    asset: str,
    amount: str,
    fee: str,
    balance: str,
    ref: str = "T1",
    kind: str = "trade",
    ts: int = LATER,
    name: str = "",
) -> Entry:
    return Entry(name or f"L{asset}{ref}", ref, asset, kind, Decimal(amount), Decimal(fee), Decimal(balance), ts)


# --- the small parts -------------------------------------------------------------------------------------------------


def test_the_newest_keys_are_remembered_and_the_oldest_go() -> None:
    recent = Recent(2)
    for key in ("a", "b", "c"):
        recent.add(key)
    assert [key in recent for key in ("a", "b", "c")] == [False, True, True]
    assert (recent.take("b"), recent.take("b"), recent.take("a")) == (True, False, False)
    recent.add("d")
    assert [key in recent for key in ("c", "d")] == [True, True]


def test_balances_are_read_from_holdings_as_they_are_now() -> None:
    holdings = {"USD": Holding(balance=Decimal(5))}
    spot = Spot(holdings)
    holdings["USD"].balance = Decimal(6)
    assert (dict(spot), len(spot), spot.get("BTC")) == ({"USD": Decimal(6)}, 1, None)
    ledger = Known().ledger()
    assert dict(ledger.spot) == ledger.spendable() == {"USD": 100, "BTC": 1}


def test_a_holding_tells_what_is_not_explained_and_what_rounding_took() -> None:
    holding = Holding(
        opening=Decimal(100),
        balance=Decimal(125),
        transfers=Decimal(20),
        effects=Decimal(4),
        settled=Decimal(120),
        open_legs={"T1": Decimal(2), "T2": Decimal(1)},
    )
    # Of the effects only 1 has its entry: 25 came, 20 were transfers, 1 was traded.
    assert (holding.residual, holding.rounding) == (Decimal(2), Decimal(4))
    assert entry("USD", "10", "3", "0").change == 7


# --- opening and restoring -------------------------------------------------------------------------------------------


def test_before_it_is_opened_nothing_is_explained() -> None:
    ledger = Ledger(lambda _: False, lambda _: set())
    assert (ledger.is_open, ledger.opened_ts, ledger.difference) == (False, 0, "no balances yet")
    assert (ledger.spendable(), ledger.total("USD"), ledger.absorb()) == ({}, Decimal(0), [])
    ledger.restore({}, 5)
    assert (ledger.is_open, ledger.opened_ts) == (False, 5)
    ledger.restore({"USD": Holding(balance=Decimal(3))}, 7)
    assert (ledger.is_open, ledger.opened_ts, ledger.difference) == (
        True,
        7,
        "fills do not explain the balances: USD +3",
    )


def test_it_opens_at_the_balances_as_they_are_and_forgets_what_it_waited_for() -> None:
    ledger = Known().ledger()
    ledger.entry(entry(*PAID), live=True)
    assert ledger.unmatched == {"T1": {"USD": Decimal("-10.02")}}
    ledger.open({"USD": Decimal(70)}, ts=LATER)
    usd = Holding(opening=Decimal(70), balance=Decimal(70), settled=Decimal(70))
    assert (ledger.holdings, ledger.unmatched, ledger.is_open, ledger.opened_ts) == ({"USD": usd}, {}, True, LATER)
    assert ledger.difference == ""


def test_what_was_said_of_a_difference_is_said_anew_after_any_change() -> None:
    ledger = Known().ledger()
    assert ledger.difference == ""
    ledger.restore({"USD": Holding(balance=Decimal(1))}, 7)
    assert ledger.difference == "fills do not explain the balances: USD +1"
    ledger.open({"USD": Decimal(1)}, ts=LATER)
    assert ledger.difference == ""
    ledger.fill(Trade("T1", {"USD": Decimal("-0.00004")}, {"USD": Decimal(-1)}))
    ledger.snapshot({"USD": Decimal("1.0003")})
    assert ledger.difference == "fills do not explain the balances: USD +0.00034"
    ledger.set_decimals({"USD": 3})
    assert ledger.difference == ""


def test_the_same_decimals_again_are_no_change_and_others_settle_what_they_explain() -> None:
    ledger = Known().ledger()
    ledger.fill(BOUGHT)
    ledger.snapshot({"USD": Decimal("89.98"), "BTC": Decimal("1.02")})
    assert list(ledger.holdings["BTC"].open_legs) == ["T1"]
    ledger.set_decimals({"USD": 4, "BTC": 8})
    assert ledger.absorb() == []
    ledger.set_decimals({"USD": 4, "BTC": 2})
    assert ledger.absorb() == ["BTC"]


# --- fills and their entries -----------------------------------------------------------------------------------------


def test_a_fill_moves_both_assets_and_waits_for_an_entry_of_each() -> None:
    ledger = Known().ledger()
    ledger.fill(BOUGHT)
    usd, btc = ledger.holdings["USD"], ledger.holdings["BTC"]
    assert (usd.effects, usd.open_legs) == (Decimal("-10.02"), {"T1": Decimal("-10.02")})
    assert (btc.effects, btc.open_legs) == (Decimal("0.01"), {"T1": Decimal("0.01")})
    assert ledger.difference == "fills do not explain the balances: BTC -0.01, USD +10.02"
    assert ledger.entry(entry(*PAID), live=True)
    assert ledger.entry(entry(*GOT), live=True)
    assert (usd.balance, usd.settled, usd.open_legs, usd.transfers) == (
        Decimal("89.98"),
        Decimal("89.98"),
        {},
        Decimal(0),
    )
    assert (btc.balance, btc.settled, btc.rounding, ledger.difference) == (
        Decimal("1.01"),
        Decimal("1.01"),
        Decimal(0),
        "",
    )
    assert ledger.unmatched == {}


def test_the_effects_of_all_fills_add_up() -> None:
    ledger = Known().ledger()
    ledger.fill(BOUGHT)
    ledger.fill(Trade("T2", {"USD": Decimal("4")}, {}))
    assert ledger.holdings["USD"].effects == Decimal("-6.02")


def test_entries_that_come_before_their_fill_are_kept_for_it() -> None:
    ledger = Known().ledger()
    assert ledger.entry(entry(*PAID), live=True)
    assert ledger.entry(entry(*GOT), live=True)
    assert ledger.unmatched == {"T1": {"USD": Decimal("-10.02"), "BTC": Decimal("0.01")}}
    assert ledger.has_entries("T1")
    ledger.set_missing(["T1"])
    assert ledger.difference == "the fill of a trade's ledger entries has not been reported: T1"
    ledger.set_missing(["T1", "T0"])
    assert ledger.difference == "the fill of a trade's ledger entries has not been reported: T0, T1"
    ledger.fill(BOUGHT)
    assert (ledger.unmatched, ledger.missing) == ({}, {"T0"})
    assert all(holding.open_legs == {} for holding in ledger.holdings.values())
    assert not ledger.has_entries("T1")


def test_two_entries_of_one_trade_in_one_asset_add_up() -> None:
    ledger = Known().ledger()
    ledger.entry(entry("USD", "-6", "0.01", "93.99", name="L1"), live=True)
    ledger.entry(entry("USD", "-4", "0.01", "89.98", name="L2"), live=True)
    assert ledger.unmatched == {"T1": {"USD": Decimal("-10.02")}}


def test_an_early_entry_settles_one_fill_and_no_second() -> None:
    ledger = Known().ledger()
    ledger.entry(entry(*PAID), live=True)
    ledger.fill(BOUGHT)
    ledger.fill(BOUGHT)
    assert list(ledger.holdings["USD"].open_legs) == ["T1"]


def test_a_fill_whose_entries_the_journal_knows_waits_only_for_the_others() -> None:
    known = Known()
    known.settled = {"T1": {"USD"}}
    ledger = known.ledger()
    ledger.fill(BOUGHT)
    assert (ledger.holdings["USD"].open_legs, list(ledger.holdings["BTC"].open_legs)) == ({}, ["T1"])
    assert ledger.has_entries("T1")
    assert not ledger.has_entries("T2")


def test_an_entry_counts_once_whether_this_process_or_the_journal_knows_it() -> None:
    known = Known()
    ledger = known.ledger()
    assert ledger.entry(entry(*PAID), live=True)
    assert not ledger.entry(entry(*PAID), live=True)
    known.entries.add("LBTCT1")
    assert not ledger.entry(entry(*GOT), live=True)
    assert ledger.holdings["BTC"].balance == 1


def test_a_fetched_entry_of_a_trade_counts_only_where_a_fill_waits_for_it_and_says_no_balance() -> None:
    ledger = Known().ledger()
    assert not ledger.entry(entry(*PAID), live=False)
    assert (ledger.unmatched, ledger.holdings["USD"].settled) == ({}, Decimal(100))
    ledger.fill(BOUGHT)
    assert ledger.entry(entry(*PAID), live=False)
    usd = ledger.holdings["USD"]
    assert (usd.open_legs, usd.settled, usd.balance) == ({}, Decimal("89.98"), Decimal(100))


def test_too_many_entries_without_a_fill_are_forgotten_the_oldest_first() -> None:
    ledger = Known().ledger()
    for number in range(limits.LEDGER_RECENT + 2):
        ledger.entry(entry("USD", "0", "0", "100", ref=f"T{number}"), live=True)
    assert len(ledger.unmatched) == limits.LEDGER_RECENT
    assert ("T1" in ledger.unmatched, "T2" in ledger.unmatched) == (False, True)


def test_a_trade_without_a_fill_is_taken_for_a_transfer_in_the_end() -> None:
    ledger = Known().ledger()
    ledger.entry(entry("USD", "5", "0", "105", ref="R1", kind="deposit"), live=True)
    ledger.entry(entry("USD", "-10", "0.02", "94.98"), live=True)
    ledger.set_missing(["T1"])
    assert ledger.give_up("T1") == {"USD": Decimal("-10.02")}
    usd = ledger.holdings["USD"]
    assert (usd.transfers, usd.rounding, ledger.unmatched, ledger.missing) == (Decimal("-5.02"), Decimal(0), {}, set())
    assert ledger.give_up("T1") == {}
    ledger.fill(BOUGHT)  # and its fill, when it comes after all, waits for an entry
    assert list(usd.open_legs) == ["T1"]


# --- transfers and wallets -------------------------------------------------------------------------------------------


def test_a_deposit_is_a_transfer_and_explains_itself() -> None:
    ledger = Known().ledger()
    deposit = entry("EUR", "30", "1", "29", ref="R1", kind="deposit")
    assert ledger.entry(deposit, live=True)
    eur = ledger.holdings["EUR"]
    assert (eur.transfers, eur.settled, eur.balance, eur.rounding) == (
        Decimal(29),
        Decimal(29),
        Decimal(29),
        Decimal(0),
    )
    assert (ledger.difference, ledger.unmatched) == ("", {})


@pytest.mark.parametrize(("ts", "counts"), [(5 * SECOND, False), (5 * SECOND + 1, True), (-5 * SECOND - 1, False)])
def test_a_fetched_transfer_counts_when_it_is_clearly_newer_than_the_opening(ts: int, counts: bool) -> None:
    ledger = Known().ledger()
    assert ledger.entry(entry("USD", "30", "0", "130", ref="R1", kind="deposit", ts=OPENED + ts), live=False) is counts
    assert ledger.holdings["USD"].transfers == (30 if counts else 0)


def test_what_came_about_the_opening_counts_in_the_order_of_time_over_all_assets() -> None:
    ledger = Known().ledger()
    ledger.snapshot({"USD": Decimal(130), "BTC": Decimal(3)})
    deposits = [
        entry("USD", "10", "0", "0", ref="R1", kind="deposit", ts=OPENED + 3, name="L1"),
        entry("BTC", "2", "0", "0", ref="R2", kind="deposit", ts=OPENED + 2, name="L2"),
        entry("USD", "20", "0", "0", ref="R3", kind="deposit", ts=OPENED + 1, name="L3"),
        entry("EUR", "5", "0", "0", ref="R4", kind="deposit", ts=OPENED + 1, name="L4"),
    ]
    for deposit in deposits:
        assert not ledger.entry(deposit, live=False)
    assert ledger.newer_than_opening() == [deposits[2], deposits[1], deposits[0]]
    assert (ledger.holdings["USD"].balance, ledger.difference) == (Decimal(130), "")


def test_what_came_about_the_opening_and_does_not_explain_the_balance_is_older() -> None:
    ledger = Known().ledger()
    ledger.snapshot({"USD": Decimal(120), "BTC": Decimal(1)})
    ledger.entry(entry("USD", "30", "0", "0", ref="R1", kind="deposit", ts=OPENED), live=False)
    assert ledger.newer_than_opening() == []
    assert ledger.difference == "fills do not explain the balances: USD +20"


def test_wallets_beside_the_spot_one_are_owned_and_not_spent() -> None:
    ledger = Known().ledger()
    ledger.wallet("BTC", "earn/flex", Decimal(2))
    ledger.wallet("BTC", "earn/flex", Decimal("-0.5"))
    ledger.wallet("BTC", "earn/bonded", Decimal(4))
    assert ledger.wallets == {"BTC": {"earn/flex": Decimal("1.5"), "earn/bonded": Decimal(4)}}
    assert (ledger.total("BTC"), ledger.total("USD"), ledger.total("ETH")) == (Decimal("6.5"), Decimal(100), Decimal(0))
    assert ledger.spendable()["BTC"] == 1


# --- snapshots -------------------------------------------------------------------------------------------------------


def test_a_snapshot_states_every_balance_and_one_that_it_lacks_is_zero() -> None:
    ledger = Known().ledger()
    ledger.snapshot({"USD": Decimal(90), "EUR": Decimal(7)})
    assert {asset: holding.balance for asset, holding in ledger.holdings.items()} == {"USD": 90, "BTC": 0, "EUR": 7}
    assert ledger.difference == "fills do not explain the balances: BTC -1, EUR +7, USD -10"


def test_legs_that_a_snapshot_explains_are_settled_by_it_and_their_entries_come_for_nothing() -> None:
    ledger = Known().ledger()
    ledger.fill(BOUGHT)
    ledger.snapshot({"USD": Decimal("89.98"), "BTC": Decimal("1.02")})
    usd, btc = ledger.holdings["USD"], ledger.holdings["BTC"]
    assert (usd.open_legs, usd.settled) == ({}, Decimal("89.98"))
    assert (list(btc.open_legs), btc.settled) == (["T1"], Decimal(1))
    assert ledger.entry(entry(*PAID), live=True)
    assert ledger.unmatched == {}  # it belongs to a fill that is known


def test_legs_are_settled_once_until_something_changes() -> None:
    ledger = Known().ledger()
    ledger.fill(BOUGHT)
    assert ledger.absorb() == []
    for asset, balance in (("USD", "89.98"), ("BTC", "1.01")):
        ledger.holdings[asset].balance = Decimal(balance)
    assert ledger.absorb() == []
    ledger.fill(Trade("T2", {}, {}))
    assert ledger.absorb() == ["USD", "BTC"]
    assert ledger.difference == ""
    assert ledger.holdings["BTC"].settled == Decimal("1.01")


def test_an_asset_of_unknown_decimals_is_rounded_to_ten() -> None:
    ledger = Known().ledger()
    ledger.fill(Trade("T1", {"SOL": Decimal("0.00000000005")}, {}))
    assert list(ledger.holdings["SOL"].open_legs) == ["T1"]
    ledger.fill(Trade("T2", {"SOL": Decimal("0.00000000004")}, {}))
    assert list(ledger.holdings["SOL"].open_legs) == ["T1"]
    ledger.snapshot({"USD": Decimal(100), "BTC": Decimal(1), "SOL": Decimal("0.00000000015")})
    assert ledger.difference == ""
    ledger.fill(Trade("T3", {"SOL": Decimal(1)}, {}))
    ledger.snapshot({"USD": Decimal(100), "BTC": Decimal(1), "SOL": Decimal("1.00000000026")})
    assert ledger.difference == "fills do not explain the balances: SOL +0.00000000011"


@pytest.mark.parametrize(
    ("effects", "fills", "explains"),
    [
        ({"USD": "-10"}, 0, True),
        ({"USD": "-10.0001"}, 0, False),
        ({"USD": "-10.0002"}, 2, True),
        ({"USD": "-10.0003"}, 2, False),
        ({"USD": "-9.9998"}, 2, True),
        ({}, 1, False),
        ({"USD": "-10", "BTC": "0.01"}, 1, False),
        ({"USD": "-10", "SOL": "0.0000000001"}, 1, True),
        ({"USD": "-10", "SOL": "0.0000000002"}, 1, False),
    ],
)
def test_fills_would_explain_a_balance_to_within_a_unit_each(
    effects: dict[str, str], fills: int, explains: bool
) -> None:
    ledger = Known().ledger()
    ledger.snapshot({"USD": Decimal(90), "BTC": Decimal(1)})
    exact = {asset: Decimal(effect) for asset, effect in effects.items()}
    assert ledger.would_explain(exact, fills) is explains
    assert "SOL" not in ledger.holdings


def test_an_open_leg_gives_its_unit_to_what_fills_would_explain() -> None:
    ledger = Known().ledger()
    ledger.fill(BOUGHT)
    ledger.snapshot({"USD": Decimal("79.9802"), "BTC": Decimal("1.01")})
    assert ledger.would_explain({"USD": Decimal(-10)}, 1)
    assert not ledger.would_explain({"USD": Decimal(-10)}, 0)


def test_a_fill_whose_entry_is_still_to_come_is_no_rounding() -> None:
    ledger = Known().ledger()
    ledger.fill(Trade("T9", {"USD": Decimal("-50.00001"), "BTC": Decimal("0.5")}, {}))
    assert ledger.holdings["USD"].rounding == 0
    assert ledger.entry(entry("USD", "-50", "0", "50", ref="T9"), live=True)
    assert ledger.holdings["USD"].rounding == Decimal("0.00001")
