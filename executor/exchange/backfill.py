"""REST calls, and when they are due: names, fees, missing fills, ledger entries, orders of unknown outcome.

A start spends only the token call unless fills and balances disagree (T15): the REST counter is small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any, TypeVar  # Any: Kraken's answers, read row by row; one that cannot be read is logged and skipped

from executor.account.account import NewFill
from executor.account.ledger import Entry
from executor.effects import RestCall
from executor.exchange.stream import Stream
from executor.record.rows import MetaRow
from executor.state import State
from shared import limits
from shared.clock import SECOND
from shared.kraken.counters import REST_CALL, REST_HISTORY
from shared.kraken.pairs import is_tokenised
from shared.kraken.rest_names import RestNames
from shared.messages import Fees, Side
from shared.numbers import finite, unscale

T = TypeVar("T")
PAGE = 50
UNREADABLE = (ValueError, KeyError, TypeError, ArithmeticError, AttributeError)


class Backfill:
    """One REST call at a time, within Kraken's counter for the key."""

    def __init__(self, state: State, stream: Stream, known_ts: int) -> None:
        self.state, self.stream = state, stream
        self.names = RestNames({}, {})
        self.fees_at = 0
        self._known_ts = known_ts  # until when all fills are known, by the exchange's time
        self._kept_at = 0
        self._balances_asked = 0
        self._busy = ""
        self._names_tried = 0
        self._listings = _listings(state.config.trading.pairs)
        self._listed_so_far: dict[str, dict[str, Any]] = {"AssetPairs": {}, "Assets": {}}
        self._fees_tried = 0
        # One unavailable pair makes Kraken reject a joint call: then each pair is asked for alone.
        self._fees_alone: list[str] = []
        self.pages: list[tuple[str, str, str, int]] = []  # method, start, end, offset: still to fetch
        self._difference_tried = 0  # when a difference last made us ask, or wait for an earlier question
        self._round = 0
        # By trade: since when its ledger entries have waited for its fill; and when to ask the history again.
        self._unmatched: dict[str, int] = {}
        self._unmatched_due = 0

    def turn(self, now: int) -> None:
        """Ask for what is missing."""
        state = self.state
        if not state.session.is_ready:
            return
        if self.stream.history_wanted:
            self.stream.history_wanted = False
            self._begin("TradesHistory", now)
        self._watch_unmatched(now)
        self._watch_difference(now)
        if self._busy:
            return
        if self.stream.reconcile.ask_history:
            cl_ord_id = self.stream.reconcile.ask_history[0]
            self._call(f"order {cl_ord_id}", "ClosedOrders", {"cl_ord_id": cl_ord_id}, now)
        elif not self.names:
            self._ask_names(now)
        elif self.pages:
            method, start, end, offset = self.pages[0]
            params = {"start": start, "end": end, "ofs": str(offset)}
            if method == "TradesHistory":
                params["consolidate_taker"] = "false"  # each fill by its own id, as reports have it
            self._call("page", method, params, now)
        elif self._fees_due(now):
            self._ask_fees(now)

    # --- when ----------------------------------------------------------------------------------------------------

    def _watch_unmatched(self, now: int) -> None:
        """Ask the history for the fills of ledger entries that have none; quoting waits for them."""
        ledger = self.state.account.ledger
        for ref_id in self._unmatched.keys() - ledger.unmatched.keys():
            del self._unmatched[ref_id]
        for ref_id in ledger.unmatched:
            self._unmatched.setdefault(ref_id, now)
        late = [ref for ref, since in self._unmatched.items() if now - since > limits.ENTRY_WITHOUT_FILL_S * SECOND]
        ledger.set_missing(late)
        for ref_id in late:
            if now - self._unmatched[ref_id] > limits.ENTRY_GIVEN_UP_S * SECOND:
                self.state.account.give_up(ref_id)
                text = f"the ledger has a trade {ref_id} that neither report nor history shows: counted as a transfer"
                self.state.out.tell("error", "reconcile", text, alert=True)
        if late and not self.pages and now >= self._unmatched_due:
            # The history lags a fill by up to a minute: ask less often each time.
            waited = now - min(self._unmatched[ref] for ref in late)
            self._unmatched_due = now + max(waited, int(limits.ENTRY_WITHOUT_FILL_S * SECOND))
            self.state.out.tell("warning", "reconcile", f"no fill yet for the ledger entries of {', '.join(late[:5])}")
            self._begin("TradesHistory", now)

    def _watch_difference(self, now: int) -> None:
        """Ask for fills, then for ledger entries, then again, while fills and balances disagree for over 5 s."""
        if not self.state.session.different_since:
            self._difference_tried = self._balances_asked = 0
            self._reconciled(now)
            return
        if self.state.account.ledger.missing:
            self._difference_tried = now
            return  # _watch_unmatched has asked for it
        since = max(self.state.session.different_since, self._difference_tried)
        if not self._balances_asked and now - since > limits.SNAPSHOT_EVERY_S * SECOND:
            # Perhaps only ledger entries were lost, and no later message has shown the gap.
            self._balances_asked = now
            self.stream.ask_balances()
            return
        if now - since > limits.RECONCILE_DIFFERENCE_S * SECOND and not self.pages:
            self._difference_tried = now
            self.state.out.tell("warning", "reconcile", self.state.account.ledger.difference)
            self._begin("TradesHistory" if self._round % 2 == 0 else "Ledgers", now)
            self._round += 1

    def _reconciled(self, now: int) -> None:
        """Note that fills explain the balances: what happened until these were heard need not be asked for again.

        Not what happened since: the last messages may have been lost, which only the next one will show.
        """
        if self._unmatched:
            return
        if now - self._kept_at > limits.RECONCILED_KEPT_S * SECOND:
            self._kept_at, self._known_ts = now, max(self._known_ts, self.state.session.balances_ts)
            self.state.out.write(MetaRow("reconciled", str(self._known_ts)), self.state.market.rates.row())

    def _begin(self, method: str, now: int) -> None:
        end = self.state.life.wall_ts(now) / SECOND
        start = max(0.0, self._known_ts / SECOND - limits.HISTORY_SETTLES_S)
        self.pages = [(method, f"{start:.6f}", f"{end + 60:.6f}", 0)]

    def _fees_due(self, now: int) -> bool:
        if self._fees_alone:
            return True
        since = now - max(self._fees_tried, self.fees_at)
        if since <= limits.SLOT_WAIT_MAX_S / 12 * SECOND:
            return False
        unknown = not self.state.account.fees.keys() >= set(self._listed())
        return unknown or since > limits.FEES_EVERY_S * SECOND

    def _listed(self) -> list[str]:
        """Return the configured pairs that the exchange lists."""
        return [symbol for symbol in self.state.config.trading.pairs if self.names.altname(symbol)]

    # --- calls ---------------------------------------------------------------------------------------------------

    def _ask_names(self, now: int) -> None:
        if self._names_tried and now - self._names_tried < limits.SUBSCRIBE_ACK_S * SECOND:
            return
        self._names_tried = now
        self._busy = "names"
        method, params = self._listings[0]
        self.state.out.call(RestCall("names", method, params, is_public=True))

    def _ask_fees(self, now: int) -> None:
        symbols = [self._fees_alone[0]] if self._fees_alone else self._listed()
        if not self._fees_alone:
            self._fees_tried = now
        names = [name for symbol in symbols if (name := self.names.altname(symbol))]
        if names:
            self._call("fees", "TradeVolume", {"pair": ",".join(names)}, now)

    def _call(self, tag: str, method: str, params: dict[str, str], now: int) -> None:
        points = REST_CALL if method == "TradeVolume" else REST_HISTORY
        if (
            self.state.session.rest.room(now / SECOND) < points + limits.TOKENS_HELD_BACK * REST_CALL
        ):  # a call for a token must always fit
            return
        self.state.charge_rest(method, points, now)
        self._busy = tag
        self.state.out.call(RestCall(tag, method, params))

    # --- answers -------------------------------------------------------------------------------------------------

    def answered(self, call: RestCall, result: Any, now: int) -> None:
        """Take in an answer; raises one of :data:`UNREADABLE` if it is not as Kraken's should be."""
        self._busy = ""
        if call.tag == "names":
            self._names(call.method, result)
        elif call.tag == "fees":
            self._fees_alone = self._fees_alone[1:]
            self._fees(result)
            self.fees_at = now
        elif call.tag.startswith("order "):
            self._order(call.tag.removeprefix("order "), result, now)
        elif self.pages and self.pages[0][0] == call.method:  # else a newer backfill has replaced this one's pages
            method, start, end, offset = self.pages.pop(0)
            count = self._trades(result, now) if call.method == "TradesHistory" else self._ledger(result)
            if offset + PAGE < count and offset < PAGE * limits.HISTORY_PAGES:
                self.pages.append((method, start, end, offset + PAGE))
            self.state.account.settle()

    def failed(self, call: RestCall, why: str) -> None:
        """Note that a call had no usable answer: it is made again when it is next due."""
        self._busy = ""
        if call.tag == "fees":
            if self._fees_alone:
                self._fees_alone = self._fees_alone[1:]
            elif len(self._listed()) > 1:
                self._fees_alone = self._listed()
        self.state.out.tell("warning", "rest", f"{call.method}: {why}")

    def _names(self, method: str, result: Any) -> None:
        self._listed_so_far[method] |= dict(result)
        self._listings, self._names_tried = self._listings[1:], 0
        if not self._listings:
            self.names = RestNames(self._listed_so_far["AssetPairs"], self._listed_so_far["Assets"])
            self._listed_so_far = {"AssetPairs": {}, "Assets": {}}
            if not self.names:
                self._listings = _listings(self.state.config.trading.pairs)

    def _fees(self, result: Any) -> None:
        makers = result.get("fees_maker") or {}
        for name, taker in (result.get("fees") or {}).items():
            symbol = self.names.symbol(name)
            if symbol is None:
                continue
            try:
                fee = str(finite(taker["fee"]))
                made = str(finite(makers[name]["fee"])) if name in makers else fee
            except UNREADABLE as error:
                self.state.out.tell("warning", "rest", f"TradeVolume: the fee of {symbol} cannot be read: {error!r}")
                continue
            self.state.account.set_fees(symbol, Fees(maker=made, taker=fee))

    def _order(self, cl_ord_id: str, result: Any, now: int) -> None:
        closed = [oid for oid, row in result.get("closed", {}).items() if row.get("cl_ord_id") == cl_ord_id]
        if not closed:
            self.stream.reconcile.history_lacks(cl_ord_id, now)
        else:
            self.stream.reconcile.history_shows(cl_ord_id, result["closed"][closed[0]], now)
            self._begin("TradesHistory", now)
        self.stream.reconcile.ask_history.remove(cl_ord_id)  # last: an answer that cannot be read is asked for again

    def _trades(self, result: Any, now: int) -> int:
        for fill in self._read(result["trades"], "TradesHistory", self._fill):
            if fill is None or self._is_consolidated(fill):
                continue
            cl_ord_id, strategy = self.stream.reports.owner_of(fill.order_id)
            row = self.state.account.fill(fill, cl_ord_id, strategy)
            if row is not None:
                self.stream.reports.tell_fill(row, now)
                self.stream.reports.record_past(row, now)
        return int(result.get("count", 0))

    def _is_consolidated(self, fill: NewFill) -> bool:
        """True for a row that combines fills which were counted one by one, though we ask for single ones."""
        order = self.state.registry.find("", fill.order_id)
        if order is None or self.state.account.knows(fill.exec_id):
            return False
        left = unscale(order.qty - order.counted, order.qty_precision)
        if fill.qty <= left:
            return False
        text = f"TradesHistory has {fill.qty} of {order.cl_ord_id} as {fill.exec_id}, of which {left} is left to fill"
        self.state.out.tell("error", "reconcile", f"{text}: combined fills are not counted twice", alert=True)
        return True

    def _fill(self, exec_id: str, trade: dict[str, Any]) -> NewFill | None:
        if finite(trade.get("margin") or 0):
            self.state.out.count("margin trade of the account")  # it moves a margin position, and no balance
            return None
        symbol = self.names.symbol(trade["pair"])
        if symbol is None:
            raise ValueError(f"no listed pair is called {trade['pair']!r}")
        side: Side = "buy" if trade["type"] == "buy" else "sell"
        fee = finite(trade["fee"])
        return NewFill(
            exec_id=exec_id,
            order_id=trade["ordertxid"],
            symbol=symbol,
            side=side,
            price=finite(trade["price"]),
            qty=finite(trade["vol"]),
            fees={symbol.partition("/")[2]: fee} if fee else {},
            fill_ts=int(finite(trade["time"]) * SECOND),
        )

    def _ledger(self, result: Any) -> int:
        for entry in self._read(result["ledger"], "Ledgers", self._entry):
            if entry is not None:
                self.state.account.entry(entry, live=False)
        return int(result.get("count", 0))

    def _entry(self, ledger_id: str, row: dict[str, Any]) -> Entry | None:
        if not self.names.is_spot(row["asset"]):
            return None
        return Entry(
            ledger_id=ledger_id,
            ref_id=row["refid"],
            asset=self.names.asset(row["asset"]),
            kind=row["type"],
            amount=finite(row["amount"]),
            fee=finite(row["fee"]),
            balance=finite(row["balance"]),
            ts=int(finite(row["time"]) * SECOND),
        )

    def _read(self, rows: dict[str, Any], method: str, read: Callable[[str, dict[str, Any]], T]) -> Iterator[T]:
        """Yield rows oldest first; one that cannot be read does not affect the others (T16)."""
        results: list[tuple[Decimal, T]] = []
        for name, row in rows.items():
            try:
                results.append((finite(row["time"]), read(name, row)))
            except UNREADABLE as error:
                self.state.out.count(f"unreadable row of {method}")
                self.state.out.tell("warning", "rest", f"{method}: row {name} cannot be read: {error!r}", alert=True)
        results.sort(key=lambda pair: pair[0])
        for _, value in results:
            yield value


def _listings(symbols: list[str]) -> list[tuple[str, dict[str, str]]]:
    """Return the public calls that fetch REST's names; tokenised stocks have calls of their own."""
    calls: list[tuple[str, dict[str, str]]] = [("AssetPairs", {}), ("Assets", {})]
    if any(map(is_tokenised, symbols)):
        calls += [("AssetPairs", {"aclass_base": "tokenized_asset"}), ("Assets", {"aclass": "tokenized_asset"})]
    return calls
