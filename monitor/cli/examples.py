"""Help of each command: a few words for the list, and lines that can be typed below its own help."""

from __future__ import annotations

from typing import Final

EXAMPLES: Final[dict[str, tuple[str, ...]]] = {
    "status": ("tradebyte status", "tradebyte status --json"),
    "tail": ("tradebyte tail fill", "tradebyte tail book.BTC/USD --count 5", "tradebyte tail --json alert log"),
    "orders": ("tradebyte orders", "tradebyte orders --symbol BTC/USD --json"),
    "fills": ("tradebyte fills --count 20", "tradebyte fills --symbol ETH/USD --since 2026-01-31T00:00:00Z --json"),
    "why": ("tradebyte why OQCLML-BW3P3-BUCMWZ", "tradebyte why TTP0MA4001A0000003 --all"),
    "position": ("tradebyte position", "tradebyte position --json"),
    "pnl": ("tradebyte pnl", "tradebyte pnl --json", "tradebyte pnl --csv --from 2026-01-01 --to 2027-01-01"),
    "latency": ("tradebyte latency", "tradebyte latency --seconds 10 --json"),
    "halt": ("tradebyte halt", "tradebyte halt --json"),
    "pause": ("tradebyte pause ETH/USD", "tradebyte pause market_maker --reason 'new settings'"),
    "resume": ("tradebyte resume", "tradebyte resume ETH/USD"),
    "flatten": ("tradebyte flatten", "tradebyte flatten --json"),
    "accept": ("tradebyte accept BTC", "tradebyte accept --json"),
    "restart": ("tradebyte restart strategy", "tradebyte restart executor --keep", "tradebyte restart all"),
    "verify": ("tradebyte verify frames.jsonl", "tradebyte verify *.jsonl --json"),
    "record": ("tradebyte record", "tradebyte record feed.book feed.trade --seconds 600 --max-mb 200"),
    "replay": (
        "tradebyte replay",
        "tradebyte replay --speed 20 --topics feed.book --from 2026-01-31T12:00:00Z",
        "tradebyte replay data/recordings --speed max --json",
    ),
    "extract": ("tradebyte extract data/recordings --out data/columns",),
    "backtest": (
        "tradebyte backtest data/recordings",
        "tradebyte backtest data/columns --strategy market_maker --out run/report --json",
        "tradebyte backtest --market synthetic --hours 1 --seed 7",
    ),
    "screen": ("tradebyte screen data/columns", "tradebyte screen data/columns --every-ms 100 --json"),
    "calibrate": ("tradebyte calibrate data/columns",),
    "sweep": ("tradebyte sweep study.yaml",),
    "reconcile": ("tradebyte reconcile --recording data/recordings",),
    "journal": ("tradebyte journal export", "tradebyte journal export --out ~/2026 --json"),
    "config": ("tradebyte config show", "tradebyte config show --json"),
    "doctor": ("tradebyte doctor", "tradebyte doctor --live-check", "tradebyte doctor --go-live"),
    "alert-test": ("tradebyte alert-test", "tradebyte alert-test --json"),
    "top": ("tradebyte top",),
    "web": ("tradebyte web",),
    "desktop": ("tradebyte desktop",),
}
# The first commands that one types.
FIRST: Final = ("tradebyte status", "tradebyte top", "tradebyte halt", "tradebyte restart strategy")
SHORT: Final[dict[str, str]] = {
    "status": "Processes, books, open orders, positions, rates.",
    "tail": "Messages on the bus as they come.",
    "orders": "Own orders: live, and ended in the last minute.",
    "fills": "All fills from the journal.",
    "why": "What happened to an order, and why.",
    "position": "Positions, balances, profit and fees.",
    "pnl": "Profit and where it comes from; --csv: a statement.",
    "latency": "How long each hop takes.",
    "halt": "Pull every order, place nothing more.",
    "pause": "Pull one pair's or strategy's quotes, until resume.",
    "resume": "End a halt, or one pause.",
    "flatten": "Pull every order, close every position, halt.",
    "accept": "Take a held asset's balance as wanted.",
    "restart": "Stop and start a process.",
    "verify": "Check every checksum in captured book frames.",
    "record": "The bus and the raw frames into files.",
    "replay": "A recording onto a bus of its own.",
    "extract": "Recordings and captures into columns.",
    "backtest": "What a strategy earns, by the live code.",
    "screen": "The same fast, by a simpler executor.",
    "calibrate": "How often quotes at a distance are reached.",
    "sweep": "Search settings, by screen and backtest.",
    "reconcile": "The live run beside its backtest.",
    "doctor": "What could keep it from trading, and the mend.",
    "alert-test": "A test alert to everything that carries alerts.",
    "top": "Everything in this terminal, until q.",
    "web": "Everything in a browser, until Ctrl-C.",
    "desktop": "Everything in a window (needs PyQt6).",
    "journal": "Fills, orders and ledger entries as CSV.",
    "config": "The configuration in force.",
}


def epilog(command: str) -> str | None:
    """Return the examples of a command as the end of its help; None for one that has none."""
    lines = FIRST if command == "tradebyte" else EXAMPLES.get(command)
    # \b keeps the lines as they are.
    return "\n".join(("\b", "Examples:", *(f"  {line}" for line in lines))) if lines else None
