"""Findings on the exchange: whether it answers and is online, the clocks, the fees."""

from __future__ import annotations

from typing import Final

from monitor.cli.doctor.finding import Finding, error, ok, warning
from monitor.cli.doctor.questions import Answer, Answers, Clock
from monitor.model.fees import break_even_bps
from shared.config import Config
from shared.kraken.rest_names import RestNames
from shared.messages import Account

CLOCK_WARNING_S: Final = 0.25
CLOCK_ERROR_S: Final = 2.0
DEAR_BPS: Final = 10.0
SYNC: Final = "switch time synchronisation on (timedatectl set-ntp true, or chrony)"


def connectivity(answers: Answers, config: Config, *, expected: bool) -> list[Finding]:
    """Return findings on REST and WebSocket; a sandbox that does not run is not ``expected`` to answer."""
    kraken, findings = config.kraken, []
    if kraken.sandbox and not expected and answers.time.trouble:
        return [warning("connectivity", "the sandbox does not run, so its exchange does not answer", "make run")]
    where = "the simulator" if kraken.sandbox else "Kraken"
    mend = (
        "see 'tradebyte status' for the simulator, and logs/simulator.log"
        if kraken.sandbox
        else "is the network up, does a firewall let port 443 out, is the URL Kraken's own (leave it empty)?"
    )
    for name, answer, url in (
        ("REST", answers.time, kraken.rest_url),
        ("public WebSocket", answers.socket, kraken.ws_url),
    ):
        if answer.is_good:
            findings.append(ok("connectivity", f"{where} answers at {url} ({name})"))
        else:
            why = answer.trouble or ", ".join(answer.errors)
            findings.append(error("connectivity", f"{where} does not answer at {url} ({name}): {why}", mend))
    return findings


def system_status(answer: Answer) -> list[Finding]:
    """Return a finding on Kraken's own status."""
    word = answer.value.get("status") if isinstance(answer.value, dict) else None
    if word is None:
        return []
    if word == "online":
        return [ok("exchange-status", "the exchange is online")]
    mend = "wait: quotes come back 5 s after it is online again; status.kraken.com says more"
    return [error("exchange-status", f"the exchange is in {word} mode, where nothing is quoted", mend)]


def clock(offset: Clock | None) -> list[Finding]:
    """Return a finding on this machine's clock against the exchange's, judged by the certain part of the offset."""
    if offset is None:
        return []
    offset_ms, uncertain_ms = offset.offset_s * 1000, offset.uncertain_s * 1000
    way = "ahead of" if offset_ms > 0 else "behind"
    text = f"this clock is {abs(offset_ms):.0f} ms {way} the exchange's, give or take {uncertain_ms:.0f} ms"
    certain_s = abs(offset.offset_s) - offset.uncertain_s
    if certain_s > CLOCK_ERROR_S:
        return [error("clock", f"{text}: orders' deadlines and nonces go wrong", SYNC)]
    if certain_s > CLOCK_WARNING_S:
        return [warning("clock", text, SYNC)]
    return [ok("clock", text)]


def maker_fees(account: Account | None, volume: Answer | None, names: RestNames) -> dict[str, tuple[str, str]]:
    """Return maker and taker fee in percent by symbol, from the executor, else from TradeVolume."""
    if account is not None and account.fees:
        return {symbol: (fees.maker, fees.taker) for symbol, fees in account.fees.items()}
    if volume is None or not isinstance(volume.value, dict):
        return {}
    taker, maker = (_rates(volume.value.get(name)) for name in ("fees", "fees_maker"))
    fees_by_symbol = {}
    for name, rate in taker.items():
        symbol = names.symbol(name)
        if symbol is not None:
            fees_by_symbol[symbol] = (maker.get(name, rate), rate)
    return fees_by_symbol


def _rates(table: object) -> dict[str, str]:
    if not isinstance(table, dict):
        return {}
    return {name: str(row["fee"]) for name, row in table.items() if isinstance(row, dict) and "fee" in row}


def fees(fees_by_symbol: dict[str, tuple[str, str]]) -> list[Finding]:
    """Return findings on the fees and the half-spread that earns them back."""
    if not fees_by_symbol:
        mend = "start the executor, which asks for them, or see that the key may query funds"
        return [warning("fees", "the account's fees are not known", mend)]
    by_rate: dict[tuple[str, str], list[str]] = {}
    for symbol, rates in fees_by_symbol.items():
        by_rate.setdefault(rates, []).append(symbol)
    findings = []
    for (maker, taker), symbols in by_rate.items():
        even = break_even_bps(maker)
        text = f"{', '.join(symbols)}: maker {maker} %, taker {taker} %; break-even half-spread {even or '?'} bp"
        if even is not None and float(even) > DEAR_BPS:
            mend = "quotes stand outside it, far from the mid, and are seldom filled; fees fall with the 30-day volume"
            findings.append(warning("fees", text, mend))
        else:
            findings.append(ok("fees", text))
    return findings
