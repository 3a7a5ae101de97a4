"""Faults that are set by seed or by HTTP, and the record of what they have struck. No socket, no clock.

A rule *strikes* what passes it: each time with its share of chance (drawn from a seed), at most ``count`` times, for
``seconds``. An instant fault happens at once and is not kept; ``simulator/faults/instant.py`` carries those out.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from collections.abc import Mapping
from random import Random
from typing import Literal

import msgspec

from simulator.errors import FaultError
from simulator.faults.oddities import MEMBERS, NUMBERS
from simulator.wire import NS

RULES = (
    # of a connection
    "drop", "stall", "text", "garbage", "lag_public", "corrupt_checksum",
    # of private reports
    "delay_reports", "drop_reports", "repeat_reports", "reorder_reports", "skip_sequence", "merge_reports",
    "split_trades",
    # of private snapshots
    "snapshot_behind", "snapshot_late",
    # of every message
    "odd_numbers", "odd_members",
    # of requests, over WebSocket and REST
    "refuse", "answer_late", "answer_never",
    # of REST alone
    "rest_behind", "rest_broken", "rest_truncated", "rest_slow", "rest_cut", "consolidate",
)  # fmt: skip
INSTANT_KINDS = (
    "expire_tokens",
    "status",
    "maintenance",
    "pair",
    "partial_fill",
    "clock",
    "ledger",
    "engine_cancel",
    "restate",
    "auto_earn",
)
RULES_MAX = 100
INJECTED_MAX = 1000
# The values that a rule may have, where only some make sense.
_VALUES = {
    "odd_numbers": NUMBERS,
    "odd_members": MEMBERS,
    "maintenance": ("", "phased"),
    "drop": ("", "1001", "1006", "1011", "1012", "1013"),
    "rest_broken": ("", "500", "502", "503", "504", "520", "522"),
}
MS_MAX = 3_600_000.0
PROXY_TEXT = "CloudFlare WebSocket proxy restarting"
_log = logging.getLogger("simulator")


class Fault(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A fault as requested, a rule or an instant one. Which members matter depends on ``kind`` (docs/simulator.md).

    Filters, empty for all: ``path`` (public, private, v1, rest), ``method`` (a request's), ``channel``, ``account``
    (its name), ``symbol``. ``ms`` is a delay or an offset in milliseconds, ``text`` what is said, ``value`` a state.
    """

    kind: str
    share: float = 1.0
    count: int | None = None
    seconds: float | None = None
    path: Literal["", "public", "private", "v1", "rest"] = ""
    method: str = ""
    channel: str = ""
    account: str = ""
    symbol: str = ""
    ms: float = 0.0
    text: str = ""
    value: str = ""
    after: bool = False
    price_precision: int | None = None
    qty_min: str = ""
    cost_min: str = ""
    asset: str = ""
    amount: str = ""
    fee: str = ""
    subtype: str = ""
    wallet: str = ""
    id: int = 0
    ends_ns: int = 0
    struck: int = 0


class Faults:
    """The rules that are set, the chance that decides, and what was injected.

    ``injected`` holds the last thousand injections as (ns, kind, rule's id, where); ``counts`` all of them by kind.
    """

    def __init__(self, seed: int) -> None:
        self.rules: list[Fault] = []
        self.injected: deque[tuple[int, str, int, str]] = deque(maxlen=INJECTED_MAX)
        self.counts: Counter[str] = Counter()
        self.rng = Random(f"faults {seed}")
        self._ids = 0

    def read(self, fields: object, now: int) -> Fault:
        """Return a fault from its JSON members; raises FaultError that says what is wrong with it."""
        try:
            fault = msgspec.convert(fields, Fault)
        except msgspec.ValidationError as error:
            raise FaultError(str(error)) from error
        if fault.kind not in RULES and fault.kind not in INSTANT_KINDS:
            raise FaultError(f"no such kind: {fault.kind}; there are {', '.join(RULES + INSTANT_KINDS)}")
        if not 0 <= fault.share <= 1 or abs(fault.ms) > MS_MAX:
            raise FaultError("share is from 0 to 1, ms at most an hour")
        if fault.kind in _VALUES and fault.value not in _VALUES[fault.kind]:
            raise FaultError(f"value is one of {', '.join(_VALUES[fault.kind])}")
        if len(fault.text) > 1000:
            raise FaultError("text is too long")
        self._ids += 1
        fault.id, fault.struck = self._ids, 0
        fault.ends_ns = 0 if fault.seconds is None else now + int(fault.seconds * NS)
        return fault

    def set(self, fault: Fault) -> None:
        """Add a rule; raises FaultError when there are too many."""
        if len(self.rules) >= RULES_MAX:
            raise FaultError(f"at most {RULES_MAX} rules")
        self.rules.append(fault)

    def clear(self, number: int | None = None) -> int:
        """Take away one rule or all; return how many."""
        gone = [rule for rule in self.rules if number in (None, rule.id)]
        self.rules = [rule for rule in self.rules if rule not in gone]
        return len(gone)

    def forget_spent(self, now: int) -> None:
        """Drop the rules that can strike no more."""
        self.rules = [
            rule
            for rule in self.rules
            if not (rule.ends_ns and now >= rule.ends_ns) and (rule.count is None or rule.struck < rule.count)
        ]

    def shift(self, by: int) -> None:
        """Keep the rules' ends at their distance when the exchange's clock is moved by so many ns."""
        for rule in self.rules:
            rule.ends_ns += by if rule.ends_ns else 0

    def strike(self, kind: str, now: int, where: str = "", **about: str) -> Fault | None:
        """Return the rule of a kind that strikes what ``about`` describes, counted and logged; None when none does."""
        for rule in self.rules:
            if rule.kind == kind and self._holds(rule, now, about) and self._draw(rule):
                rule.struck += 1
                self.note(kind, rule.id, now, where)
                return rule
        return None

    def level(self, kind: str, now: int, **about: str) -> int:
        """Return the ns of a lasting condition (``lag_public``, ``rest_behind``), 0 without; noted once a rule."""
        for rule in self.rules:
            if rule.kind == kind and self._holds(rule, now, about):
                if not rule.struck:
                    self.note(kind, rule.id, now, "begins")
                rule.struck += 1
                return int(rule.ms * 1e6)
        return 0

    def note(self, kind: str, number: int, now: int, where: str) -> None:
        """Record an injection."""
        self.counts[kind] += 1
        self.injected.append((now, kind, number, where))
        _log.info("injected %s (%d) %s", kind, number, where)

    def summary(self) -> dict[str, object]:
        """Return what is set and what was injected, for people and tests."""
        return {
            "set": [msgspec.to_builtins(rule) for rule in self.rules],
            "counts": dict(self.counts),
            "injected": [{"ns": ns, "kind": kind, "id": number, "where": where} for ns, kind, number, where in
                         self.injected],
        }  # fmt: skip

    def _holds(self, rule: Fault, now: int, about: Mapping[str, str]) -> bool:
        if (rule.ends_ns and now >= rule.ends_ns) or (rule.count is not None and rule.struck >= rule.count):
            return False
        return all(
            not wanted or wanted == about.get(name, "")
            for name, wanted in (
                ("path", rule.path),
                ("method", rule.method),
                ("channel", rule.channel),
                ("account", rule.account),
                ("symbol", rule.symbol),
            )
        )

    def _draw(self, rule: Fault) -> bool:
        return rule.share >= 1 or self.rng.random() < rule.share

    def garbage(self) -> str:
        """Return some text that is no JSON."""
        return "".join(self.rng.choice('{}[]":,\\x\u00e4\u0007 0') for _ in range(self.rng.randint(1, 60)))
