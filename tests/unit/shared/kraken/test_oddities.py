"""Parts of the protocol that cannot be read, without a capture: frames, elements, names, damaged files."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import msgspec
import pytest

from shared.errors import CaptureError, FrameError
from shared.kraken import captures, v2
from shared.kraken.rest_names import RestNames


@pytest.mark.parametrize("raw", [b"nonsense", b"7", b'["\xff"]', b'{"channel":7}', b'{"success":"yes","error":null}'])
def test_what_is_no_frame_is_named(raw: bytes) -> None:
    with pytest.raises(FrameError):
        v2.parse(raw)


def test_a_null_member_of_a_frame_counts_as_absent() -> None:
    assert v2.parse(b'{"channel":"status","type":null,"data":null}').type == v2.parse(b'{"channel":"status"}').type


def test_a_result_of_another_shape_is_named() -> None:
    assert v2.payload(msgspec.Raw(b'{"order_id":"O1"}'), v2.Report).order_id == "O1"
    with pytest.raises(FrameError):
        v2.payload(msgspec.Raw(b"[1]"), v2.Report)


def test_data_that_are_no_list_are_named() -> None:
    with pytest.raises(FrameError):
        v2.elements(msgspec.Raw(b"{}"), v2.Report)


@pytest.mark.parametrize(
    ("element", "texts"),
    [
        (b'{"order_id":"O1","cl_ord_id":7,"order_qty":"much"}', {"order_id": "O1", "order_qty": "much"}),
        (b'{"order_id":"O1","cl_ord_id":7,"reason":"' + b"y" * 100 + b'"}', {"order_id": "O1"}),
        (b"[1,2]", {}),
        (b'{"order_id":"\xff"}', {}),
        (b'{"order_id":"O1","order_qty":1e99999999999999999999}', {}),
    ],
    ids=["a wrong type", "a long text", "no object", "no text", "a number beyond any Decimal"],
)
def test_of_an_element_that_cannot_be_read_the_short_texts_are_kept(element: bytes, texts: dict[str, str]) -> None:
    read, unread = v2.elements(msgspec.Raw(b'[{"order_id":"O2"},' + element + b"]"), v2.Report)
    assert [report.order_id for report in read] == ["O2"]
    assert [row.texts for row in unread] == [texts]
    assert unread[0].raw == element


def test_a_request_may_have_neither_parameters_nor_a_number() -> None:
    assert json.loads(v2.request("ping")) == {"method": "ping"}
    assert json.loads(v2.request("ping", {"a": 1}, 7)) == {"method": "ping", "params": {"a": 1}, "req_id": 7}


def test_an_assets_name_in_another_wallet_is_that_of_the_asset() -> None:
    names = RestNames({}, {"XXBT": {"altname": "XBT"}, "XBT.F": {"altname": "XBT.F"}})
    assert (names.asset("XBT.F"), names.is_spot("XBT.F")) == ("BTC", False)
    assert (names.asset("XXBT"), names.asset("NEW.X")) == ("BTC", "NEW.X")


def test_a_damaged_capture_says_so(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b'{"channel":"heartbeat"}\n' * 1000))
    packed[15:25] = bytes(10)
    path = tmp_path / "capture.jsonl.gz"
    path.write_bytes(packed)
    with pytest.raises(CaptureError, match="it is damaged"):
        list(captures.frames(path))
