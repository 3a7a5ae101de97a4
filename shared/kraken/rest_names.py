"""Names of pairs and assets in REST, as the exchange itself lists them (KRAKEN.md 0.1, 4.3).

Ids follow no rule (``XXBTZUSD``, ``USDTZUSD``, ``ZEURZUSD``, ``USDCHF``), so they are looked up in ``AssetPairs`` and
``Assets``. The only rule used is that of WebSocket v1's two old names, XBT and XDG.
"""

from __future__ import annotations

from typing import Any  # Any: Kraken's rows, read member by member

from shared.kraken.pairs import new_name

# Suffixes of assets outside the spot wallet: staked, opt-in rewards, yield, auto-earn, parachain, on hold.
_WALLET_SUFFIXES = frozenset({"S", "M", "B", "F", "P", "HOLD"})


class RestNames:
    """Look-ups made from an AssetPairs and an Assets result; rows that cannot be read are left out."""

    def __init__(self, pairs: dict[str, Any], assets: dict[str, Any]) -> None:
        self._symbols: dict[str, str] = {}
        self._altnames: dict[str, str] = {}
        self._assets: dict[str, str] = {}
        for rest_id, row in pairs.items():
            altname, wsname = _text(row, "altname"), _text(row, "wsname")
            symbol = new_name(wsname) if "/" in wsname else ""
            if symbol:
                self._altnames.setdefault(symbol, altname or rest_id)
                for name in (rest_id, altname, wsname, symbol):
                    self._symbols.setdefault(name, symbol)
        for rest_id, row in assets.items():
            altname = _text(row, "altname") or rest_id
            for name in (rest_id, altname):
                self._assets[name] = new_name(altname)

    def __bool__(self) -> bool:
        return bool(self._symbols)

    def symbol(self, name: str) -> str | None:
        """Return the WebSocket v2 symbol of a pair under any of its names; None for one that is not listed."""
        return self._symbols.get(name)

    def altname(self, symbol: str) -> str | None:
        """Return the name of a pair in REST requests; None for one that is not listed."""
        return self._altnames.get(symbol)

    def asset(self, name: str) -> str:
        """Return the new name of an asset, as WebSocket v2 has it, also for one that is not listed."""
        if not self.is_spot(name):
            name = name.partition(".")[0]
        return self._assets.get(name, new_name(name))

    def is_spot(self, name: str) -> bool:
        """True unless an asset's name is that of another wallet (``XBT.F``, ``ETH.S``)."""
        _, dot, suffix = name.partition(".")
        return not (dot and suffix in _WALLET_SUFFIXES)


def _text(row: Any, key: str) -> str:
    value = row.get(key) if isinstance(row, dict) else None
    return value if isinstance(value, str) else ""
