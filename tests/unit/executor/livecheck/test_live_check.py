"""The live check of a transcript: confirmed, differs, not seen, and what is not safe to trade with."""

from __future__ import annotations

from typing import Any

from executor.livecheck.findings import Finding, Outcome, Placed, judge
from executor.livecheck.transcript import Call, Push, Transcript
from shared.clock import SECOND

PLACED = Placed(("CL0", "CL1"), ("O0", "O1"))


def call(step: str, answer: dict[str, Any], error: str = "", order: int = 1, **params: Any) -> Call:
    return Call(step, "method", params, SECOND, answer, error, SECOND + 30_000_000, order)


def push(kind: str, *rows: dict[str, Any], channel: str = "executions", sequence: int = 1, order: int = 1) -> Push:
    return Push("step", channel, kind, sequence, list(rows), order, SECOND)


def by_name(transcript: Transcript) -> dict[str, Finding]:
    return {finding.name: finding for finding in judge(transcript, PLACED)}


def test_nothing_seen_is_nothing_confirmed() -> None:
    findings = by_name(Transcript())
    assert {f.outcome for f in findings.values()} <= {Outcome.NOT_SEEN, Outcome.DIFFERS}
    assert findings["first snapshots"].is_unsafe


def test_a_snapshot_that_lacks_an_order_of_5_s_ago_is_not_safe() -> None:
    transcript = Transcript([call("subscribe again", {}, order=5)], [push("snapshot", {"order_id": "OTHER"}, order=6)])
    finding = by_name(transcript)["open order in a snapshot"]
    assert (finding.outcome, finding.is_unsafe) == (Outcome.DIFFERS, True)


def test_reports_without_the_client_id_differ() -> None:
    rows = [{"order_id": "O0", "exec_type": "pending_new"}, {"order_id": "O0", "exec_type": "new", "cl_ord_id": "CL0"}]
    findings = by_name(Transcript([], [push("update", *rows)]))
    assert findings["cl_ord_id in reports"].outcome is Outcome.DIFFERS
    assert findings["pending_new"].outcome is Outcome.CONFIRMED


def test_a_switch_that_tells_another_time_is_not_safe() -> None:
    result = {"currentTime": "2026-11-30T06:00:00Z", "triggerTime": "2026-11-30T06:00:20Z"}
    finding = by_name(Transcript([call("arm", {"result": result}, timeout=60)]))["the switch"]
    assert (finding.outcome, finding.is_unsafe) == (Outcome.DIFFERS, True)


def test_a_gap_in_a_channel_is_seen() -> None:
    pushes = [push("snapshot", sequence=1), push("update", sequence=2), push("update", sequence=4)]
    assert by_name(Transcript([], pushes))["no gaps"].outcome is Outcome.DIFFERS


def test_ledger_entries_that_name_no_trade_are_not_safe() -> None:
    trades = {"trades": {"T1": {"time": 100.0}}}
    good = {"ledger": {"L1": {"type": "trade", "refid": "T1", "time": 100.0}}}
    bad = {"ledger": {"L1": {"type": "trade", "refid": "X", "time": 101.0}}}
    for ledger, outcome in ((good, Outcome.CONFIRMED), (bad, Outcome.DIFFERS)):
        findings = by_name(Transcript([call("ledgers", ledger), call("trades", trades)]))
        assert findings["ledger's refid"].outcome is outcome


def test_a_cancel_answered_in_an_unknown_form_differs_and_names_no_position() -> None:
    finding = by_name(Transcript([call("batch cancel", {"result": {"done": 2}})]))["batch_cancel"]
    assert (finding.outcome, finding.switch) == (Outcome.DIFFERS, "")
