"""The report of a reconciliation as one object, and as text. Money is decimal text in ``currency``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from decimal import Decimal

import msgspec

from backtest.exact.run import Outcome
from backtest.reconciliation.causes import Cause, Explained
from backtest.reconciliation.market.by_price import TakenOut
from backtest.reconciliation.matching import Beside, OwnFill
from backtest.reconciliation.profit import Difference
from backtest.reconciliation.targets import Decided, Difference as OtherTarget
from backtest.report.earned import queue_name
from shared.clock import SECOND, rfc3339
from shared.messages import Quote
from shared.numbers import plain, text


class TargetCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Recorded targets by how they came out when decided again; ``unseen`` by why they cannot be."""

    equal: int
    different: int
    unseen: dict[str, int]


class TargetDifference(msgspec.Struct, frozen=True, kw_only=True):
    """A target that was decided otherwise: the recorded quotes and those now; null where none was decided."""

    symbol: str
    seq: int
    event: str
    recorded: list[Quote]
    again: list[Quote] | None


class BookShown(msgspec.Struct, frozen=True, kw_only=True):
    """Changes of own orders that were taken out of one book (:class:`TakenOut`).

    ``single_orders`` is null where the record has none: else they, and not the book by price, were played.
    """

    exact: int
    within: int
    never_rested: int
    unseen: int
    outside: int
    short: str
    single_orders: int | None


class Unmatched(msgspec.Struct, frozen=True, kw_only=True):
    """A fill, or what is left of one, that is on one side only: ``live`` or ``played``."""

    time: str
    side_of: str
    symbol: str
    slot: str
    side: str
    price: str
    qty: str
    cause: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The object that ``tradebyte reconcile --json`` prints.

    ``matched`` counts live fills of which the played run has nine tenths or more. ``missed`` and ``extra`` count the
    other fills by cause. ``difference`` is live less played; ``by_cause`` and ``unexplained`` add up to it. ``queues``
    are the shares matched by each queue rule that was tried, of which ``queue`` has the most; it is ``level3`` where
    every pair's single orders were played, and no rule was asked.
    ``unreadable`` counts messages of the recording that could not be read.
    """

    recording: str
    strategy: str
    queue: str
    queues: dict[str, float | None]
    begin: str
    end: str
    seconds: float
    wall_s: float
    currency: str
    targets: TargetCounts
    differences: list[TargetDifference]
    books: dict[str, BookShown]
    live_fills: int
    played_fills: int
    matched: int
    matched_share: float | None
    missed: dict[str, int]
    extra: dict[str, int]
    pnl_live: str
    pnl_played: str
    difference: str
    by_cause: dict[str, str]
    unexplained: str
    unmatched: list[Unmatched]
    unreadable: int


MATCHED = "matched"


def make(
    *,
    path: str,
    decided: Decided,
    taken: Mapping[str, TakenOut],
    outcome: Outcome,
    live: list[OwnFill],
    beside: Beside,
    explained: list[Explained],
    difference: Difference,
    currency: str,
    begin_ts: int,
    unreadable: int,
) -> Report:
    """Return the report."""
    queue, tape = outcome.options.queue, outcome.tape
    if tape is not None:
        queue = queue_name(queue, tape.symbols, tape.by_order)
    share = beside.live_matched / len(live) if live else None
    by_cause = {str(cause): plain(amount) for cause, amount in sorted(difference.by_cause.items())}
    return Report(
        recording=path,
        strategy=outcome.options.strategy,
        queue=queue,
        queues={queue: share},
        begin=rfc3339(begin_ts),
        end=rfc3339(outcome.end_ts),
        seconds=(outcome.end_ts - begin_ts) / SECOND,
        wall_s=round(outcome.wall_s, 3),
        currency=currency,
        targets=TargetCounts(
            equal=decided.equal,
            different=len(decided.different),
            unseen={str(why): count for why, count in decided.unseen.items()},
        ),
        differences=[_target_shown(each) for each in decided.different],
        books={
            symbol: _book_shown(each, outcome.pairs[symbol].qty_precision) for symbol, each in sorted(taken.items())
        },
        live_fills=len(live),
        played_fills=len(outcome.fills),
        matched=beside.live_matched,
        matched_share=share,
        missed=_counts(explained, is_live=True),
        extra=_counts(explained, is_live=False),
        pnl_live=plain(difference.live),
        pnl_played=plain(difference.played),
        difference=plain(difference.live - difference.played),
        by_cause={**by_cause, MATCHED: plain(difference.matched)},
        unexplained=plain(difference.unexplained),
        unmatched=[_unmatched(each, outcome) for each in explained],
        unreadable=unreadable,
    )


def _target_shown(each: OtherTarget) -> TargetDifference:
    return TargetDifference(
        symbol=each.recorded.symbol,
        seq=each.recorded.seq,
        event=each.recorded.event,
        recorded=each.recorded.quotes,
        again=each.again.quotes if each.again is not None else None,
    )


def _book_shown(each: TakenOut, qty_precision: int) -> BookShown:
    return BookShown(
        exact=each.exact,
        within=each.within,
        never_rested=each.never_rested,
        unseen=each.unseen,
        outside=each.outside,
        short=text(each.short_lots, qty_precision),
        single_orders=each.single_orders,
    )


def _counts(explained: list[Explained], *, is_live: bool) -> dict[str, int]:
    counts = Counter(
        str(each.cause)
        for each in explained
        if (each.piece.live is not None) is is_live and each.cause is not Cause.SIZE
    )
    return dict(sorted(counts.items()))


def _unmatched(each: Explained, outcome: Outcome) -> Unmatched:
    fill, pair = each.piece.fill, outcome.pairs[each.piece.fill.symbol]
    return Unmatched(
        time=rfc3339(fill.ts),
        side_of="live" if each.piece.live is not None else "played",
        symbol=fill.symbol,
        slot=fill.slot,
        side=fill.side,
        price=text(fill.price, pair.price_precision),
        qty=text(each.piece.lots, pair.qty_precision),
        cause=str(each.cause),
    )


def lines(report: Report) -> list[str]:
    """Return the report as Markdown, for the terminal and for pages."""
    counts, share = report.targets, report.matched_share
    percent = "-" if share is None else f"{share:.1%}"
    unseen = ", ".join(f"{count} {why}" for why, count in counts.unseen.items() if count)
    made = [
        f"{report.strategy}, {report.begin[:19]}Z to {report.end[:19]}Z ({report.seconds:,.0f} s), queue "
        f"{report.queue}:",
        "",
        f"- targets decided again: {counts.equal:,} equal, {counts.different:,} different"
        + (f"; not decided again: {unseen}" if unseen else ""),
        *(_book_line(symbol, book) for symbol, book in report.books.items()),
        f"- fills: {report.live_fills} live, {report.played_fills} played; {report.matched} of the live ones match "
        f"({percent})",
        *_queue_line(report.queues),
        "",
        f"| cause | live only | played only | profit, {report.currency} |",
        "| --- | ---: | ---: | ---: |",
    ]
    for cause in [*sorted({*report.missed, *report.extra, *report.by_cause} - {MATCHED}), MATCHED]:
        amount = Decimal(report.by_cause.get(cause, "0"))
        made.append(f"| {cause} | {report.missed.get(cause, 0)} | {report.extra.get(cause, 0)} | {amount:+.6f} |")
    made.append(f"| **live less played** | | | {Decimal(report.difference):+.6f} |")
    made += [
        "",
        f"Profit of the fills at the last mids: live {Decimal(report.pnl_live):.6f}, played "
        f"{Decimal(report.pnl_played):.6f}; the causes leave {report.unexplained} of the difference.",
    ]
    if report.unreadable:
        made += ["", f"{report.unreadable:,} messages of the recording could not be read, and are left out."]
    return made


def _queue_line(shares: dict[str, float | None]) -> list[str]:
    tried = ", ".join(f"{rule} {share:.1%}" for rule, share in shares.items() if share is not None)
    return [f"- queue rules that were tried: {tried}"] if tried and len(shares) > 1 else []


def _book_line(symbol: str, book: BookShown) -> str:
    if book.single_orders is not None:
        return f"- {symbol}: {book.single_orders:,} own orders taken out of the single orders (level 3) by their ids"
    changes = book.exact + book.within + book.unseen + book.outside
    return (
        f"- {symbol}: {changes:,} changes of own orders taken out of the book, {book.exact:,} of them seen exactly, "
        f"{book.within:,} within a larger change, {book.unseen:,} not seen, {book.outside:,} beyond the record; "
        f"{book.never_rested:,} orders never rested; {book.short} short"
    )
