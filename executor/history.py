"""What REST is asked for, and when: fees, fills older than the snapshot's, ledger entries, orders of unknown outcome.

A core. A start spends only the token call unless fills and balances disagree (T15): the REST counter is small.
"""

from __future__ import annotations

from typing import Any

from executor.account import NewFill
from executor.ledger import Entry
from executor.outbox import RestCall
from executor.rows import MetaRow
from executor.state import State
from executor.stream import Stream
from shared import limits
from shared.clock import SECOND
from shared.kraken.counters import REST_CALL, REST_HISTORY
from shared.kraken.pairs import altname, asset_name, rest_names
from shared.messages import Fees, Side
from shared.numbers import number

PAGE = 50


class History:
    """One REST call at a time, within Kraken's counter for the key."""

    def __init__(self, state: State, stream: Stream, known_ts: int) -> None:
        self.state, self.stream = state, stream
        self.fees_at = 0
        self._known_ts = known_ts  # until when all fills are known, by the exchange's time
        self._kept_at = 0
        self._balances_asked = 0
        self._busy = ""
        self._fees_tried = 0
        self._pages: list[tuple[str, str, str, int]] = []  # method, start, end, offset: still to fetch
        self._different_since = 0
        self._round = 0

    def turn(self, now: int) -> None:
        """Asks for what is missing."""
        state = self.state
        if self._busy or not (state.executions_ready and state.balances_ready):
            return
        if self.stream.history_wanted:
            self.stream.history_wanted = False
            self._begin("TradesHistory", now)
        self._watch_difference(now)
        if self.stream.reconcile.ask_history:
            cl_ord_id = self.stream.reconcile.ask_history[0]
            self._call(f"order {cl_ord_id}", "ClosedOrders", {"cl_ord_id": cl_ord_id}, now)
        elif self._pages:
            method, start, end, offset = self._pages[0]
            self._call("page", method, {"start": start, "end": end, "ofs": str(offset)}, now)
        elif self._fees_due(now):
            self._fees_tried = now
            pairs = ",".join(altname(symbol) for symbol in state.config.trading.pairs)
            self._call("fees", "TradeVolume", {"pair": pairs}, now)

    def _watch_difference(self, now: int) -> None:
        """Fills and balances that disagree for 5 s: fills first, then ledger entries, then again."""
        if not self.state.account.ledger.difference:
            self._different_since = self._balances_asked = 0
            self._reconciled(now)
            return
        self._different_since = self._different_since or now
        if not self._balances_asked and now - self._different_since > limits.SNAPSHOT_EVERY_S * SECOND:
            # Perhaps only the entries were lost, and nothing came after them to show the gap.
            self._balances_asked = now
            self.stream.ask_balances()
            return
        if now - self._different_since > limits.RECONCILE_DIFFERENCE_S * SECOND and not self._pages:
            self._different_since = now
            self.state.tell("warning", "reconcile", self.state.account.ledger.difference)
            self._begin("TradesHistory" if self._round % 2 == 0 else "Ledgers", now)
            self._round += 1

    def _reconciled(self, now: int) -> None:
        """Fills explain the balances: what happened until now is known, and need not be asked for again."""
        exchange_now = self.state.clock.now_ts(now)
        if exchange_now and now - self._kept_at > limits.RECONCILED_KEPT_S * SECOND:
            self._kept_at, self._known_ts = now, exchange_now
            self.state.out.rows.append(MetaRow("reconciled", str(exchange_now)))

    def _begin(self, method: str, now: int) -> None:
        end = (now + self.state.boot_to_wall) / SECOND
        start = max(0.0, self._known_ts / SECOND - limits.HISTORY_SETTLES_S)
        self._pages = [(method, f"{start:.6f}", f"{end + 60:.6f}", 0)]

    def _fees_due(self, now: int) -> bool:
        unknown = any(symbol not in self.state.account.fees for symbol in self.state.config.trading.pairs)
        wait = limits.SLOT_WAIT_MAX_S / 12 if unknown else limits.FEES_EVERY_S
        return now - max(self._fees_tried, self.fees_at) > wait * SECOND

    def _call(self, tag: str, method: str, params: dict[str, str], now: int) -> None:
        points = REST_CALL if method == "TradeVolume" else REST_HISTORY
        if self.state.rest.room(now / SECOND) < points + 2 * REST_CALL:  # a token must always fit
            return
        self.state.rest_call(method, points, now)
        self._busy = tag
        self.state.out.rest.append(RestCall(tag, method, params))

    def answered(self, call: RestCall, result: Any, now: int) -> None:
        """An answer; a ValueError, KeyError or TypeError for one that is not Kraken's."""
        self._busy = ""
        if call.tag == "fees":
            self._fees(result)
            self.fees_at = now
        elif call.tag.startswith("order "):
            self._order(call.tag.removeprefix("order "), result, now)
        elif self._pages:
            count = self._trades(result, now) if call.method == "TradesHistory" else self._ledger(result)
            method, start, end, offset = self._pages.pop(0)
            if offset + PAGE < count and offset < PAGE * limits.HISTORY_PAGES:
                self._pages.append((method, start, end, offset + PAGE))
            self.state.account.settle()

    def failed(self, call: RestCall, why: str) -> None:
        """A call without a usable answer: tried again at its time."""
        self._busy = ""
        self.state.tell("warning", "rest", f"{call.method}: {why}")

    def _fees(self, result: Any) -> None:
        for symbol in self.state.config.trading.pairs:
            for name in rest_names(symbol):
                taker, maker = result.get("fees", {}).get(name), result.get("fees_maker", {}).get(name)
                if taker is not None:
                    fee = str(number(taker["fee"]))
                    made = str(number(maker["fee"])) if maker is not None else fee
                    self.state.account.fees[symbol] = Fees(maker=made, taker=fee)

    def _order(self, cl_ord_id: str, result: Any, now: int) -> None:
        self.stream.reconcile.ask_history.remove(cl_ord_id)
        found = [o for o in result.get("closed", {}).values() if o.get("cl_ord_id") == cl_ord_id]
        if not found:
            self.stream.reconcile.history_lacks(cl_ord_id, now)
        else:
            self.stream.reconcile.history_shows(cl_ord_id, next(iter(found)), now)
            self._begin("TradesHistory", now)

    def _trades(self, result: Any, now: int) -> int:
        symbols = {name: symbol for symbol in self.state.pairs for name in rest_names(symbol)}
        for exec_id, trade in sorted(result["trades"].items(), key=lambda item: item[1]["time"]):
            symbol = symbols.get(trade["pair"])
            if symbol is None:
                self.state.counts["fill on a pair that is not configured"] += 1
                continue
            side: Side = "buy" if trade["type"] == "buy" else "sell"
            fee = number(trade["fee"])
            fill = NewFill(
                exec_id=exec_id,
                order_id=trade["ordertxid"],
                symbol=symbol,
                side=side,
                price=number(trade["price"]),
                qty=number(trade["vol"]),
                fees={symbol.partition("/")[2]: fee} if fee else {},
                fill_ts=int(number(trade["time"]) * SECOND),
            )
            cl_ord_id, strategy = self.stream.reports.owner_of(fill.order_id)
            row = self.state.account.fill(fill, cl_ord_id, strategy)
            if row is not None:
                self.stream.reports.tell_fill(row)
                self.stream.reports.record_past(row, now)
        return int(result.get("count", 0))

    def _ledger(self, result: Any) -> int:
        for ledger_id, found in sorted(result["ledger"].items(), key=lambda item: item[1]["time"]):
            entry = Entry(
                ledger_id=ledger_id,
                ref_id=found["refid"],
                asset=asset_name(found["asset"]),
                kind=found["type"],
                amount=number(found["amount"]),
                fee=number(found["fee"]),
                balance=number(found["balance"]),
                ts=int(number(found["time"]) * SECOND),
            )
            self.state.account.entry(entry, live=False)
        return int(result.get("count", 0))
