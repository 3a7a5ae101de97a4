"""The command line of ``python -m simulator``, and the clock, recording and TLS that it chooses."""

from __future__ import annotations

import argparse
import ssl
from dataclasses import dataclass
from pathlib import Path

from shared.process import command_line
from simulator import certificate
from simulator.errors import CertificateError, OptionError, RecordingError
from simulator.market import replay
from simulator.market.calibration import calibrate
from simulator.market.replay import Moment
from simulator.websocket import Clock, VirtualClock
from simulator.wire import parse_time

# As many as four figures of a name tell apart.
PAIRS_MAX = 9_999


@dataclass(frozen=True, slots=True)
class Chosen:
    """The clock, the recording instead of a synthetic market, and TLS; None where the command line names none."""

    clock: Clock
    recording: dict[str, list[Moment]] | None
    tls: ssl.SSLContext | None


def parse() -> argparse.Namespace:
    """Return the arguments as given."""
    parser = command_line.parser("simulator", "A Kraken that runs on this machine.")
    parser.add_argument(
        "command",
        nargs="?",
        choices=["run", "calibrate", "replay", "style", "pairs"],
        default="run",
        help="run (the default), print how the synthetic market compares with captures, run on a recording, print"
        " the style of crowd that a recording shows, or print made-up pairs in the form of AssetPairs",
    )
    parser.add_argument(
        "file",
        nargs="?",
        help="of replay: captured or recorded frames, one a line; of style: such a file, or what 'tradebyte record'"
        " wrote; of pairs: how many",
    )
    parser.add_argument("--seed", type=int, help="overrides simulator.seed of the configuration")
    parser.add_argument("--seconds", type=float, default=7200.0, help="of calibrate: virtual seconds a market")
    parser.add_argument("--seeds", type=int, default=1, help="of calibrate: how many, counted from --seed")
    parser.add_argument(
        "--captures", type=Path, metavar="FOLDER", help="of calibrate: with data/ and frames/, to measure for the page"
    )
    parser.add_argument("--page", type=Path, metavar="FILE", help="of calibrate: writes the table there as well")
    parser.add_argument("--clock", choices=["real", "virtual"], default="real", help="virtual: time passes by request")
    parser.add_argument("--start", default="2026-01-01T00:00:00Z", help="when virtual time begins (RFC 3339)")
    parser.add_argument("--tls", metavar="FOLDER", help="speak https and wss, with the certificate made or found there")
    return parser.parse_args()


def choose(given: argparse.Namespace) -> Chosen:
    """Read the arguments; raises OptionError that says which one is wrong."""
    try:
        clock = VirtualClock(parse_time(given.start)) if given.clock == "virtual" else Clock()
    except ValueError as error:
        raise OptionError(f"--start {given.start} is no RFC 3339 time") from error
    recording = None
    if given.command == "replay":
        try:
            recording = replay.load(Path(given.file or "").read_bytes())
        except (OSError, RecordingError) as error:
            raise OptionError(f"replay {given.file}: {error}") from error
    elif given.command == "calibrate" and given.seconds < calibrate.SECONDS_MIN:
        least = f"at least {calibrate.SECONDS_MIN:g}, or there is nothing to count"
        raise OptionError(f"--seconds {given.seconds:g}: {least}")
    elif given.command == "calibrate" and given.seeds < 1:
        raise OptionError(f"--seeds {given.seeds}: at least 1")
    elif given.command == "pairs":
        if not (given.file or "").isdecimal() or not 0 < int(given.file) <= PAIRS_MAX:
            raise OptionError(f"pairs {given.file or ''}: how many, from 1 to {PAIRS_MAX}")
    elif given.command == "style":
        if not given.file:
            raise OptionError("style: which recording?")
    elif given.file:
        raise OptionError(f"{given.file}: only replay, style and pairs take more")
    try:
        tls = certificate.context(Path(given.tls)) if given.tls else None
    except CertificateError as error:
        raise OptionError(f"--tls {given.tls}: {error}") from error
    return Chosen(clock, recording, tls)
