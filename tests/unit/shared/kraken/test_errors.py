"""Kraken's errors, each with what a person does about it."""

from __future__ import annotations

import pytest

from shared.errors import RestRefused
from shared.kraken import errors


@pytest.mark.parametrize(
    ("error", "mends"),
    [
        ("EAPI:Invalid key", "set kraken.api_key"),
        ("EAPI:Invalid signature", "copy kraken.api_secret again"),
        ("EAPI:Invalid nonce", "clock was set back"),
        ("EGeneral:Permission denied", "give it the rights"),
        ("EGeneral:Temporary lockout", "wait 15 minutes"),
        ("EAPI:Rate limit exceeded", "decays by itself"),
        ("EOrder:Rate limit exceeded", "tolerance_bps"),
        ("EOrder:Insufficient funds", "lower size"),
        ("EOrder:Order minimum not met", "raise size"),
        ("EOrder:Post only order", "touch has moved"),
        ("EService:Market in cancel_only mode", "not online"),
        ("EService:Unavailable", "tried again"),
        ("EQuery:Unknown asset pair", "trading.pairs"),
    ],
)
def test_each_says_what_to_do(error: str, mends: str) -> None:
    assert mends in errors.mend(error)


def test_the_keys_troubles_are_told_apart() -> None:
    texts = {
        errors.mend(error)
        for error in ("EAPI:Invalid key", "EAPI:Invalid signature", "EAPI:Invalid nonce", "EGeneral:Permission denied")
    }
    assert len(texts) == 4


def test_where_a_process_meets_one_the_mend_is_beside_it() -> None:
    refused = RestRefused(["EAPI:Invalid key", "EOdd:Never seen"])
    assert str(refused).startswith("EAPI:Invalid key (Kraken does not know this API key")
    assert str(refused).endswith("; EOdd:Never seen")
    assert refused.errors == ["EAPI:Invalid key", "EOdd:Never seen"]
