"""Bad input, one named test each: it is counted, named and survived, and what is good goes on.

Numbers 20 (port in use), 21 (second copy) and 25 (file descriptors) need real processes: tests/integration.
"""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgpack
import pytest
import zmq

from executor.effects import RestCall
from executor.errors import JournalError
from executor.record.journal import Journal
from executor.record.rows import MetaRow
from shared import config
from shared.bus import Publisher, Subscriber
from shared.clock import SECOND
from shared.errors import ConfigError, RestError, RestRefused
from shared.kraken.rest import parse_answer
from shared.messages import BookState, Control, FeedFrame, OrderState
from tests.kit.books_world import BooksWorld as Books, frame, snapshot, update
from tests.kit.executor_world import World as Executor, buy, params_of
from tests.kit.feed_world import FeedWorld as Feed

GOOD = b'{"channel":"book","type":"update","data":[{"symbol":"BTC/USD","bids":[],"asks":[]}]}'


def survives(*raw: bytes) -> Feed:
    """The feed takes these frames, counts each as a problem, and then hands a good one on."""
    world = Feed()
    world.subscribed()
    for each in raw:
        world.frame(each)
    assert world.published(FeedFrame) == []
    assert world.problem_count == len(raw)
    world.frame(GOOD)
    assert len(world.published(FeedFrame)) == 1
    return world


def live_books() -> Books:
    world = Books()
    world.instruments()
    world.feed_status()
    world.frame(snapshot())
    assert world.published[-1].state is BookState.LIVE
    return world


def state_after(world: Books, raw: bytes) -> BookState:
    world.frame(raw)
    return world.published[-1].state


def test_bad_input_01_truncated_frame() -> None:
    survives(GOOD[:40], GOOD[:-1])
    assert state_after(live_books(), update()[:-5]) is BookState.RESYNCING


def test_bad_input_02_oversized_frame() -> None:
    """The socket bounds a frame; one within the bound that is absurd all the same is only wrong."""
    from shared import limits

    survives(b'{"channel":"' + b"x" * 1_000_000 + b'"}', b"[" * 100_000, b'{"a":' * 100_000)
    for deep in (b"[" * 100_000, b'{"channel":"book","data":' * 50_000):
        assert state_after(live_books(), deep) is BookState.RESYNCING
    assert limits.WS_FRAME_BYTES <= 16 * 2**20


def test_bad_input_03_not_utf_8() -> None:
    survives(b'\xff\xfe{"channel":"book"}', b'{"channel":"\xc3\x28","data":[]}')


def test_bad_input_04_text_that_is_not_json() -> None:
    survives(b"CloudFlare WebSocket proxy restarting", b"")


def test_bad_input_05_json_of_the_wrong_shape() -> None:
    survives(b"7", b'{"channel":"book","data":{"symbol":1}}', b'{"channel":7}', b'[1,2,3,{"a":1}]')


def test_bad_input_06_unknown_channel() -> None:
    survives(b'{"channel":"tarot","type":"update","data":[]}', b'[1,{},"tarot-5","XBT/USD"]')


def test_bad_input_07_unknown_member() -> None:
    world = Feed()
    world.subscribed()
    world.frame(GOOD.replace(b'"type"', b'"mood":"good","type"'))
    assert len(world.published(FeedFrame)) == 1
    assert state_after(live_books(), update().replace(b'"symbol"', b'"mood":[{"a":1}],"symbol"')) is BookState.LIVE


def test_bad_input_08_exponents_and_integers_where_decimals_stand() -> None:
    world = live_books()
    world.frame(frame("update", bids=[("1.001E2", "2e0")], asks=[("102", "3")]))
    assert world.published[-1].bids[0] == (1001, 2 * 10**8)
    assert world.published[-1].asks[-1] == (1020, 3 * 10**8)


def test_bad_input_09_checksum_that_fails() -> None:
    world = live_books()
    assert state_after(world, frame("update", checksum=12345, bids=[("100.1", "2")])) is BookState.RESYNCING
    assert world.published[-1].bids == []
    world.turn()
    assert world.requests[-1] == {"BTC/USD": 1}


def test_bad_input_10_snapshot_shorter_than_the_depth() -> None:
    world = live_books()
    assert (len(world.published[-1].bids), len(world.published[-1].asks)) == (1, 1)


def test_bad_input_11_duplicate_and_out_of_order_messages(tmp_path: Path) -> None:
    """A repeat is no news; what comes after its successor is none either, and the hole before that was counted."""
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    where = f"ipc://{tmp_path}/bus/x"
    sender = Publisher(context, where, "monitor", 1, None)
    reader = Subscriber(context, [], ["control"])
    admitted = [
        reader.tracker.admit("control", Control(src="monitor", boot=1, seq=seq, halted=False))
        for seq in (1, 1, 3, 2, 4)
    ]
    assert admitted == [0, None, 1, None, 0]
    assert (reader.counters.repeats, reader.counters.gaps) == (2, 1)
    sender.socket.close()
    context.destroy(linger=0)
    world = Executor().ready()
    order = world.place(buy())[0]
    fill = {"exec_id": "T1", "symbol": "BTC/USD", "side": "buy", "last_qty": Decimal("0.0005")}
    for _ in range(2):
        world.report("trade", order, **fill, last_price=Decimal("83990.0"))
    assert order.filled == 50_000


def test_bad_input_12_update_before_its_snapshot() -> None:
    world = Books()
    world.instruments()
    world.feed_status()
    world.frame(update())
    assert all(book.state is not BookState.LIVE for book in world.published)
    world.frame(snapshot())
    assert world.published[-1].state is BookState.LIVE


def test_bad_input_13_another_symbols_frame() -> None:
    world = live_books()
    world.frame(update("ETH/USD"))
    assert all(book.bids[:1] != [(1001, 2 * 10**8)] for book in world.published if book.symbol == "BTC/USD")
    feed = Feed()
    feed.subscribed()
    feed.frame(GOOD.replace(b"BTC/USD", b"XRP/USD"))
    assert feed.published(FeedFrame) == []
    assert feed.feed.out.counts["not asked for"] == 1


def test_bad_input_14_acknowledgement_refused_missing_or_for_another_symbol() -> None:
    world = Feed()
    world.open()
    world.frame({"method": "subscribe", "success": False, "error": "Currency pair not supported", "symbol": "ETH/USD"})
    world.ack("book", "XRP/USD")
    world.gather()
    assert "Currency pair not supported" in world.problems[0]
    assert "not asked for" in world.problems[1]
    asked_again = world.turn(5.1)
    assert [r["params"]["symbol"] for r in asked_again if r["params"]["channel"] == "book"] == [["BTC/USD"]]


@pytest.mark.parametrize("body", [b"<html><h1>502 Bad Gateway</h1></html>", b""])
def test_bad_input_15_rest_answer_that_is_html_or_empty(body: bytes) -> None:
    with pytest.raises(RestError):
        parse_answer(body)


def test_bad_input_15_rest_error_with_status_200() -> None:
    with pytest.raises(RestRefused, match="EService:Unavailable"):
        parse_answer(b'{"error":["EService:Unavailable"]}')
    world = Executor().ready()
    results: tuple[Any, ...] = ({}, [], None, {"trades": {"T": {}}}, {"fees": {"XXBTZUSD": {"fee": "free"}}})
    for result in results:
        for method in ("TradesHistory", "Ledgers", "TradeVolume", "ClosedOrders"):
            tag = {"TradeVolume": "fees", "ClosedOrders": "order T"}.get(method, "page")
            world.executor.backfill.pages = [(method, "0", "1", 0)]
            world.executor.rest_answer(RestCall(tag, method, {}), result, world.now)
    world.turn()


def test_bad_input_16_report_for_an_order_we_do_not_know() -> None:
    world = Executor().ready()
    for kind in ("new", "canceled", "amended", "filled", "expired", "tarot"):
        world.push("executions", [{"order_id": "OUNKNOWN", "exec_type": kind}])
    world.push("executions", [{"order_id": "OX", "exec_id": "TX", "exec_type": "trade"}])
    world.turn()
    assert world.live() == []
    order = world.place(buy())[0]
    assert order.state is OrderState.OPEN


@pytest.mark.parametrize(
    "payload",
    [
        msgpack.packb({"halted": "perhaps", "seq": 1, "src": "x"}),
        msgpack.packb({"v": 99, "halted": True, "seq": 1, "src": "x"}),
        b"\x00garbage\xff",
        b"",
    ],
)
def test_bad_input_17_bus_message_of_a_wrong_type_version_or_garbage(tmp_path: Path, payload: bytes) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    where = f"ipc://{tmp_path}/bus/x"
    sender = Publisher(context, where, "monitor", 2, None)
    reports: list[str] = []
    reader = Subscriber(context, [], ["control"], on_bad=lambda what, _why, _raw: reports.append(what))
    assert reader.decode([b"control\0", payload]) is None
    assert reader.counters.undecodable == 1
    assert reports == ["control"]
    newer = Control(src="monitor", boot=2, seq=1, halted=False)
    superseded = Control(src="monitor", boot=1, seq=9, halted=True)
    assert reader.tracker.admit("control", newer) == 0
    assert reader.tracker.admit("control", superseded) is None
    assert reader.counters.superseded == 1
    sender.socket.close()
    context.destroy(linger=0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "trading: [",
        "just words",
        "trading:\n  max_positon_size: 1\n",
        "trading:\n  max_position_size: -1\n",
        "kraken:\n  api_key: ${TRADEBYTE_TEST_NOT_SET}\n",
        "trading:\n  max_position_size: {}\n",
        "\x00",
        "[" * 5000,
    ],
)
def test_bad_input_18_configuration(tmp_path: Path, text: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"config\.yaml:\d+: "):
        config.load(file, environ={})
    with pytest.raises(ConfigError, match="no such file"):
        config.load(tmp_path / "missing.yaml", environ={})


def test_bad_input_19_full_disk(tmp_path: Path) -> None:
    """A file that may not grow is what a full disk looks like to the journal; what it holds stays readable."""
    file = tmp_path / "journal.sqlite"
    code = f"""
import resource, signal, sys
from pathlib import Path
from executor.record.journal import Journal, JournalError
from executor.record.rows import MetaRow
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
journal = Journal(Path({str(file)!r}))
journal.write([MetaRow("kept", "yes")])
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    for number in range(1000):
        journal.write([MetaRow(str(number), "x" * 1000)])
except JournalError as error:
    sys.exit(0 if "cannot be written" in str(error) else 1)
sys.exit(2)
"""
    done = subprocess.run([sys.executable, "-c", code], check=False, timeout=60)
    assert done.returncode == 0
    assert Journal(file).get("kept") == "yes"
    world = Executor().ready()
    world.place(buy())
    world.state.life.set_journal(is_writable=False)
    world.target()
    world.turn()
    assert len(world.taken("cancel_order")) == 1


def test_bad_input_22_journal_of_a_newer_version(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.sqlite")
    journal.write([MetaRow("schema", "999")])
    journal.close()
    with pytest.raises(JournalError, match="newer TradeByte"):
        Journal(tmp_path / "journal.sqlite")


@pytest.mark.parametrize("damage", [b"not a database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_bad_input_23_damaged_journal(tmp_path: Path, damage: bytes) -> None:
    file = tmp_path / "journal.sqlite"
    file.write_bytes(damage)
    with pytest.raises(JournalError, match="move it away"):
        Journal(file)
    assert file.read_bytes() == damage


def test_bad_input_24_clock_stepped_by_an_hour() -> None:
    """The wall clock is stepped by an hour: deadlines follow the exchange's time, targets CLOCK_BOOTTIME."""
    world = Executor().ready()
    before = world.state.session.clock.now_ts(world.now)
    world.state.life.set_clock(world.state.life.boot_to_wall + 3600 * SECOND)
    world.target(buy())
    world.turn()
    from shared.clock import parse_rfc3339

    deadline = parse_rfc3339(params_of(world.taken("add_order")[0])["deadline"])
    assert before < deadline <= before + 3 * SECOND
    world.wait(4)
    assert world.taken("cancel_order") == []
