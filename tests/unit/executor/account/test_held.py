"""Positions that no fill of ours explains: held, shown, accepted; and wallets other than the spot one."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from executor.account.held import Cause, Holds, Inventory
from executor.publish import account_message
from executor.record.rows import MetaRow
from shared.clock import SECOND, rfc3339
from shared.messages import Account
from tests.kit.executor_world import World, buy, configuration, sell


def account(world: World) -> Account:
    message = account_message(world.state, world.now)
    assert isinstance(message, Account)
    return message


def entry(world: World, kind: str, amount: str, *, asset: str = "BTC", wallet: str = "spot/main", n: int = 1) -> None:
    """A ledger entry that no fill of ours explains."""
    kind_, name = wallet.split("/")
    spot = world.state.account.ledger.holdings[asset].balance
    balance = spot + Decimal(amount) if wallet == "spot/main" else Decimal(amount)
    row = {"ledger_id": f"L{kind}{n}{wallet}", "ref_id": f"R{kind}{n}", "type": kind, "asset": asset}
    more = {"amount": Decimal(amount), "fee": Decimal(0), "balance": balance, "wallet_type": kind_, "wallet_id": name}
    world.push("balances", [{**row, **more, "timestamp": rfc3339(world.exchange_ts)}])


def by_hand(world: World, side: str, qty: str, *, exec_id: str = "THAND") -> None:
    """The owner trades by hand, or a stop of theirs triggers: the fill and both entries."""
    trade = {"order_id": "OHAND", "exec_type": "trade", "exec_id": exec_id, "symbol": "BTC/USD", "side": side}
    price = Decimal(84_000)
    world.push("executions", [{**trade, "last_qty": Decimal(qty), "last_price": price, "order_status": "filled"}])
    sign = 1 if side == "buy" else -1
    for asset, change in (("BTC", sign * Decimal(qty)), ("USD", -sign * Decimal(qty) * price)):
        balance = world.state.account.ledger.holdings[asset].balance + change
        row = {"ledger_id": f"L{exec_id}{asset}", "ref_id": exec_id, "type": "trade", "asset": asset}
        world.push("balances", [{**row, "amount": change, "fee": Decimal(0), "balance": balance}])


def sent_adds(world: World) -> list[Any]:
    return [*world.taken("add_order"), *world.taken("batch_add")]


def quoted(world: World) -> bool:
    """Would quotes leave now."""
    sent_adds(world)
    world.target(buy(), sell())
    world.turn()
    return bool(sent_adds(world)) or any(o.strategy == "market_maker" for o in world.live())


def test_a_deposit_beyond_the_limit_is_neither_sold_nor_quoted_against() -> None:
    world = World().ready()
    world.place(buy(), sell())
    entry(world, "deposit", "0.02")  # 1,680 dollars, the limit is 1,000
    world.wait(3)
    cancelled = [name for r in [*world.taken("cancel_order"), *world.taken("batch_cancel")] for name in r.orders]
    assert len(set(cancelled)) == 2
    assert sent_adds(world) == []
    assert "tradebyte accept BTC" in account(world).assets["BTC"].held
    assert any(said.alert and "BTC" in said.text for said in world.out.log)


def test_a_deposit_within_the_limit_is_quoted_on() -> None:
    world = World().ready()
    entry(world, "deposit", "0.005")
    world.wait(3)
    assert quoted(world)


def test_a_trade_by_hand_beyond_the_limit_is_not_bought_back() -> None:
    world = World().ready()
    by_hand(world, "sell", "0.5")
    world.wait(3)
    assert not quoted(world)
    assert account(world).assets["BTC"].position == "-0.5"


def test_our_own_fills_never_hold_an_asset() -> None:
    world = World(configuration(max_order_size=Decimal(2000))).ready()
    (order,) = world.place(buy(qty=1_150_000))  # 966 dollars
    world.report(
        "trade",
        order,
        exec_id="T1",
        symbol="BTC/USD",
        side="buy",
        last_qty=Decimal("0.0115"),
        last_price=Decimal("83990.0"),
        order_status="filled",
    )
    world.bid, world.ask = 880_000, 880_001  # worth 1,012 now
    for asset, change in (("BTC", Decimal("0.0115")), ("USD", Decimal("-965.8850"))):
        balance = world.state.account.ledger.holdings[asset].balance + change
        row = {"ledger_id": f"L{asset}", "ref_id": "T1", "type": "trade", "asset": asset}
        world.push("balances", [{**row, "amount": change, "fee": Decimal(0), "balance": balance}])
    world.wait(3)
    assert account(world).assets["BTC"].held == ""


def test_an_accepted_position_is_inventory_from_then_on_and_after_a_restart() -> None:
    world = World().ready()
    entry(world, "deposit", "0.02")
    world.wait(3)
    world.executor.accept("BTC", world.now)
    world.wait(2)
    assert account(world).assets["BTC"].position == "0"
    assert account(world).assets["BTC"].inventory == "1.02"
    assert quoted(world)
    kept = {row.key: row.value for row in world.state.account.rows if isinstance(row, MetaRow)}
    kept |= {row.key: row.value for row in world.out.rows if isinstance(row, MetaRow)}
    again = Inventory({"BTC": Decimal(1)})
    again.restore(kept["accepted"])
    assert again.of_asset("BTC") == Decimal("1.02")
    newer = Inventory({"BTC": Decimal("1.02")})  # the configuration was changed since
    newer.restore(kept["accepted"])
    assert newer.of_asset("BTC") == Decimal("1.02")


def test_an_asset_that_is_moved_back_within_its_limit_is_quoted_again() -> None:
    world = World().ready()
    entry(world, "deposit", "0.02")
    world.wait(3)
    entry(world, "withdrawal", "-0.02", n=2)
    world.wait(3)
    assert account(world).assets["BTC"].held == ""
    assert quoted(world)


def test_a_start_far_beyond_the_limit_is_held_until_accepted() -> None:
    world = World(configuration(inventory_base={"BTC": Decimal("0.95")}))  # 4,200 dollars over
    world.hear_bus()
    world.ready()
    world.wait(3)
    assert not quoted(world)
    world.executor.accept("BTC", world.now)
    world.wait(2)
    assert quoted(world)


def test_a_start_a_little_beyond_the_limit_only_reduces() -> None:
    world = World(configuration(inventory_base={"BTC": Decimal("0.98")})).ready()  # 1,680 dollars over
    world.target(buy(), sell())
    world.turn()
    sides = [order["side"] for r in sent_adds(world) for order in r.params.get("orders", [r.params])]
    assert sides == ["sell"]


def test_a_held_asset_is_not_flattened_and_the_end_says_so() -> None:
    world = World().ready()
    entry(world, "deposit", "0.02")
    world.wait(3)
    world.state.controls.flattening = True
    world.wait(5)
    assert sent_adds(world) == []
    assert world.halt.startswith("flattened")
    assert "BTC is left as it is" in world.halt


def test_what_lies_in_an_earn_wallet_is_owned_but_not_to_be_sold() -> None:
    world = World(configuration(inventory_base={"BTC": Decimal(1)}))
    wallets = [
        {"type": "spot", "id": "main", "balance": Decimal("0.001")},
        {"type": "earn", "id": "flex", "balance": Decimal("0.999")},
    ]
    world.balances = lambda **_: [  # type: ignore[method-assign]
        {"asset": "USD", "balance": Decimal(100_000), "wallets": []},
        {"asset": "BTC", "balance": Decimal(1), "wallets": wallets},
    ]
    world.ready()
    row = account(world).assets["BTC"]
    assert (row.position, row.wallets, row.held) == ("0", {"earn/flex": "0.999"}, "")
    world.target(buy(), sell())
    world.turn()
    sides = [order["side"] for r in sent_adds(world) for order in r.params.get("orders", [r.params])]
    assert sides == ["buy"]
    assert "needed" in next(iter(world.executor.backoff.reasons().values()))


def test_a_snapshot_whose_wallets_hold_nothing_spot_leaves_nothing_to_spend() -> None:
    world = World()
    world.balances = lambda **_: [  # type: ignore[method-assign]
        {"asset": "USD", "balance": Decimal(100_000)},
        {"asset": "BTC", "balance": Decimal(1), "wallets": [{"type": "earn", "id": "bonded", "balance": Decimal(1)}]},
    ]
    world.ready()
    assert world.state.account.ledger.spendable()["BTC"] == 0
    assert world.state.account.position("BTC") == 0


def test_auto_earn_moves_the_wallet_and_not_the_position() -> None:
    world = World().ready()
    entry(world, "transfer", "-0.9")
    entry(world, "transfer", "0.9", wallet="earn/flex")
    world.wait(3)
    row = account(world).assets["BTC"]
    assert (row.position, row.wallets, row.held) == ("0", {"earn/flex": "0.9"}, "")
    assert not any(said.alert and said.kind == "held" for said in world.out.log)


def test_a_flatten_sells_what_is_spot_and_names_what_lies_elsewhere() -> None:
    world = World().ready()
    entry(world, "transfer", "-1")
    entry(world, "transfer", "1", wallet="earn/flex")
    world.state.account.inventory = Inventory({"BTC": Decimal("0.99")})
    world.state.account.changes += 1
    world.state.controls.flattening = True
    world.wait(5)
    assert sent_adds(world) == []
    assert "1 in earn/flex cannot be sold" in world.halt


def test_a_hold_outlives_a_restart() -> None:
    holds = Holds(Decimal(1000))
    holds.look("BTC", Decimal(0), Decimal(84_000), 1)
    holds.change("BTC", Decimal("0.02"))
    *_, row = holds.look("BTC", Decimal("0.02"), Decimal(84_000), 2)
    again = Holds(Decimal(1000))
    again.restore(row.value, None, 5)
    assert again.held["BTC"].cause is Cause.CHANGE
    again.look("BTC", Decimal("0.02"), Decimal(84_000), 6)
    assert "BTC" in again.held
    again.look("BTC", Decimal("0.001"), Decimal(84_000), 6 + SECOND)
    assert again.held == {}


def test_a_change_that_was_not_looked_at_before_a_kill_holds_after_the_start() -> None:
    holds = Holds(Decimal(1000))
    holds.change("BTC", Decimal("0.02"))
    row = holds.change("BTC", Decimal("0.01"))
    again = Holds(Decimal(1000))
    again.restore(None, row.value, 5)
    again.change("BTC", Decimal("-0.01"))  # alone it leads back, and would hold nothing
    looked, _ = again.look("BTC", Decimal("0.02"), Decimal(84_000), 6)
    assert again.held["BTC"].cause is Cause.CHANGE
    once_more = Holds(Decimal(1000))
    once_more.restore(None, looked.value, 7)
    assert once_more.look("BTC", Decimal("0.02"), Decimal(84_000), 8) == []
