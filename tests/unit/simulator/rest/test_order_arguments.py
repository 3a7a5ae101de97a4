"""Fields of REST orders: what is not acted on is refused, never dropped while the order is placed."""

from __future__ import annotations

from typing import Any

import pytest

from simulator.errors import KrakenError
from simulator.wire import NS, iso
from tests.kit.simulator.orders import ORDER
from tests.unit.simulator.worlds import TestWorld, call

INVALID = "EGeneral:Invalid arguments"


def placed(world: TestWorld) -> int:
    return len(world.account("visitor").orders)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"timeinforce": "GTC", "expiretm": "+60"}, f"{INVALID}:expiretm"),
        ({"expiretm": "+2678401"}, f"{INVALID}:expiretm"),
        ({"expiretm": "1600000000"}, f"{INVALID}:expiretm"),
        ({"starttm": "1600000000"}, f"{INVALID}:starttm"),
        ({"starttm": "+60", "expiretm": "+60"}, f"{INVALID}:expiretm"),
        ({"timeinforce": "GTD"}, f"{INVALID}:expiretm"),
        ({"timeinforce": "GTD", "expiretm": "+4"}, f"{INVALID}:expiretm"),
        ({"timeinforce": "GTD", "expiretm": "+٦٠"}, f"{INVALID}:expiretm"),
        ({"price": "+"}, f"{INVALID}:price"),
        ({"price": "-1e3"}, f"{INVALID}:price"),
        ({"price": "##50"}, f"{INVALID}:price"),
        ({"price": "-100%"}, "EOrder:Invalid price"),
        ({"price": "5%"}, f"{INVALID}:price"),
        ({"price": "60_000"}, f"{INVALID}:price"),
        ({"price": "٦٠٠٠٠"}, f"{INVALID}:price"),
        ({"price": "6e4"}, f"{INVALID}:price"),
        ({"price": " 60000"}, f"{INVALID}:price"),
        ({"volume": "1e-3"}, f"{INVALID}:volume"),
        ({"oflags": "viqc"}, f"{INVALID}:oflags"),
        ({"close": {"ordertype": "stop-loss-limit", "price": "70000"}}, f"{INVALID}:close"),
        ({"close": "limit"}, f"{INVALID}:close"),
        ({"leverage": "11"}, f"{INVALID}:leverage"),
        ({"ordertype": "settle-position"}, f"{INVALID}:leverage"),
        ({"ordertype": "trailing-stop"}, f"{INVALID}:price"),
        ({"ordertype": "trailing-stop", "price": "-5%"}, f"{INVALID}:price"),
        ({"ordertype": "trailing-stop-limit", "price": "+5%", "price2": "5"}, f"{INVALID}:price2"),
        ({"ordertype": "iceberg"}, f"{INVALID}:displayvol"),
        ({"displayvol": "0.0005"}, f"{INVALID}:displayvol"),
        ({"close[ordertype]": "limit"}, f"{INVALID}:close[ordertype]"),
        ({"close[price]": "70000"}, f"{INVALID}:close[price]"),
        ({"validate": "maybe"}, f"{INVALID}:validate"),
        ({"asset_class": "tokenized_asset"}, "EQuery:Unknown asset pair"),
    ],
)
def test_an_order_is_refused_for_what_is_not_acted_on(changes: dict[str, Any], error: str) -> None:
    world = TestWorld()
    with pytest.raises(KrakenError) as refused:
        call(world, "AddOrder", **{**ORDER, **changes})
    assert str(refused.value) == error
    if "validate" not in changes and error != "EOrder:Invalid price":
        with pytest.raises(KrakenError) as refused:
            call(world, "AddOrderBatch", pair="XBTUSD", orders=[{**ORDER, **changes}, ORDER])
        assert str(refused.value) == error
    assert not placed(world)


@pytest.mark.parametrize("value", [1, "1", True, "true", "True"])
def test_validate_places_nothing_however_it_is_said(value: Any) -> None:
    world = TestWorld()
    assert "txid" not in call(world, "AddOrder", **ORDER, validate=value)
    assert not placed(world)


@pytest.mark.parametrize("value", [0, "0", False, "false", None, ""])
def test_and_without_it_the_order_is_placed(value: Any) -> None:
    world = TestWorld()
    assert call(world, "AddOrder", **ORDER, validate=value)["txid"]
    assert placed(world) == 1


def test_neutral_fields_and_plain_numbers_pass() -> None:
    world = TestWorld()
    neutral = {"close": None, "close[price]": "", "leverage": "none", "starttm": "0", "expiretm": "0", "displayvol": ""}
    assert call(world, "AddOrder", **ORDER, **neutral, reduce_only=False)["txid"]
    assert call(world, "AddOrder", **{**ORDER, "price": "60000.", "volume": 0.001})["txid"]
    made = call(world, "AddOrder", **ORDER, timeinforce="GTD", expiretm="+5")["txid"][0]
    assert world.account("visitor").orders[made].expire_ns == world.now + 5 * NS


@pytest.mark.parametrize(
    ("ms", "fits"), [(1_000, False), (1_999, False), (2_000, True), (60_000, True), (60_001, False)]
)
def test_a_deadline_is_two_to_sixty_seconds_ahead(ms: int, fits: bool) -> None:
    world = TestWorld()
    deadline = iso(world.now + ms * 10**6)
    if fits:
        assert call(world, "AddOrder", **ORDER, deadline=deadline)["txid"]
        return
    with pytest.raises(KrakenError, match="deadline"):
        call(world, "AddOrder", **ORDER, deadline=deadline)


def test_amendments_and_edits_refuse_what_they_cannot_do() -> None:
    world = TestWorld()
    (txid,) = call(world, "AddOrder", **ORDER)["txid"]
    for method, fields in (
        ("AmendOrder", {"limit_price": "#5"}),
        ("AmendOrder", {"limit_price": "5%"}),
        ("AmendOrder", {"limit_price": "60001", "post_only": "perhaps"}),
        ("EditOrder", {"pair": "XBTUSD", "price": "#5"}),
        ("EditOrder", {"pair": "XBTUSD", "oflags": "unknown"}),
    ):
        with pytest.raises(KrakenError, match=INVALID):
            call(world, method, txid=txid, **fields)


def test_classes_of_assets_are_told_apart() -> None:
    world = TestWorld()
    assert call(world, "AssetPairs", aclass_base="tokenized_asset") == {}
    assert call(world, "Assets", aclass="tokenized_asset") == {}
    assert len(call(world, "AssetPairs", aclass_base="currency")) == len(call(world, "AssetPairs"))
    with pytest.raises(KrakenError, match="Unknown asset pair"):
        call(world, "AssetPairs", aclass_base="tokenized_asset", pair="XBTUSD")
    with pytest.raises(KrakenError, match="aclass_base"):
        call(world, "AssetPairs", aclass_base="shells")
