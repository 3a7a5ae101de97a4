"""One strategy: books, trades and its position in, targets out."""

from __future__ import annotations

from shared.bus import Received
from shared.clock import boot_ns, clock_id
from shared.config import Config
from shared.errors import ConfigError
from shared.messages import ProcessState
from shared.process.command_line import EXIT_CONFIG, load_config, parser, refuse
from shared.process.loop import Process
from strategy.host import TURN_MS, Host
from strategy.loading import load_strategy

WANTED = ["book", "book.status", "feed.instrument", "feed.status", "feed.trade", "position", "order", "account"]


def main() -> None:
    """Run until asked to stop."""
    options = parser("strategy", __doc__ or "")
    options.add_argument("--name", help="which of the configured strategies (default: the first)")
    options.add_argument("--check", action="store_true", help="check every strategy's class and settings, and end")
    arguments = options.parse_args()
    configuration = load_config("strategy", arguments.config)
    if arguments.check:
        _check(configuration)
        return
    name = arguments.name or next(iter(configuration.strategies))
    if name not in configuration.strategies:
        names = ", ".join(configuration.strategies)
        refuse(EXIT_CONFIG, "strategy", f"no strategy {name!r} in the configuration; there is: {names}")
    try:
        host = Host(configuration, name, clock_id())
    except ConfigError as error:
        refuse(EXIT_CONFIG, "strategy", str(error))
    process = Process(f"strategy.{name}", configuration, WANTED)

    def on_messages(received: list[Received]) -> None:
        for item in received:
            host.message(item.message, boot_ns())
        process.dispatch(host.take())

    def on_turn(now: int) -> None:
        host.turn(now)
        process.dispatch(host.take())
        trouble = host.trouble
        process.state(ProcessState.DEGRADED if trouble else ProcessState.READY, trouble)
        process.details["quotes"] = host.quoting

    process.run_polled(on_messages, on_turn, turn_ms=TURN_MS)


def _check(configuration: Config) -> None:
    """Exit 78 with the reason if any strategy's class or settings cannot be used."""
    try:
        for name in configuration.strategies:
            load_strategy(configuration, name)
    except ConfigError as error:
        refuse(EXIT_CONFIG, "strategy", str(error))


if __name__ == "__main__":
    main()
