"""Whatever a reader does or fails to do with what it is told, the other sockets of its context go on.

Each in a process of its own: a context whose I/O thread stands still cannot be ended from within.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

BEGIN = """
import time, zmq
from shared.bus.watched import ANSWERED, LOST, WatchedSocket

context = zmq.Context()

def watched():
    socket = context.socket(zmq.SUB)
    socket.setsockopt(zmq.RECONNECT_IVL, 1)
    made = WatchedSocket(socket, ANSWERED | LOST)
    for number in range(8):
        socket.connect(f"ipc://nobody-{number}")
    return made

def is_message_heard():
    sender, receiver = context.socket(zmq.PUSH), context.socket(zmq.PULL)
    port = sender.bind_to_random_port("tcp://127.0.0.1")
    receiver.connect(f"tcp://127.0.0.1:{port}")
    sender.send(b"here")
    heard = bool(receiver.poll(5000))
    sender.close(0), receiver.close(0)
    return heard
"""
NEVER_READ = """
made, read = watched(), watched()
count = 0
while count < 5000:  # of the same events as the one that is not read
    count += len(read.take())
    assert is_message_heard(), count
told = 0
while news := made.take():
    told += len(news)
assert told > 3000, told  # more than ZeroMQ's queues hold by default
made.close(), read.close()
"""
DROPPED = """
for _ in range(200):
    made = watched()
    time.sleep(0.003)  # so that it is dropped amid its attempts to connect
    del made
    assert is_message_heard()
"""
CLOSED = """
made = watched()
while not made.take():
    pass
made.close()
made.close()
assert made.socket.closed and made.events.closed
assert is_message_heard()
"""
END = """
context.term()
print("done")
"""


@pytest.mark.parametrize(
    "script", [NEVER_READ, DROPPED, CLOSED], ids=["never read", "dropped unclosed", "closed twice"]
)
def test_the_context_goes_on(script: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + script + END], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "done\n", done.stderr
