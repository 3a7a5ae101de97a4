"""Unconfirmed behaviour of Kraken's exchange, as switches of the simulator; the likelier value is the default.

Only this module says what is not known, what the simulator does for each value, and what is known all the same. The
table in docs/simulator.md and the page of the configuration are made from it.
"""

from __future__ import annotations

import typing
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, NamedTuple  # Any: values of switches: texts, numbers and truths

import msgspec


class Assumption(NamedTuple):
    """An unknown behaviour, the outcome for each value of its switch (the default first), and what is known."""

    about: str
    outcomes: Mapping[Any, str]
    standing: str


class Unconfirmed(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """The simulator's switches for what is not confirmed of Kraken; numbers are sections of KRAKEN.md."""

    duplicate_subscribe: Annotated[
        Literal["refused", "acknowledged"],
        Assumption(
            "a second subscribe to the same channel and symbol",
            {"refused": "`Already subscribed`", "acknowledged": "acknowledged again, with a new snapshot"},
            "1.4, 10.5: not read anywhere",
        ),
    ] = "refused"
    second_depth: Annotated[
        Literal["refused", "replaces"],
        Assumption(
            "a subscribe to another depth of the same book (or event trigger of the same ticker)",
            {"refused": "`Already subscribed`", "replaces": "acknowledged; the first view ends"},
            "1.5: one depth per symbol and connection, not read anywhere",
        ),
    ] = "refused"
    level3_numbers: Annotated[
        Literal["number", "text"],
        Assumption(
            "prices and quantities of `level3`",
            {"number": "numbers", "text": "texts"},
            "1.5.1, 1.10: numbers in captures and the channel's documentation, texts in the guide to its checksum",
        ),
    ] = "number"
    trade_snapshot: Annotated[
        bool,
        Assumption(
            "`trade` of version 2 without `snapshot`",
            {False: "no snapshot", True: "a snapshot"},
            "1.6: the documentation of 2026 against an acknowledgement of 2024",
        ),
    ] = False
    v1_trade_snapshot: Annotated[
        bool,
        Assumption(
            "the first frame of `trade` of version 1",
            {True: "the last 50 trades", False: "the next trade"},
            "2: not read anywhere",
        ),
    ] = True
    post_only_cross: Annotated[
        Literal["canceled", "refused"],
        Assumption(
            "a post-only order that would take",
            {
                "canceled": "accepted, then `canceled` with the reason `Post only order`",
                "refused": "`EOrder:Post only order`",
            },
            "3.4, 10.2: the documentation and a client against another client",
        ),
    ] = "canceled"
    new_of_crossing_post_only: Annotated[
        bool,
        Assumption(
            "`new` between `pending_new` and `canceled` of a post-only order that would take",
            {False: "not reported", True: "reported"},
            "8: not read anywhere",
        ),
    ] = False
    taken_at_once: Annotated[
        Literal["announced", "unannounced"],
        Assumption(
            "`pending_new` and `new` of an order that fills whole as it arrives",
            {"announced": "both are reported before its trades", "unannounced": "neither is reported"},
            "3.2, 10.1: a sample of the documentation, no capture",
        ),
    ] = "announced"
    filled_report: Annotated[
        Literal["separate", "in_the_trade"],
        Assumption(
            "how the end of a filled order is reported",
            {
                "separate": "by a report `filled` after the last `trade`",
                "in_the_trade": "by `order_status` `filled` of the last `trade` alone",
            },
            "3.2, 10.1: the documentation, no capture",
        ),
    ] = "separate"
    triggered_status: Annotated[
        Literal["triggered", "new"],
        Assumption(
            "`order_status` of the report `status` when a triggered order is released",
            {"triggered": "`triggered`", "new": "`new`"},
            "3.2: in clients, not in the documentation's list",
        ),
    ] = "triggered"
    amend_of_post_only: Annotated[
        Literal["takes", "refused"],
        Assumption(
            "an amend without `post_only` that lets a post-only order cross",
            {"takes": "it takes: the amend's own flag counts alone", "refused": "`EOrder:Post only order`"},
            "3.4: the amend's flag is documented, the order's is not mentioned",
        ),
    ] = "takes"
    cancel_over_rate: Annotated[
        Literal["refused", "accepted"],
        Assumption(
            "a single cancel above the rate threshold",
            {"refused": "`EOrder:Rate limit exceeded`", "accepted": "done and counted, as `batch_cancel` is"},
            "5.2: the documentation does not say",
        ),
    ] = "refused"
    arm_in_maintenance: Annotated[
        Literal["refused", "taken"],
        Assumption(
            "`cancel_all_orders_after` during maintenance",
            {"refused": "`EService:Unavailable`; what is armed runs on", "taken": "arms or disarms"},
            "1.2, 3.4: nothing is taken, and an armed switch pulls everything on the return; this is not mentioned",
        ),
    ] = "refused"
    rate_counter_name: Annotated[
        Literal["ratecount", "ratecounter"],
        Assumption(
            "the rate counter's member in `executions` of version 2",
            {"ratecount": "`ratecount`, as in version 1", "ratecounter": "`ratecounter`, as it is asked for"},
            "5.2, 10.4: documented of version 1 alone",
        ),
    ] = "ratecount"
    batch_add_failure: Annotated[
        Literal["per_order", "whole"],
        Assumption(
            "a batch of which the engine refuses an order",
            {
                "per_order": "the others stand; its entry is `error` (REST), with `success` false (WebSocket)",
                "whole": "refused whole with that order's error",
            },
            "3.4, 10.6: documented, the entry's shape is not",
        ),
    ] = "per_order"
    batch_cancel_least: Annotated[
        Literal[2, 1, 0],
        Assumption(
            "the fewest orders of a `batch_cancel`",
            {2: "2; fewer are `EGeneral:Invalid arguments:orders`", 1: "1", 0: "0, answered with a count of 0"},
            "3.4: documented as 2 to 50, the refusal is not",
        ),
    ] = 2
    batch_cancel_unknown: Annotated[
        Literal["skipped", "refused"],
        Assumption(
            "a batch of cancels that names an order which is not open",
            {"skipped": "the others are cancelled and counted", "refused": "`EOrder:Unknown order`, none is cancelled"},
            "3.4: not read anywhere",
        ),
    ] = "skipped"
    batch_cancel_result: Annotated[
        Literal["both", "count", "orders_cancelled"],
        Assumption(
            "the answer to `batch_cancel`",
            {
                "both": "`result.count`, and `orders_cancelled` beside `success`",
                "count": "`result.count`",
                "orders_cancelled": "`orders_cancelled` beside `success`, no `result`",
            },
            "3.4: the documentation of 2026 against a capture of 2024, and a client that wants the latter",
        ),
    ] = "both"
    validate_order_id: Annotated[
        bool,
        Assumption(
            "`order_id` in the result of `add_order` with `validate`",
            {False: "not there", True: "there, of an order that is not"},
            "3.4: not read anywhere",
        ),
    ] = False
    rest_echo_cl_ord_id: Annotated[
        bool,
        Assumption(
            "`cl_ord_id` in the result of REST `AddOrder`",
            {True: "there when sent", False: "not there"},
            "4.4: of newer builds, not read anywhere",
        ),
    ] = True
    too_many_decimals: Annotated[
        Literal["invalid_price", "tick_size"],
        Assumption(
            "a price with more decimals than its pair has",
            {
                "invalid_price": "`EOrder:Invalid price:PAIR price can only be specified up to N decimals.`",
                "tick_size": "`EOrder:Tick size check failed`",
            },
            "4.5: the first not read anywhere; a tick here is one unit of the last decimal",
        ),
    ] = "invalid_price"
    rest_idle_fields: Annotated[
        Literal["refused", "ignored"],
        Assumption(
            "`price2` or `trigger` of a REST order whose type has no use for it",
            {"refused": "`EGeneral:Invalid arguments:price2`, `:trigger`", "ignored": "the order is placed without it"},
            "4.5: not mentioned; nothing here is placed without what it asks for",
        ),
    ] = "refused"
    fee_preference: Annotated[
        Literal["quote", "by_side"],
        Assumption(
            "the fee preference of an order that names none",
            {"quote": "`fciq`", "by_side": "`fciq` of a buy, `fcib` of a sell"},
            "3.4: the documentation's samples against its prose",
        ),
    ] = "quote"
    base_fee: Annotated[
        Literal["quote", "base"],
        Assumption(
            "the fee of a buy that asks for it in base (`fee_preference` `base`, `oflags` `fcib`)",
            {"quote": "in quote all the same", "base": "in base: so much less of it is received"},
            "3.2, 6.1: documented as quote at present, and as the flag's use; of a sell it is in quote here",
        ),
    ] = "quote"
    fee_rounding: Annotated[
        Literal["half_up", "up", "down"],
        Assumption(
            "the last decimal of a fee",
            {"half_up": "rounded half up", "up": "rounded up", "down": "cut"},
            "6.1, 10.7: one sample, which the first two explain",
        ),
    ] = "half_up"
    token_sharing: Annotated[
        Literal["any", "fresh", "none"],
        Assumption(
            "a token on another connection than the one that is subscribed with it",
            {
                "any": "good for as long as any subscription uses it",
                "fresh": "good for its own 15 minutes",
                "none": "`ESession:Invalid session`",
            },
            "3.1: that it outlives them on its own connection is documented, others are not mentioned",
        ),
    ] = "any"
    quiet_close: Annotated[
        Literal["unsubscribed", "silent"],
        Assumption(
            "which connections are closed after a minute without a request",
            {"unsubscribed": "those without a subscription", "silent": "all"},
            "1.3, 8: documented as inactivity, the exact rule is not known",
        ),
    ] = "unsubscribed"
    history_call_points: Annotated[
        Literal[4, 2],
        Assumption(
            "what `TradesHistory`, `Ledgers` and `QueryLedgers` cost of the REST counter",
            {4: "4 points", 2: "2 points"},
            "5.1: one page of the documentation against another and Kraken's own client",
        ),
    ] = 4
    rest_unset_userref: Annotated[
        Literal["zero", "null_beside_cl_ord_id"],
        Assumption(
            "`userref` of a REST order that has none",
            {"zero": "0", "null_beside_cl_ord_id": "`null` where it has a `cl_ord_id`, else 0"},
            "4.4: captures show 0; documented as integer or null",
        ),
    ] = "zero"
    asset_pairs_fees: Annotated[
        Literal["empty", "shown"],
        Assumption(
            "`fees` and `fees_maker` of AssetPairs",
            {"empty": "empty lists", "shown": "the schedule"},
            "4.3: captures of 2026 against those of 2025 and before",
        ),
    ] = "empty"
    v1_new_names: Annotated[
        Literal["taken", "refused"],
        Assumption(
            "a pair under its new name (`BTC/USD`) in version 1",
            {"taken": "taken, and answered under the old one", "refused": "`Currency pair not supported BTC/USD`"},
            "2: users' reports, no capture",
        ),
    ] = "taken"
    v1_text_reqid: Annotated[
        Literal["echoed", "dropped"],
        Assumption(
            "a text as `reqid` of version 1",
            {"echoed": "echoed as it came", "dropped": "the answer has none"},
            "2: clients send one, no capture",
        ),
    ] = "echoed"


def assumptions() -> Iterator[tuple[str, Any, Assumption]]:
    """Yield each switch's name, default and assumption."""
    hints = typing.get_type_hints(Unconfirmed, include_extras=True)
    for field in msgspec.structs.fields(Unconfirmed):
        (assumption,) = hints[field.name].__metadata__
        yield field.name, field.default, assumption
