"""Whatever a client sends: an answer or silence, never an exception, and never an order that the books do not show."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from simulator.errors import FaultError, KrakenError
from simulator.rest import private as rest_private, public as rest_public
from simulator.wire import read_json
from tests.unit.simulator.worlds import TestWorld

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=30),
    st.sampled_from(["buy", "sell", "limit", "market", "gtd", "BTC/USD", "XBTUSD", "2026-01-01T00:00:00Z", "60000.1"]),
    st.lists(st.one_of(st.none(), st.integers(), st.text(max_size=5), st.just({})), max_size=4),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)
MEMBERS = [
    "channel", "symbol", "depth", "snapshot", "order_type", "side", "order_qty", "limit_price", "time_in_force",
    "expire_time", "post_only", "cl_ord_id", "order_userref", "deadline", "validate", "stp_type", "order_id", "orders",
    "timeout", "fee_preference", "event_trigger", "ratecounter", "display_qty", "token",
]  # fmt: skip
FIELDS = [
    "pair", "type", "ordertype", "volume", "price", "oflags", "timeinforce", "expiretm", "userref", "cl_ord_id", "txid",
    "orders", "cl_ord_ids", "start", "end", "ofs", "asset", "count", "since", "timeout", "deadline", "validate",
    "trades", "id", "limit_price", "order_qty", "post_only", "stptype",
]  # fmt: skip
METHODS = [
    "subscribe", "unsubscribe", "ping", "add_order", "amend_order", "cancel_order", "cancel_all", "batch_add",
    "batch_cancel", "cancel_all_orders_after", "edit_order", "",
]  # fmt: skip
CHANNELS = ["book", "trade", "ticker", "instrument", "executions", "balances", "ohlc"]
WORLD = TestWorld()


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(METHODS), st.sampled_from(CHANNELS), st.dictionaries(st.sampled_from(MEMBERS), ODD))
def test_a_session_answers_anything(method: str, channel: str, params: dict[str, Any]) -> None:
    WORLD.now += 10**9
    for client in (WORLD.public(), WORLD.private()):
        given_ = {"token": client.token, **params}
        if method.endswith("subscribe"):
            given_ = {"channel": channel, "symbol": ["BTC/USD"], **given_}
            if not client.token:
                given_.pop("token")
        assert client.raw(json.dumps({"method": method, "params": given_, "req_id": 1}))
        client.session.close()
    for account in WORLD.exchange.accounts.values():
        for order in account.orders.values():
            assert WORLD.exchange.venues[order.pair.symbol].engine.order(order.number) is not None


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60))
def test_a_session_answers_any_text(text: str) -> None:
    client = WORLD.public()
    assert client.raw(text)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(sorted(rest_private.METHODS) + sorted(rest_public.METHODS)),
    st.dictionaries(st.sampled_from(FIELDS), ODD),
)
def test_a_rest_call_has_a_result_or_krakens_error(method: str, fields: dict[str, Any]) -> None:
    WORLD.now += 10**9
    exact = read_json(json.dumps(fields))
    assert isinstance(exact, dict)
    try:
        if method in rest_private.METHODS:
            result = rest_private.METHODS[method].run(WORLD.world, WORLD.world.keys["M1"], exact, WORLD.now, WORLD.now)
        else:
            result = rest_public.METHODS[method](WORLD.world, {k: str(v) for k, v in fields.items()}, WORLD.now)
    except KrakenError:
        return
    finally:
        WORLD.world.flush(WORLD.now)
    assert json.dumps(result)


def test_a_rest_deadline_is_kept() -> None:
    call = rest_private.METHODS["AddOrder"]
    fields = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "60000"}
    key = WORLD.world.keys["V1"]
    with pytest.raises(KrakenError, match="EService:Deadline elapsed"):
        call.run(WORLD.world, key, fields, WORLD.now, WORLD.now + 6 * 10**9)


EVENTS = ["subscribe", "unsubscribe", "ping", "addOrder", "", "nothing"]
OLD_MEMBERS = ["pair", "subscription", "reqid", "channelID", "token", "name"]


@settings(max_examples=300)
@given(
    st.sampled_from(EVENTS),
    st.dictionaries(st.sampled_from(OLD_MEMBERS), ODD),
    st.dictionaries(st.sampled_from(["name", "depth", "interval", "snapshot", "token", "x"]), ODD),
)
def test_a_version_1_session_answers_anything(event: str, members: dict[str, Any], wanted: dict[str, Any]) -> None:
    client = WORLD.public_v1()
    for subscription in (wanted, {"name": "book", **wanted}, {"name": "ohlc", **wanted}):
        message = {"event": event, "pair": ["XBT/USD"], "subscription": subscription, **members}
        assert client.raw(json.dumps(message)), message
    client.session.close()
    assert not any(key[0].startswith("v1.") for venue in WORLD.exchange.venues.values() for key in venue.subscribed)


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(["kind", "share", "count", "ms", "text", "path", "seconds", "symbol"]), ODD))
def test_a_fault_is_read_or_refused(fields: dict[str, Any]) -> None:
    try:
        WORLD.world.faults.read(fields, WORLD.now)
    except FaultError:
        return
