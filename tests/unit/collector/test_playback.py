"""A replay waits for a reader that is slow, not for one that has stopped, and writes over nobody's configuration."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
import zmq

from collector.recording import playback
from collector.recording.files import Row
from collector.recording.playback import Playback, config_text, moment, own_bus, speed_of
from shared import bus, config, limits

ROWS = limits.BUS_QUEUE_MESSAGES * 3
Ends = tuple[Playback, list[str], zmq.Socket[bytes]]


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[Ends]:
    """A playback, what it warned of, and a reader that takes little at a time."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    where = f"ipc://{tmp_path}/bus"
    publisher = bus.Publisher(context, where, "collector", 1, None)
    warned: list[str] = []
    playing = Playback(publisher, warned.append)
    reader = context.socket(zmq.SUB)
    reader.setsockopt(zmq.RCVHWM, 10)
    reader.setsockopt(zmq.SUBSCRIBE, b"")
    reader.connect(where)
    playing.wait_for_reader(10)
    yield playing, warned, reader
    reader.close(linger=0)
    publisher.socket.close(linger=0)
    context.term()


def rows(count: int) -> Iterator[Row]:
    return (Row("one", n, n, "log.test", b"%d" % n) for n in range(count))


def test_flat_out_it_waits_for_a_slow_reader_so_that_nothing_is_lost(ends: Ends) -> None:
    playing, warned, reader = ends
    thread = threading.Thread(target=playing.play, args=(rows(ROWS), None))
    thread.start()
    heard = [reader.recv_multipart() for _ in range(ROWS)]
    thread.join(30)
    assert heard == [[b"log.test\0", b"%d" % n] for n in range(ROWS)]
    assert (playing.sent, warned) == (ROWS, [])


def test_a_reader_that_has_stopped_holds_nothing_up_and_is_told_of(ends: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    playing, warned, _ = ends
    monkeypatch.setattr(limits, "REPLAY_READER_S", 0.2)
    # Much more than the operating system's own buffers take.
    playing.play((Row("one", n, n, "log.test", bytes(100)) for n in range(ROWS)), None)
    assert playing.sent == ROWS
    assert playing.stalled
    assert len(warned) == 1


def test_a_replay_ends_when_it_is_told_to(ends: Ends) -> None:
    playing, _, _ = ends
    threading.Timer(0.2, setattr, (playing, "stopping", True)).start()
    playing.play((Row("one", n * 10**12, n, "log.test", b"") for n in range(5)), 1.0)
    assert playing.sent == 1


def test_the_recordings_own_configuration_has_no_key_and_reaches_no_exchange(tmp_path: Path) -> None:
    live = config.load(Path(__file__).resolve().parents[3] / "config/config.yaml", environ={})
    secret = msgspec.structs.replace(live.kraken, api_secret="c2VjcmV0LW9mLW1pbmU=")
    live.kraken = secret
    made = own_bus(live, tmp_path)
    assert secret.api_secret not in config_text(live)
    assert made.kraken.sandbox
    assert made.kraken.rest_url == f"http://127.0.0.1:{playback.NO_PORT}"
    assert made.trading == live.trading
    assert list(made.strategies) == list(live.strategies)
    assert made.monitor.port != live.monitor.port
    assert not set(bus.addresses(made)) & set(bus.addresses(live))
    own_bus(live, tmp_path)  # its own may be written again


@pytest.mark.parametrize("text", ["0", "-1", "fast", "inf", "nan"])
def test_a_speed_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="neither 'max' nor a number above 0"):
        speed_of(text)


def test_a_time_is_read_as_it_is_printed() -> None:
    assert moment("2026-01-31T12:00:00.5Z") == 1_769_860_800_500_000_000
    with pytest.raises(argparse.ArgumentTypeError, match="no time such as"):
        moment("yesterday")
