"""Assets: what is held and its worth, what of it cannot be traded, and pairs that are out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from monitor.cli.doctor.finding import Finding, error, ok, warning
from monitor.model.status_object import Status
from monitor.model.troubles import held_and_rates

EARN_MEND: Final = (
    "move it to spot on Kraken's site to trade it, and see that auto-earn (Earn, settings) is off: it takes away "
    "what the executor counts on"
)


def positions(status: Status) -> list[Finding]:
    """Return findings on each traded base: an error for a held one, a warning for a rate that is not valid."""
    findings = []
    for is_bad, what, why in held_and_rates(status):
        mend = (
            "'tradebyte accept' takes it as wanted; or move it away"
            if is_bad
            else "'tradebyte status' shows the books that it goes by; it is valued again once they are live"
        )
        findings.append((error if is_bad else warning)("assets", f"{what}: {why}", mend))
    currency = status.currency
    worths = {asset: f" (worth {row.worth} {currency})" for asset, row in status.assets.items() if row.worth}
    rows = ", ".join(f"{asset} {row.position}{worths.get(asset, '')}" for asset, row in status.assets.items())
    return [*findings, ok("assets", f"positions beyond inventory_base: {rows}")] if rows else findings


def wallets(status: Status) -> list[Finding]:
    """Return findings on balances outside the spot wallet, which no order can use."""
    lying = [
        f"{amount} {asset} in {wallet}"
        for asset, row in status.assets.items()
        for wallet, amount in row.wallets.items()
    ]
    if lying:
        text = f"{', '.join(lying)}: it counts as yours and cannot be traded from there"
        return [warning("wallets", text, EARN_MEND)]
    return [ok("wallets", "all of the traded bases lies in the spot wallet")] if status.assets else []


def unlisted(pairs: Iterable[str]) -> list[Finding]:
    """Return an error for each configured pair that the exchange does not list."""
    mend = "take it out of trading.pairs, or write it as the exchange does; the other pairs are quoted"
    return [error("pairs", f"the exchange does not list {symbol}", mend) for symbol in pairs]
