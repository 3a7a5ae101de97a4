"""Alert rules of the configuration, one for each kind of trouble, and the webhooks that alerts are sent to."""

from __future__ import annotations

from typing import Any, Literal  # Any: a person's JSON template

import msgspec

AlertLevel = Literal["info", "warning", "critical"]
# The hops that the monitor measures (monitor/model/latency.py).
Hop = Literal[
    "exchange_to_collector",
    "collector_to_book",
    "book_to_strategy",
    "strategy_to_executor",
    "frame_to_order",
    "order_to_acknowledgement",
    "waiting_by_rule",
]


class Rule(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The rule by which a kind of trouble is reported.

    Trouble is reported once it has lasted ``lasts_s``, again every ``again_s`` while it lasts (0: never again), and as
    over when it has been gone for ``over_s``. ``level`` ``none`` reports nothing.
    """

    level: Literal["none", "info", "warning", "critical"] = "warning"
    lasts_s: float = 0
    again_s: float = 3600
    over_s: float = 5


class Stale(Rule, frozen=True, kw_only=True):
    """A quiet pair is healthy, so this is reported once."""

    again_s: float = 0


class BookInvalid(Rule, frozen=True, kw_only=True):
    """A resync takes a second, a start some more."""

    lasts_s: float = 10


class Halted(Rule, frozen=True, kw_only=True):
    """Somebody or something halted trading."""

    level: Literal["none", "info", "warning", "critical"] = "critical"
    over_s: float = 0


class Reconcile(Rule, frozen=True, kw_only=True):
    """Nothing is quoted meanwhile; most differences settle by themselves."""

    level: Literal["none", "info", "warning", "critical"] = "critical"
    lasts_s: float = 10


class Refused(Rule, frozen=True, kw_only=True):
    """Kraken refuses a quote that is wanted: for 20 s nothing has rested in its slot."""

    level: Literal["none", "info", "warning", "critical"] = "critical"


class Loss(Rule, frozen=True, kw_only=True):
    """``percent`` of ``trading.max_daily_loss`` is used up."""

    percent: float = 80
    over_s: float = 60


class RateLow(Rule, frozen=True, kw_only=True):
    """A counter is low for a moment after every burst."""

    lasts_s: float = 5
    over_s: float = 30


class ProcessDied(Rule, frozen=True, kw_only=True):
    """Reported at once, each time."""

    over_s: float = 0


class ProcessMemory(Rule, frozen=True, kw_only=True):
    """A collection of garbage may mend it."""

    lasts_s: float = 30
    over_s: float = 30


class MachineCpu(Rule, frozen=True, kw_only=True):
    """A CPU is busy now and then."""

    lasts_s: float = 30
    over_s: float = 30


class Latency(Rule, frozen=True, kw_only=True):
    """The ``percentile`` of a hop over the last minute is above its bound in ``above_ms``."""

    lasts_s: float = 30
    over_s: float = 60
    percentile: float = 99
    above_ms: dict[Hop, float] = msgspec.field(
        default_factory=lambda: {
            "exchange_to_collector": 1000.0,
            "collector_to_book": 250.0,
            "book_to_strategy": 250.0,
            "order_to_acknowledgement": 2000.0,
        }
    )


class Alerts(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A rule for each kind of trouble that lasts; further thresholds are the monitor's own keys."""

    stale: Stale = msgspec.field(default_factory=Stale)
    book_invalid: BookInvalid = msgspec.field(default_factory=BookInvalid)
    halted: Halted = msgspec.field(default_factory=Halted)
    reconcile: Reconcile = msgspec.field(default_factory=Reconcile)
    refused: Refused = msgspec.field(default_factory=Refused)
    loss: Loss = msgspec.field(default_factory=Loss)
    rate_low: RateLow = msgspec.field(default_factory=RateLow)
    process: ProcessDied = msgspec.field(default_factory=ProcessDied)
    process_memory: ProcessMemory = msgspec.field(default_factory=ProcessMemory)
    machine_cpu: MachineCpu = msgspec.field(default_factory=MachineCpu)
    machine_memory: Rule = msgspec.field(default_factory=Rule)
    machine_disk: Rule = msgspec.field(default_factory=Rule)
    latency: Latency = msgspec.field(default_factory=Latency)
    webhook: Rule = msgspec.field(default_factory=Rule)

    def rule(self, name: str) -> Rule:
        """Return the rule of this name; a KeyError without one."""
        if name not in self.__struct_fields__:
            raise KeyError(name)
        rule: Rule = getattr(self, name)
        return rule


# The names that a template may have in braces.
PLACEHOLDERS = ("level", "kind", "text", "process", "time", "host")


class Webhook(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """An address to send alerts of ``level`` and above to, and their ends, as JSON made from ``template``."""

    url: str
    level: AlertLevel = "warning"
    template: dict[str, Any] = msgspec.field(default_factory=lambda: {name: f"{{{name}}}" for name in PLACEHOLDERS})

    def __repr__(self) -> str:
        return f"Webhook(url=***, level={self.level!r})"
