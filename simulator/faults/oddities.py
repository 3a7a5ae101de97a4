"""Messages as odd as real ones are at times: numbers as text or with an exponent, members added or left out."""

from __future__ import annotations

import json
import re
from decimal import Decimal

from simulator.wire import Written

NUMBERS = ("text", "exponent")
MEMBERS = ("unknown", "missing")
# Bare numbers with decimals; a text in quotes matches first and stays.
_TEXT_OR_NUMBER = re.compile(r'"(?:[^"\\]|\\.)*"|(?<=[:\[,])-?\d+\.\d+(?=[,}\]])')
_OPTIONAL = re.compile(
    r'"(?:fee_usd_equiv|cum_cost|avg_price|order_userref|limit_price_type|fee_ccy_pref|stop_price|trigger|cancel_reason|'
    r'liquidity_ind|trade_id|category|subtype)":(?:"[^"\\]*"|[-+\d.eE]+|true|false|null),'
)
_UNKNOWN = '"x_unknown":{"a":[1,null,"\\u00e4"],"b":-0.5},'


def odd_numbers(text: str, how: str) -> str:
    """Return the message with its decimals as ``text`` or with an ``exponent``, equal in value."""

    def changed(match: re.Match[str]) -> str:
        if how == "text":
            return f'"{match[0]}"'
        return f"{Decimal(match[0]):E}"

    return _TEXT_OR_NUMBER.sub(lambda match: match[0] if match[0][0] == '"' else changed(match), text)


def odd_members(text: str, how: str) -> str:
    """Return the message with members that nobody knows (``unknown``), or without optional ones (``missing``)."""
    if how == "missing":
        return _OPTIONAL.sub("", text)
    return text.replace('{"', "{" + _UNKNOWN + '"', 1).replace('"data":[{"', '"data":[{' + _UNKNOWN + '"')


# Texts of REST bodies that are numbers with decimals, and members that may be absent.
_QUOTED = re.compile(r'"(-?\d+\.\d+)"(?!:)')
_REST_OPTIONAL = frozenset(
    {"misc", "oflags", "refid", "userref", "reason", "trigger", "subtype", "aclass", "leverage", "margin", "stopprice",
     "limitprice", "postxid", "maker", "trade_id", "display_decimals", "margin_call", "margin_stop"}
)  # fmt: skip


def odd_rest_numbers(text: str, how: str) -> str:
    """Return a REST body with its numbers as ``text``, or its decimals with an ``exponent``: equal in value."""
    if how == "exponent":
        text = _QUOTED.sub(lambda match: f'"{Decimal(match[1]):E}"', text)
    return odd_numbers(text, how)


def odd_rest_members(text: str, how: str) -> str:
    """Return a REST body with ``unknown`` members in it and in its rows, or without optional ones (``missing``)."""
    body = json.loads(text)
    rows = body.get("result")
    # What is listed by name (balances, orders by id) stays a list of those names.
    for row in rows.values() if isinstance(rows, dict) else rows if isinstance(rows, list) else ():
        _odd_row(row, how)
    if how == "unknown":
        body["x_unknown"] = {"a": [1, None, "\u00e4"], "b": -0.5}
    return json.dumps(body, separators=(",", ":"))


def _odd_row(row: Written, how: str) -> None:
    if not isinstance(row, dict):
        return
    for value in row.values():
        _odd_row(value, how)
    if how == "missing":
        for name in _REST_OPTIONAL & row.keys():
            del row[name]
    elif any(not isinstance(value, dict) for value in row.values()):
        row["x_unknown"] = {"a": [1, None], "b": -0.5}


# Members that the first of a fill's two messages lacks: it has what the match knows.
_SETTLED = re.compile(
    r',?"(?:fees":\[[^\]]*\]|(?:fee_usd_equiv|cost|cum_cost|cum_qty|avg_price|position_status)":(?:"[^"]*"|[-+\d.eE]+))'
)


def first_half(report: str) -> str:
    """Return a fill's report without its cost, fees and totals, which a second message of the same fill brings."""
    return _SETTLED.sub("", report).lstrip(",")
