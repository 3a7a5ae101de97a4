"""Endpoints beyond this machine: CURVE keys and an allow-list, or nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import zmq

from shared.bus import Publisher, Subscriber
from shared.bus.curve import start_auth
from shared.config import Config, Curve
from shared.messages import Control
from tests.system import free_port

Context = zmq.Context[zmq.Socket[bytes]]


@pytest.fixture
def context() -> Iterator[Context]:
    made: Context = zmq.Context()
    yield made
    made.destroy(linger=0)


def heard(sender: Publisher, reader: Subscriber, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        sender.serve_subscriptions()
        if reader.drain():
            return True
        time.sleep(0.02)
    return False


def test_only_keys_on_the_list_hear_a_curve_endpoint(context: Context) -> None:
    server_public, server_secret = (key.decode() for key in zmq.curve_keypair())
    friend_public, friend_secret = (key.decode() for key in zmq.curve_keypair())
    stranger_public, stranger_secret = (key.decode() for key in zmq.curve_keypair())
    curve = Curve(public_key=server_public, secret_key=server_secret, allow={"friend": friend_public})
    auth = start_auth(context, Config(bus={"curve": curve}))
    assert auth is not None
    try:
        where = f"tcp://127.0.0.1:{free_port()}"
        sender = Publisher(context, where, "monitor", 1, curve)
        sender.publish("control", Control(halted=False))

        def reader(public: str, secret: str) -> Subscriber:
            made = Subscriber(context, [], ["control"])
            made.socket.curve_serverkey = server_public.encode()
            made.socket.curve_publickey, made.socket.curve_secretkey = public.encode(), secret.encode()
            made.socket.connect(where)
            return made

        own = Subscriber(context, [where], ["control"], curve)
        assert heard(sender, own, 10)
        assert heard(sender, reader(friend_public, friend_secret), 10)
        assert not heard(sender, reader(stranger_public, stranger_secret), 1)
        assert not heard(sender, Subscriber(context, [where], ["control"]), 1)
    finally:
        auth.stop()
