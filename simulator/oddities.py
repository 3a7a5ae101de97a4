"""Messages as odd as real ones are at times: numbers as text or with an exponent, members added or left out."""

from __future__ import annotations

import re
from decimal import Decimal

NUMBERS = ("text", "exponent")
MEMBERS = ("unknown", "missing")
# Numbers with decimals that are values of their own; texts are in quotes and stay.
_TEXT_OR_NUMBER = re.compile(r'"(?:[^"\\]|\\.)*"|(?<=[:\[,])-?\d+\.\d+(?=[,}\]])')
_OPTIONAL = re.compile(
    r'"(?:fee_usd_equiv|cum_cost|avg_price|order_userref|limit_price_type|fee_ccy_pref|stop_price|trigger|cancel_reason|'
    r'liquidity_ind|trade_id|category|subtype)":(?:"[^"\\]*"|[-+\d.eE]+|true|false|null),'
)
_UNKNOWN = '"x_unknown":{"a":[1,null,"\\u00e4"],"b":-0.5},'


def odd_numbers(text: str, how: str) -> str:
    """The message with its decimals as ``text`` or with an ``exponent``, equal in value."""

    def changed(match: re.Match[str]) -> str:
        if how == "text":
            return f'"{match[0]}"'
        return f"{Decimal(match[0]):E}"

    return _TEXT_OR_NUMBER.sub(lambda match: match[0] if match[0][0] == '"' else changed(match), text)


def odd_members(text: str, how: str) -> str:
    """The message with members that nobody knows (``unknown``), or without optional ones (``missing``)."""
    if how == "missing":
        return _OPTIONAL.sub("", text)
    return text.replace('{"', "{" + _UNKNOWN + '"', 1).replace('"data":[{"', '"data":[{' + _UNKNOWN + '"')
