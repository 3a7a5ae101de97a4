"""A drained queue is what its messages would be one by one, of each state topic only the newest."""

from __future__ import annotations

import msgspec
import zmq
from hypothesis import given, strategies as st

from shared.bus import Received, Subscriber, topics
from shared.messages import Alert, Control, Message, Resync

STATES = ("control", "resync")


class Queue:
    """Stands for a SUB socket with messages waiting."""

    def __init__(self, frames: list[list[bytes]]) -> None:
        self._frames = iter(frames)

    def recv_multipart(self, _flags: int) -> list[bytes]:
        frames = next(self._frames, None)
        if frames is None:
            raise zmq.Again
        return frames


def made(kind: str, src: str, boot: int, seq: int) -> list[bytes]:
    header = {"src": src, "boot": boot, "seq": seq}
    message: Message
    if kind == "control":
        message = Control(halted=bool(seq % 2), **header)  # type: ignore[arg-type]
    elif kind == "resync":
        message = Resync(symbols={"BTC/USD": seq}, **header)  # type: ignore[arg-type]
    else:
        message = Alert(level="info", kind="k", text=str(seq), **header)  # type: ignore[arg-type]
    return [topics.encode(kind), msgspec.msgpack.encode(message)]


messages = st.builds(
    made,
    st.sampled_from((*STATES, "alert")),
    st.sampled_from(("a", "b")),
    st.integers(1, 3),
    st.integers(1, 9),
)
garbage = st.sampled_from(
    ([b"control"], [b"control", b""], [b"nothing\0", b"\x80"], [b"control\0", b"\xc1"], [b"alert\0", b"\x01", b""])
)


def one_by_one(reader: Subscriber, frames: list[list[bytes]]) -> list[Received]:
    drained: list[Received] = []
    newest: dict[str, int] = {}
    for each in frames:
        received = reader.decode(each)
        if received is None:
            continue
        if received.kind.is_state:
            index = newest.get(received.topic)
            if index is not None:
                received.missed += drained[index].missed
                drained[index] = received
                continue
            newest[received.topic] = len(drained)
        drained.append(received)
    return drained


@given(st.lists(st.lists(messages | garbage, max_size=12), max_size=4))
def test_a_drain_is_what_its_messages_are_one_by_one(batches: list[list[list[bytes]]]) -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
    drains, singly = Subscriber(context, [], []), Subscriber(context, [], [])
    socket = drains.socket
    try:
        for batch in batches:
            drains.socket = Queue(batch)  # type: ignore[assignment]
            assert drains.drain() == one_by_one(singly, batch)
            assert drains.counters == singly.counters
    finally:
        socket.close()
        singly.socket.close()


def test_of_bodies_that_cannot_be_read_the_newest_readable_one_counts() -> None:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
    reader = Subscriber(context, [], [])
    socket = reader.socket
    body = {"v": 1, "src": "a", "boot": 1, "ts": 0, "halted": "neither"}
    bad = [topics.encode("control"), msgspec.msgpack.encode({**body, "seq": 2})]
    reader.socket = Queue([made("control", "a", 1, 1), bad])  # type: ignore[assignment]
    (received,) = reader.drain()
    socket.close()
    assert (received.message.seq, reader.counters.undecodable) == (1, 1)
