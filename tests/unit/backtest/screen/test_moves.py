"""When requests leave in the fast engine: the executor's rule, the counter with its reserve, and the keeper's waits."""

from __future__ import annotations

from random import Random

import msgspec
import pytest
from hypothesis import Phase, given, settings, strategies as st

from backtest.data.columns import BUY, SELL, Columns
from backtest.exact.replayed import merge
from backtest.screen.callback import CallbackScreen
from backtest.screen.moves import Mover, Moves, Resting, Settled, Step, StepKind, step_to
from backtest.screen.played import Pace, Played
from backtest.screen.rate_points import rate_use
from backtest.venue.queue_market import QueueMarket
from backtest.venue.recorded import Amended, Cancelled, Operation, Submitted
from executor.decide.budget import Budget, add_points, amend_points, cancel_points
from executor.decide.planner import NEVER, kept_qty
from executor.decide.worth_moving import Terms, choose
from shared import limits
from shared.clock import MS, SECOND
from shared.config import Trading
from shared.kraken.counters import CANCEL_WORST, TIERS, Tier
from shared.measures.volatility import MidVolatility
from shared.messages import Fees, Quote, Side, Target
from strategy.interface import Strategy, Trigger, View
from tests.kit.backtest.market import BEGIN_TS, Tape
from tests.unit.backtest.screen.days import day

BTC = "BTC/USD"
TIER = TIERS["intermediate"]
NOW = 1000 * SECOND
MID = 100_000
PACE_NS = int(limits.AMEND_EVERY_S * SECOND)
MIDS = [(NOW - second * SECOND, MID + 10 * (second % 2)) for second in range(60, -1, -1)]


def resting(
    price: int, age_s: float = 20, side: Side = "buy", slot: str = "b0", qty: int = 100, *, refused: bool = False
) -> Resting:
    return Resting(slot, side, price, qty, 0, NOW - int(age_s * SECOND), refused)


def settled(order: Resting, price: int, qty: int = 100) -> Settled:
    return Settled(order.slot, order, Quote(slot=order.slot, side=order.side, price=price, qty=qty))


def empty(price: int, slot: str = "b0", side: Side = "buy") -> Settled:
    return Settled(slot, None, Quote(slot=slot, side=side, price=price, qty=100))


def mover(moves: Moves = Moves.PRICED, *, filled: float = 0.0, is_known: bool = True) -> Mover:
    """A mover whose mid stands at 100,000 after a while of 10 ticks (a bp) a second up and down."""
    made = Mover(moves, BTC, TIER)
    for at, mid in MIDS if is_known else MIDS[-5:]:
        made.take_mid(mid, at)
    made.budget.charge(BTC, filled, NOW)
    return made


def kinds(steps: list[Step]) -> list[StepKind]:
    return [step.kind for step in steps]


# --- the pace and the price ------------------------------------------------------------------------------------------


def test_a_paced_order_moves_once_in_a_while() -> None:
    pacing, order = mover(Moves.PACED), resting(100_010, age_s=4)
    assert pacing.plan([settled(order, 99_900)], 1, NOW) == []
    assert pacing.look_ts == order.touched + PACE_NS
    (step,) = pacing.plan([settled(order, 99_900)], 1, pacing.look_ts)
    assert (step.kind, step.price, pacing.look_ts) == (StepKind.LESS, 99_900, NEVER)


def test_a_priced_order_that_is_overrun_moves_at_once() -> None:
    assert kinds(mover().plan([settled(resting(100_200, age_s=4), 99_900)], 1, NOW)) == [StepKind.LESS]


def test_a_priced_order_with_little_to_lose_waits_for_the_executors_turn() -> None:
    pricing, order = mover(), resting(99_980, age_s=4)
    assert pricing.plan([settled(order, 99_975)], 1, NOW) == []
    volatility = MidVolatility(limits.VOLATILITY_HALF_LIFE_S)
    for at, mid in MIDS:
        volatility.add(at, mid)
    most = TIER.threshold - CANCEL_WORST
    terms = Terms(mid=MID, sigma=volatility.bps(), trend=0.0, value=0.0, most=most, decay=TIER.decay)
    quote = Quote(slot="b0", side="buy", price=99_975, qty=100)
    assert pricing.look_ts == choose([(order, quote)], terms, NOW)[order].due
    assert pricing.look_ts > NOW


@pytest.mark.parametrize(("sign", "expected"), [(1, [StepKind.ADVANCE]), (-1, [])])
def test_a_bid_follows_a_mid_that_leaves_it_behind_and_not_one_that_comes_back(
    sign: int, expected: list[StepKind]
) -> None:
    pricing = mover()
    for second in range(1, 16):
        pricing.take_mid(MID + sign * 20 * second, NOW + second * SECOND)
    mid, now = MID + sign * 300, NOW + 15 * SECOND
    assert kinds(pricing.plan([settled(resting(mid - 120, age_s=-3), mid - 30)], 1, now)) == expected


def test_a_priced_order_is_paced_while_the_volatility_is_not_known() -> None:
    pricing, order = mover(is_known=False), resting(100_200, age_s=4)
    assert pricing.plan([settled(order, 99_900)], 1, NOW) == []
    assert pricing.look_ts == order.touched + PACE_NS


def test_a_smaller_quantity_never_waits() -> None:
    order = resting(99_980, age_s=4)
    (step,) = mover(Moves.PACED).plan([settled(order, 99_900, qty=50)], 1, NOW)
    assert (step.kind, step.price, step.qty) == (StepKind.LESS, 99_980, 50)


def test_a_larger_quantity_waits_its_turn() -> None:
    pricing, order = mover(), resting(99_980, age_s=4, qty=10)
    assert pricing.plan([settled(order, 99_980)], 1, NOW) == []
    assert pricing.look_ts == order.touched + PACE_NS


def test_what_is_as_wanted_needs_no_request_and_no_look() -> None:
    pricing = mover()
    assert pricing.plan([settled(resting(99_980), 99_980), Settled("a0", None, None)], 1, NOW) == []
    assert pricing.look_ts == NEVER


def test_an_order_that_post_only_refused_to_move_is_cancelled() -> None:
    order = resting(99_980, age_s=1, refused=True)
    assert kinds(mover().plan([settled(order, 99_975)], 1, NOW)) == [StepKind.CANCEL]


def test_quantities_follow_the_executors_rule() -> None:
    assert kept_qty(60, 100, is_same_price=True) == 60
    assert kept_qty(49, 100, is_same_price=True) == 100
    assert kept_qty(104, 100, is_same_price=True) == 104
    assert kept_qty(104, 100, is_same_price=False) == 100
    assert step_to(settled(resting(99_980, qty=104), 99_980)) is None


# --- the counter -----------------------------------------------------------------------------------------------------


def test_cancels_leave_first_then_retreats_then_advances_then_adds() -> None:
    slots = [
        empty(99_800, "b4"),
        settled(resting(99_700, 70, slot="b1"), 99_900),
        settled(resting(100_300, 70, slot="b2"), 99_900),
        Settled("b3", resting(99_600, slot="b3"), None),
    ]
    steps = mover().plan(slots, 3, NOW)
    assert kinds(steps) == [StepKind.CANCEL, StepKind.LESS, StepKind.ADVANCE, StepKind.ADD]
    assert [step.slot for step in steps] == ["b3", "b2", "b1", "b4"]


def test_each_request_is_charged_as_it_leaves() -> None:
    pricing = mover(Moves.PACED)
    pricing.plan([empty(99_900, "b1"), settled(resting(100_010, 12), 99_900)], 1, NOW)
    assert pricing.budget.value(BTC, NOW) == 1 + 2
    pricing.plan([Settled("b0", resting(99_900, 1), None)], 2, NOW)
    assert pricing.budget.value(BTC, NOW) == 3 + 8


def test_a_cancel_leaves_although_the_counter_is_full() -> None:
    full = mover(filled=125)
    assert kinds(full.plan([Settled("b0", resting(99_980, 1), None)], 1, NOW)) == [StepKind.CANCEL]


def test_an_add_waits_until_the_counter_has_room_for_it_and_the_reserve() -> None:
    full = mover(filled=125 - CANCEL_WORST)
    assert full.plan([empty(99_980)], 0, NOW) == []
    assert full.look_ts == pytest.approx(NOW + SECOND / TIER.decay, abs=MS)
    assert kinds(full.plan([empty(99_980)], 0, full.look_ts)) == [StepKind.ADD]


def test_the_reserve_grows_with_every_order_that_is_added() -> None:
    held = mover(filled=125 - 2 * CANCEL_WORST - 2)
    steps = held.plan([empty(99_980), empty(99_970, "b1"), empty(99_960, "b2")], 0, NOW)
    assert [step.slot for step in steps] == ["b0", "b1"]


def test_an_add_that_never_fits_is_not_looked_at_again() -> None:
    pricing = mover()
    assert pricing.plan([empty(99_980)], 15, NOW) == []
    assert pricing.look_ts == NEVER


def test_an_advance_waits_for_room() -> None:
    full = mover(Moves.PACED, filled=125 - CANCEL_WORST)
    wanted = [settled(resting(99_900, 20), 99_980)]
    assert full.plan(wanted, 1, NOW) == []
    assert full.look_ts > NOW
    assert kinds(full.plan(wanted, 1, full.look_ts)) == [StepKind.ADVANCE]


@pytest.mark.parametrize(("price", "qty"), [(99_900, 100), (99_980, 50)])
def test_a_retreat_or_reduction_without_room_is_cancelled(price: int, qty: int) -> None:
    full = mover(Moves.PACED, filled=125 - CANCEL_WORST)
    (step,) = full.plan([settled(resting(99_980, 20), price, qty)], 1, NOW)
    assert (step.kind, step.slot) == (StepKind.CANCEL, "b0")
    assert full.budget.value(BTC, NOW) == 125 - CANCEL_WORST + 4


SLOTS: tuple[tuple[str, Side], ...] = (("b0", "buy"), ("b1", "buy"), ("b2", "buy"), ("a0", "sell"), ("a1", "sell"))


# A smaller seed is no simpler market: nothing is shrunk.
@settings(max_examples=60, deadline=None, phases=(Phase.reuse, Phase.generate))
@given(
    seed=st.integers(0, 10**6),
    moves=st.sampled_from([Moves.PACED, Moves.PRICED]),
    tier=st.sampled_from(list(TIERS.values())),
    calm=st.integers(1, 40),
)
def test_the_counter_never_passes_its_maximum_and_no_request_leaves_that_the_executor_would_deny(
    seed: int, moves: Moves, tier: Tier, calm: int
) -> None:
    """A strategy that wants other prices all the time, and often none, on a mid that jumps."""
    rng, made, checked = Random(seed), Mover(moves, BTC, tier), Budget(tier)
    orders: dict[str, Resting] = {}
    now, mid, left = NOW, MID, 0
    for _ in range(250):
        now += rng.choice((20 * MS, 150 * MS, SECOND, 3 * SECOND))
        mid += rng.randint(-calm, calm) * 10
        made.take_mid(mid, now)
        slots = []
        for name, side in SLOTS:
            price = mid + (1 if side == "sell" else -1) * rng.randint(1, 150)
            quote = Quote(slot=name, side=side, price=price, qty=rng.choice((30, 100)))
            slots.append(Settled(name, orders.get(name), quote if rng.random() < 0.8 else None))
        steps = made.plan(slots, len(orders), now)
        for step in steps:
            _check(step, checked, len(orders), now)
            left += 1
            if step.kind is StepKind.CANCEL:
                del orders[step.slot]
            else:
                orders[step.slot] = Resting(step.slot, step.side, step.price, step.qty, 0, now, False)
            assert checked.value(BTC, now) <= tier.threshold
        assert made.budget.value(BTC, now) == pytest.approx(checked.value(BTC, now))
    assert left > 20


def _check(step: Step, budget: Budget, open_orders: int, now: int) -> None:
    """Count a request by a budget of its own, which must allow it unless it is a cancel."""
    if step.kind is StepKind.CANCEL:
        assert step.order is not None
        budget.charge(BTC, cancel_points(step.order.touched, now), now)
        return
    points = add_points(1) if step.order is None else amend_points(step.order.touched, now)
    assert budget.allows(BTC, points, open_orders + (step.order is None), now)
    budget.charge(BTC, points, now)


# --- the keeper ------------------------------------------------------------------------------------------------------


class NoSettings(msgspec.Struct):
    """None."""


class Follower(Strategy):
    """Quotes one bid at the best bid."""

    Settings = NoSettings
    trigger = Trigger.TOUCH

    def __init__(self, settings: msgspec.Struct) -> None:
        del settings

    def on_book(self, view: View) -> Target | None:
        return view.target([Quote(slot="b0", side="buy", price=view.book.bids[0][0], qty=100_000)])


class Jumper(Follower):
    """Quotes four a side at prices that change at every decision, and withdraws them all now and then."""

    def __init__(self, settings: msgspec.Struct) -> None:
        self._decisions = 0

    def on_book(self, view: View) -> Target | None:
        self._decisions += 1
        bid, away = view.book.bids[0][0], 20 + 10 * (self._decisions % 7)
        bids = [Quote(slot=f"b{n}", side="buy", price=bid - away - n, qty=100_000) for n in range(4)]
        asks = [Quote(slot=f"a{n}", side="sell", price=bid + away + n, qty=100_000) for n in range(4)]
        return view.target([] if self._decisions % 9 == 0 else bids + asks)


def play(columns: Columns, kind: type[Follower], moves: Moves, trading: Trading | None = None) -> Played:
    tape, market = merge({BTC: columns}), QueueMarket(1)
    tape.play_on(market)
    strategy, pace = kind(NoSettings()), Pace(None, 10 * MS, moves=moves)
    fees = Fees(maker="0.0", taker="0.1")
    screen = CallbackScreen(market, strategy, "probe", columns.pair, fees, trading or Trading(), pace)
    return screen.run(int(tape.exchange_ts[-1]))


def quiet() -> Columns:
    """The bid rises by a tick a second after the begin, and half a minute later something happens far away."""
    tape = Tape()
    tape.snapshot(BEGIN_TS, {1000: 10**6, 900: 10**6}, {1003: 10**6, 1100: 10**6})
    tape.levels(BEGIN_TS + SECOND, (BUY, 1001, 10**6))
    tape.levels(BEGIN_TS + 30 * SECOND, (SELL, 1100, 5))
    return tape.columns()


def requests(played: Played) -> list[tuple[type[Operation], int]]:
    return [(type(request), request.ts - BEGIN_TS) for request in played.operations]


def test_a_free_order_moves_at_the_touch() -> None:
    add_ns, amend_ns = Pace(None, 0).submit_ns, Pace(None, 0).amend_ns
    made = requests(play(quiet(), Follower, Moves.FREE))
    assert made == [(Submitted, 20 * MS + add_ns), (Amended, SECOND + 20 * MS + amend_ns)]


def test_a_waiting_order_moves_when_its_turn_comes_although_nothing_happens() -> None:
    (_, added), (kind, amended) = requests(play(quiet(), Follower, Moves.PACED))
    assert kind is Amended
    assert amended == added + PACE_NS + 20 * MS + Pace(None, 0).amend_ns


def test_an_outcome_is_acted_on_when_it_is_known() -> None:
    """The bid rises while the add is on its way, which is no reason to wait for the next touch."""
    tape = Tape()
    tape.snapshot(BEGIN_TS, {1000: 10**6, 900: 10**6}, {1003: 10**6, 1100: 10**6})
    tape.levels(BEGIN_TS + MS, (BUY, 1001, 10**6))
    tape.levels(BEGIN_TS + 30 * SECOND, (SELL, 1100, 5))
    columns = tape.columns()
    assert [kind for kind, _ in requests(play(columns, Follower, Moves.FREE))] == [Submitted]
    assert [kind for kind, _ in requests(play(columns, Follower, Moves.PACED))] == [Submitted, Amended]


@pytest.mark.parametrize("moves", [Moves.PACED, Moves.PRICED])
@pytest.mark.parametrize("tier", ["starter", "intermediate"])
def test_a_hasty_strategy_stays_within_the_counter(moves: Moves, tier: str) -> None:
    columns, trading = day(5, 2500), msgspec.convert({"tier": tier}, Trading)
    free, held = play(columns, Jumper, Moves.FREE, trading), play(columns, Jumper, moves, trading)
    most = TIERS[tier]
    assert rate_use(free.operations, most).over > 0
    use = rate_use(held.operations, most)
    assert (use.over, use.highest <= most.threshold) == (0, True)
    assert use.highest > most.threshold / 2
    assert any(isinstance(request, Cancelled) for request in held.operations)
