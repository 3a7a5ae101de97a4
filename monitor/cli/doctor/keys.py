"""Rights of a key, as Kraken reports them; never the key itself."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from monitor.cli.doctor.finding import Finding, error, ok, warning
from monitor.cli.doctor.questions import Answer
from shared.kraken import errors

# Kraken's words for what the executor needs, and what people call it.
NEEDED: Final = {
    "query-funds": "query funds",
    "query-open-trades": "query open orders and trades",
    "query-closed-trades": "query closed orders and trades",
    "query-ledger": "query ledger entries",
    "modify-trades": "create and modify orders",
    "close-trades": "cancel orders",
    "access-websockets": "use WebSockets",
}
CANCEL: Final = "close-trades"
WEBSOCKETS: Final = "access-websockets"
EXPIRES_SOON_S: Final = 7 * 86_400
UNTOLD: Final = "look at Kraken's page of API keys that it may trade and use WebSockets, and may NOT withdraw"


def rights_of(info: object) -> list[str]:
    """Return the permissions in an answer to GetApiKeyInfo; empty where it holds none."""
    listed = info.get("permissions") if isinstance(info, dict) else None
    return [str(right).lower().replace("_", "-") for right in listed] if isinstance(listed, list) else []


def may_withdraw(rights: list[str]) -> bool:
    """True if a right to withdraw is among them."""
    return any("withdraw" in right for right in rights)


def executor_key(answer: Answer, key_end: str, now_s: float) -> list[Finding]:
    """Return findings on the key that trades; ``key_end`` is its last characters."""
    check = "api-key"
    if answer.errors:
        return [_refused(check, key_end, answer)]
    if answer.trouble:
        return [warning(check, f"what key …{key_end} may do is not known ({answer.trouble})", UNTOLD)]
    rights = rights_of(answer.value)
    findings = _expiry(check, key_end, answer.value, now_s)
    if may_withdraw(rights):
        mend = "take that right from it at Kraken: nothing here withdraws, and whoever steals the key could"
        findings.append(error(check, f"key …{key_end} may withdraw money, and is refused for trading", mend))
    missing = [meaning for right, meaning in NEEDED.items() if right not in rights]
    if len(missing) == len(NEEDED):
        findings.append(warning(check, f"Kraken's list of what key …{key_end} may do is not understood", UNTOLD))
    elif missing:
        mend = "give it that right at Kraken, or make a new key with it"
        findings.append(error(check, f"key …{key_end} is valid but may not: {', '.join(missing)}", mend))
    return findings or [ok(check, f"key …{key_end} is valid, may do all that trading takes, and may not withdraw")]


def halt_key(answer: Answer | None, key_end: str, now_s: float) -> list[Finding]:
    """Return findings on the key that only cancels; ``answer`` is None where there is none."""
    check = "halt-key"
    if answer is None:
        mend = "make a key at Kraken that may only cancel, and set kraken.halt_key and kraken.halt_secret"
        return [warning(check, "there is no halt key: 'tradebyte halt' then relies on the executor alone", mend)]
    if answer.errors:
        refused = _refused(check, key_end, answer)
        return [warning(check, refused.text, refused.mend)]
    if answer.trouble:
        return [warning(check, f"the halt key …{key_end} could not be tried ({answer.trouble})", UNTOLD)]
    rights = rights_of(answer.value)
    findings = [warning(check, f.text, f.mend) for f in _expiry(check, key_end, answer.value, now_s)]
    if rights and CANCEL not in rights:
        mend = "give it the right to cancel and close orders at Kraken"
        findings.append(warning(check, f"the halt key …{key_end} may not cancel, so it cannot halt", mend))
    more = [right for right in rights if "withdraw" in right or right == "modify-trades"]
    if more:
        mend = "take all rights from it at Kraken but that to cancel"
        findings.append(warning(check, f"the halt key …{key_end} may do more than cancel: {', '.join(more)}", mend))
    return findings or [ok(check, f"the halt key …{key_end} is valid and may cancel")]


def data_key(answer: Answer | None, key_end: str, now_s: float) -> list[Finding]:
    """Return findings on the key that only reads; none where there is none: trading needs no such key."""
    check = "data-key"
    if answer is None:
        return []
    if answer.errors:
        refused = _refused(check, key_end, answer)
        return [warning(check, refused.text, refused.mend)]
    if answer.trouble:
        return [warning(check, f"the data key …{key_end} could not be tried ({answer.trouble})", UNTOLD)]
    rights = rights_of(answer.value)
    findings = [warning(check, f.text, f.mend) for f in _expiry(check, key_end, answer.value, now_s)]
    if rights and WEBSOCKETS not in rights:
        mend = "give it the right to use WebSockets at Kraken"
        findings.append(warning(check, f"the data key …{key_end} may not use WebSockets, so it reads nothing", mend))
    more = [right for right in rights if "withdraw" in right or right in ("modify-trades", CANCEL)]
    if more:
        mend = "take all rights from it at Kraken but that to use WebSockets: it only reads"
        findings.append(warning(check, f"the data key …{key_end} may do more than read: {', '.join(more)}", mend))
    return findings or [ok(check, f"the data key …{key_end} is valid and may only read")]


def _refused(check: str, key_end: str, answer: Answer) -> Finding:
    first = answer.errors[0]
    if first.startswith("EGeneral:Unknown method"):
        return warning(check, f"this exchange does not say what key …{key_end} may do", UNTOLD)
    mend = errors.mend(first) or "see what Kraken writes of this error"
    if errors.meaning(first) in (errors.Meaning.RATE, errors.Meaning.BUSY):
        return warning(check, f"key …{key_end} was not answered: {first}", mend)
    return error(check, f"key …{key_end} is refused: {first}", mend)


def _expiry(check: str, key_end: str, info: object, now_s: float) -> list[Finding]:
    valid_until = (info.get("validUntil") or info.get("valid_until")) if isinstance(info, dict) else None
    try:
        until_s = float(valid_until or 0)
    except (TypeError, ValueError):
        return []
    if until_s <= 0:
        return []
    day = datetime.fromtimestamp(min(until_s, 2**33), UTC).strftime("%Y-%m-%d %H:%M UTC")
    mend = "make a new key at Kraken and set it in the configuration"
    if until_s <= now_s:
        return [error(check, f"key …{key_end} expired on {day}", mend)]
    if until_s - now_s < EXPIRES_SOON_S:
        return [warning(check, f"key …{key_end} expires on {day}", mend)]
    return []
