"""Why a view is not valid, as text for people; an empty text if it is."""

from __future__ import annotations

from shared import limits
from shared.clock import SECOND
from shared.messages import Account, Book, BookState, FeedStatus, Pair


def why_no_path(feed: FeedStatus | None, feed_at: int, books_at: int, now: int) -> str:
    """Return why nothing new comes from Kraken; the statuses with the times at which they were heard."""
    dead = int(limits.PATH_DEAD_S * SECOND)
    if feed is None or now - feed_at > dead:
        return "the collector is not heard"
    if not feed.connected:
        return "the collector is not connected"
    if now - books_at > dead:
        return "the book process is not heard"
    return ""


def why_no_book(pair: Pair | None, book: Book | None) -> str:
    """Return why a pair's book cannot be quoted on."""
    if pair is None:
        return "no instrument data"
    if pair.status != "online":
        return f"the pair is {pair.status}"
    if book is None:
        return "no book"
    if book.state is not BookState.LIVE:
        return f"the book is {book.state}"
    if (book.price_precision, book.qty_precision) != (pair.price_precision, pair.qty_precision):
        return "book and instrument differ in precision"
    return ""


def why_no_value(pair: Pair, account: Account | None) -> str:
    """Return why a pair's sizes cannot be computed, by the newest valid ``account``."""
    if account is None or not account.valid:
        return ""
    for asset in (pair.base, pair.quote):
        row = account.assets.get(asset)
        if row is not None and row.held:
            return row.held
    rate = account.rates.get(pair.quote)
    if rate is None or not rate.rate or not rate.valid:
        return f"no valid rate of {pair.quote} in {account.currency}"
    return ""
