"""Names of pairs and assets across Kraken's interfaces (KRAKEN.md 0.1)."""

from __future__ import annotations

_OLD_TO_NEW = {"XBT": "BTC", "XDG": "DOGE"}
_NEW_TO_OLD = {new: old for old, new in _OLD_TO_NEW.items()}


def new_name(pair: str) -> str:
    """Return ``XBT/USD`` of WebSocket v1 as ``BTC/USD`` of v2; a new name stays as it is."""
    return "/".join(_OLD_TO_NEW.get(leg, leg) for leg in pair.split("/"))


def old_name(symbol: str) -> str:
    """Return ``BTC/USD`` of WebSocket v2 as ``XBT/USD`` of v1."""
    return "/".join(_NEW_TO_OLD.get(leg, leg) for leg in symbol.split("/"))


def is_tokenised(symbol: str) -> bool:
    """True for a pair of a tokenised stock (``AAPLx/USD``), for which some calls need further parameters."""
    base = symbol.partition("/")[0]
    return len(base) > 1 and base.endswith("x") and base[:-1].isupper()


def asset_name(rest_id: str) -> str:
    """Return a REST asset id (``XXBT``, ``ZUSD``, ``SOL``) as the new name (``BTC``, ``USD``, ``SOL``).

    Only the listed ids lose their old class prefix: ``ZEUS`` is an asset of its own, and stays.
    """
    old = {
        "ZUSD",
        "ZEUR",
        "ZGBP",
        "ZCAD",
        "ZJPY",
        "ZAUD",
        "XXBT",
        "XETH",
        "XXDG",
        "XLTC",
        "XXRP",
        "XXLM",
        "XETC",
        "XZEC",
        "XXMR",
    }
    stem = rest_id[1:] if rest_id in old else rest_id
    return _OLD_TO_NEW.get(stem, stem)
