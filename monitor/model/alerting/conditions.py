"""Conditions that hold now, by the state of the bus and the configuration's thresholds. The names are stable."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Final

from monitor.model import status_details
from monitor.model.alerting.alerts import Condition
from monitor.model.alerting.shortages import shortages
from monitor.model.last_minute import LastMinute
from monitor.model.latency import HOPS
from monitor.model.status_object import MachineFigures
from monitor.model.view import View
from shared import limits
from shared.clock import SECOND
from shared.config import Config
from shared.kraken.errors import explained
from shared.messages import BookState

# With fewer samples a high percentile is one sample.
SAMPLES_MIN: Final = 50
Named = Iterator[tuple[str, Condition]]


def conditions(
    view: View, config: Config, figures: MachineFigures | None, minute: LastMinute, now: int, wall: int
) -> dict[str, Condition]:
    """Return everything that is wrong; ``figures`` are the machine's, None until they are known."""
    return {
        **dict(_books(view, config, wall)),
        **dict(_account(view, config)),
        **dict(_rates(view, config)),
        **dict(_memory(view, config, now)),
        **dict(_machine(config, figures)),
        **dict(_latency(config, minute)),
    }


def _books(view: View, config: Config, wall: int) -> Named:
    for symbol in status_details.stale(view, config, wall):
        text = f"{symbol} is stale: no update for 60 s; quiet pairs are healthy, see 'tradebyte status'"
        yield f"stale {symbol}", Condition("stale", text, f"{symbol} has updates again")
    for symbol in config.trading.pairs:
        state, why = view.book_state(symbol, wall)
        if state is not BookState.LIVE:
            reason = f" ({why})" if why else ""
            text = f"the book of {symbol} is {state}{reason}: nothing is quoted on it; it mends itself when data comes"
            yield f"book {symbol}", Condition("book_invalid", text, f"the book of {symbol} is live again")


def _account(view: View, config: Config) -> Named:
    account = view.account
    if account is None:
        return
    if not account.valid and account.why:
        text = f"not reconciled with Kraken: {account.why}; nothing is quoted until it is, see 'tradebyte status'"
        yield "reconcile", Condition("reconcile", text, "reconciled with Kraken again")
    for slot in account.empty_slots:
        if slot.refused:
            what = f"{slot.strategy} {slot.symbol} {slot.slot}"
            text = f"Kraken refuses {what}: {explained([slot.error or slot.why])}; nothing rests there for 20 s"
            yield f"refused {what}", Condition("refused", text, f"{what} rests again, or is not wanted any more")
    limit = config.trading.max_daily_loss
    lost, percent = _decimal(account.day_loss), config.monitor.alerts.loss.percent
    if lost * 100 >= limit * Decimal(str(percent)):
        currency = config.trading.currency
        share = lost * 100 / limit
        text = (
            f"{lost:f} {currency} were lost since midnight UTC, {share:.0f} % of max_daily_loss {limit:f}; at the "
            "limit everything is pulled and halted"
        )
        yield "loss", Condition("loss", text, f"the day's loss is below {percent:g} % of max_daily_loss again")


def _rates(view: View, config: Config) -> Named:
    for symbol, rate in status_details.rates(view).pairs.items():
        if rate.threshold and rate.left * 100 < config.monitor.rate_free_percent * rate.threshold:
            text = (
                f"{symbol}: {rate.left:g} of {rate.threshold:g} points are left of the order rate; adds and "
                "amends wait, cancels do not; fewer levels or a larger tolerance_bps cost less"
            )
            yield f"rate {symbol}", Condition("rate_low", text, f"{symbol}: the order rate has room again")


def _memory(view: View, config: Config, now: int) -> Named:
    most, limit = config.monitor.memory_threshold_mb, config.monitor.memory_limit_mb
    for name, heard in view.heartbeats.items():
        if heard.beat.rss_mb > most and now - heard.at <= limits.HEARTBEAT_DEAD_S * SECOND:
            text = (
                f"{name} holds {heard.beat.rss_mb:.0f} MB, above {most:g} MB; at {limit:g} MB it restarts in order; "
                f"'tradebyte restart {name}' does so now"
            )
            yield f"memory {name}", Condition("process_memory", text, f"{name} is within its memory again")


def _machine(config: Config, figures: MachineFigures | None) -> Named:
    for name, shortage in shortages(figures, config.monitor).items() if figures else ():
        label = name.upper() if name == "cpu" else name
        yield name, Condition(f"machine_{name}", str(shortage), f"the machine's {label} is within its threshold again")


def _latency(config: Config, minute: LastMinute) -> Named:
    rule = config.monitor.alerts.latency
    for hop, most_ms in rule.above_ms.items():
        recent = minute.recent(hop)
        if recent.count < SAMPLES_MIN:
            continue
        ms = recent.percentile_ns(rule.percentile) / 1e6
        if ms > most_ms:
            label = hop.replace("_", " ")
            text = (
                f"{label} takes {ms:.0f} ms at the {rule.percentile:g}th percentile of the last minute, above "
                f"{most_ms:g} ms ({HOPS[hop]}); see 'tradebyte latency' and what else the machine does"
            )
            yield f"latency {hop}", Condition("latency", text, f"{label}: within {most_ms:g} ms again")


def _decimal(text: str) -> Decimal:
    """Return decimal text as a number; 0 for text of a stranger on the bus that is none."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return Decimal(0)
    return amount if amount.is_finite() else Decimal(0)
