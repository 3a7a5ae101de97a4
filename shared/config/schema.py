"""The configuration's schema: all sections together, with defaults that trade in the sandbox only."""

from __future__ import annotations

from pathlib import Path

import msgspec

from shared.config.bus import Curve
from shared.config.kraken import Kraken
from shared.config.logging import Logging
from shared.config.monitor import Monitor
from shared.config.simulator import Simulator
from shared.config.strategies import Strategy
from shared.config.trading import Trading

NOT_FROM_THE_FILE = ("root", "source")
PROCESSES = ("simulator", "collector", "book", "executor", "monitor")
# Runs only where ``bus`` names an endpoint for it.
RELAY = "relay"


class Performance(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """``spin``: collector, book, strategy and executor stay awake after each message, each on a core of its own."""

    spin: bool = False


class Config(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The whole configuration; ``bus`` maps a process to its endpoint."""

    kraken: Kraken = msgspec.field(default_factory=Kraken)
    trading: Trading = msgspec.field(default_factory=Trading)
    strategies: dict[str, Strategy] = msgspec.field(default_factory=lambda: {"market_maker": Strategy()})
    bus: dict[str, str | Curve] = msgspec.field(default_factory=dict)
    simulator: Simulator = msgspec.field(default_factory=Simulator)
    monitor: Monitor = msgspec.field(default_factory=Monitor)
    logging: Logging = msgspec.field(default_factory=Logging)
    performance: Performance = msgspec.field(default_factory=Performance)
    # Not from the file: where relative paths count from, and the file itself (None: defaults).
    root: Path = msgspec.field(default_factory=Path.cwd)
    source: Path | None = None

    @property
    def run(self) -> Path:
        """Return the folder of locks, sockets and tokens."""
        return self.root / self.logging.run

    @property
    def data(self) -> Path:
        """Return the folder of what must survive: the journal, HALT, the simulator's database."""
        return self.root / self.logging.data

    @property
    def logs(self) -> Path:
        """Return the folder of log files."""
        return self.root / self.logging.logs

    @property
    def halt_file(self) -> Path:
        """Return the halt switch: while this file is there nothing is placed (T10)."""
        return self.data / "HALT"

    @property
    def flatten_file(self) -> Path:
        """Return the file that asks to close every position (T11); it exists until that is done."""
        return self.data / "FLATTEN"

    @property
    def accept_file(self) -> Path:
        """Return the file of assets whose balance a person accepts; it exists until the executor has done so."""
        return self.data / "ACCEPT"

    @property
    def curve(self) -> Curve | None:
        """Return the CURVE keys, or None without any."""
        curve = self.bus.get("curve")
        return curve if isinstance(curve, Curve) else None

    @property
    def process_names(self) -> list[str]:
        """Return every process that the configuration runs, in the order in which data flows."""
        simulator = ["simulator"] if self.kraken.sandbox else []
        relay = [RELAY] if self.relay is not None else []
        return [*simulator, "collector", "book", *self.strategy_processes, "executor", *relay, "monitor"]

    @property
    def relay(self) -> str | None:
        """Return the endpoint of the relay, which readers off the trading path hear, or None without one."""
        endpoint = self.bus.get(RELAY)
        return endpoint if isinstance(endpoint, str) else None

    @property
    def strategy_processes(self) -> list[str]:
        """Return ``strategy.<name>`` for every configured strategy."""
        return [f"strategy.{name}" for name in self.strategies]

    def strategy_pairs(self, name: str) -> list[str]:
        """Return the pairs a strategy trades: its own list, else all of them."""
        return self.strategies[name].pairs or self.trading.pairs
