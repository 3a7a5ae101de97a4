"""The session with the exchange: connection, token, readiness, its clock, the dead man's switch, the REST counter.

Written by the private stream and the executor's pass; gates and quoting read it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from executor.exchange.maintenance import Maintenance
from executor.exchange.switch import Switch
from shared import limits
from shared.clock import SECOND
from shared.kraken.counters import Counter
from shared.kraken.exchange_time import ExchangeTime


@dataclass(slots=True)
class Session:
    """One connection after another; times are ns of CLOCK_BOOTTIME. ``rest`` is the key's REST counter."""

    rest: Counter
    switch: Switch = field(default_factory=Switch)
    clock: ExchangeTime = field(default_factory=ExchangeTime)
    maintenance: Maintenance = field(default_factory=Maintenance)
    token: str = ""
    connected: bool = False
    heard: int = 0
    system: str = "unknown"  # the matching engine's mode, by the newest status
    executions_ready: bool = False
    balances_ready: bool = False
    balances_ts: int = 0  # the exchange's time of the newest message of balances: later ones may have been lost
    # Since when fills and balances have disagreed; 0 while they agree. Between a fill and its ledger entries they
    # disagree for moments.
    different_since: int = 0
    was_reconciled: bool = False
    newer_writer: str = ""  # who else trades the account; then nothing is placed any more

    def open(self, token: str, now: int) -> None:
        """Begin a connection with a fresh token: the account's state is not known on it yet."""
        self.token, self.connected, self.heard = token, True, now
        self.was_reconciled = False
        self.doubt()

    def close(self) -> None:
        """End the connection; the confirmed trigger time of the switch stands."""
        self.connected = False
        self.doubt()
        self.switch.lost()

    def hear(self, now: int) -> None:
        """Note that a frame came."""
        self.heard = now

    def set_system(self, system: str) -> None:
        """Note the mode of the matching engine."""
        self.system = system

    def doubt(self) -> None:
        """Trust neither orders nor balances until new snapshots come."""
        self.executions_ready = self.balances_ready = False

    def doubt_executions(self) -> None:
        """Trust no orders until a new snapshot comes."""
        self.executions_ready = False

    def doubt_balances(self) -> None:
        """Trust no balances until a new snapshot comes."""
        self.balances_ready = False

    def trust_executions(self) -> None:
        """Note that a snapshot of the orders was read."""
        self.executions_ready = True

    def hear_balances(self, exchange_ts: int) -> None:
        """Note that balances were heard, with no message missing before."""
        self.balances_ts = exchange_ts

    def trust_balances(self) -> None:
        """Note that a snapshot of the balances was read."""
        self.balances_ready = True

    def compare(self, difference: str, now: int) -> None:
        """Note whether the fills explain the balances; ``difference`` is empty when they do."""
        if difference:
            self.different_since = self.different_since or now
        else:
            self.different_since = 0
            self.was_reconciled = True

    def give_way(self, newer_writer: str) -> None:
        """Give way to a newer executor: nothing is placed from now on."""
        self.newer_writer = newer_writer

    @property
    def is_ready(self) -> bool:
        """True once both snapshots were read."""
        return self.executions_ready and self.balances_ready

    def is_silent(self, now: int) -> bool:
        """True if the private stream has been silent for longer than heartbeats are apart."""
        return now - self.heard > limits.WS_SILENT_S * SECOND

    def is_view_valid(self, now: int) -> bool:
        """True if orders, positions and account may be relied on: reconciled on this connection, and not in doubt."""
        if not (self.connected and self.is_ready and self.was_reconciled):
            return False
        return not self.different_since or now - self.different_since < limits.RECONCILE_DIFFERENCE_S * SECOND
