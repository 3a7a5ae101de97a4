"""The protocol's pieces against Kraken's documents."""

from __future__ import annotations

import base64

import pytest

from shared.clock import parse_rfc3339, rfc3339
from shared.errors import RestError, RestRefused, SecretError
from shared.kraken import counters, errors, pairs, v2
from shared.kraken.counters import Counter
from shared.kraken.reconnect import Reconnect
from shared.kraken.rest import parse_answer
from shared.kraken.signing import sign

SECRET = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="


def test_the_documented_signature() -> None:
    body = b"nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
    assert sign(SECRET, "/0/private/AddOrder", "1616492376594", body) == (
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
    )


def test_a_secret_that_is_not_base64_is_refused_without_showing_it() -> None:
    with pytest.raises(SecretError) as caught:
        sign("not base64!", "/0/private/Balance", "1", b"")
    assert "not base64!" not in str(caught.value)
    assert base64.b64decode(SECRET)


def test_the_documented_counter_examples() -> None:
    # Add, amend at 7 s, cancel 36 s later: 1 + (1 + 2) + 4 = 8 points.
    assert counters.ADD + counters.amend_cost(7) + counters.cancel_cost(36) == 8
    counter = Counter(125, 2.34)
    for _ in range(50):
        counter.charge(counters.ADD, 0)
    assert counter.value(10) == pytest.approx(26.6)
    assert counter.room(1000) == 125


@pytest.mark.parametrize(("age", "points"), [(4.9, 8), (5, 6), (14, 5), (44, 4), (89, 2), (299, 1), (300, 0)])
def test_cancel_penalties(age: float, points: float) -> None:
    assert counters.cancel_cost(age) == points


def test_names_of_pairs_and_assets() -> None:
    assert pairs.new_name("XBT/USD") == "BTC/USD"
    assert pairs.new_name("ETH/XBT") == "ETH/BTC"
    assert pairs.old_name("DOGE/USD") == "XDG/USD"
    assert [pairs.asset_name(name) for name in ("XXBT", "ZUSD", "SOL", "ZEUS")] == ["BTC", "USD", "SOL", "ZEUS"]


def test_errors_mean_what_follows_from_them() -> None:
    assert errors.meaning("EAPI:Invalid nonce") is errors.Meaning.NEWER_WRITER
    assert errors.meaning("EOrder:Insufficient funds") is errors.Meaning.REFUSED
    assert not errors.is_certain("EGeneral:Internal error[1]")


@pytest.mark.parametrize("body", [b"<html>502</html>", b"", b"[]", b'{"error": 5}', b"\xff\xfe"])
def test_an_answer_that_is_not_krakens_is_told_apart_from_a_refusal(body: bytes) -> None:
    with pytest.raises(RestError):
        parse_answer(body)


def test_an_error_with_status_200_is_a_refusal() -> None:
    with pytest.raises(RestRefused) as caught:
        parse_answer(b'{"error":["EOrder:Unknown order"],"result":{}}')
    assert caught.value.errors == ["EOrder:Unknown order"]
    assert parse_answer(b'{"error":["WGeneral:Danger"],"result":{"a":1}}') == {"a": 1}


def test_times_read_and_write_as_kraken_does() -> None:
    assert rfc3339(parse_rfc3339("2026-08-16T23:37:04.316445Z")) == "2026-08-16T23:37:04.316445Z"
    assert parse_rfc3339("2023-09-21T15:51:09Z") % 10**9 == 0
    assert parse_rfc3339("2026-09-25T17:48:26.844359566Z") % 1000 == 566


def test_requests_print_decimals_as_numbers_with_all_their_places() -> None:
    from decimal import Decimal

    assert v2.request("add_order", {"limit_price": Decimal("62807.0")}, 3) == (
        '{"method":"add_order","params":{"limit_price":62807.0},"req_id":3}'
    )


def test_reconnects_quickly_at_first_then_no_faster_than_every_5_s() -> None:
    policy = Reconnect()
    waits = []
    now = 0.0
    for _ in range(12):
        policy.attempting(now)
        waits.append(policy.delay_s(now, 0.5))
        now += waits[-1]
    assert waits[0] == pytest.approx(0.1)
    assert max(waits[:8]) <= 1.0
    assert min(waits[8:]) >= 5.0
    assert max(waits) <= 30.0


def test_never_more_attempts_in_ten_minutes_than_allowed() -> None:
    policy = Reconnect()
    now = 0.0
    attempts = []
    for _ in range(200):
        policy.attempting(now)
        attempts.append(now)
        policy.lasted(10)  # every connection lasts, so that every try is a quick one
        now += 10 + policy.delay_s(now, 0.0)
    for start in attempts:
        assert sum(start <= at < start + 600 for at in attempts) <= 61
