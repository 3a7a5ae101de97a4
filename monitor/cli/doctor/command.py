"""``tradebyte doctor``: everything that could keep it from trading, each with the mend.

With ``--go-live`` it asks for a person's consent to trade real money with this key, once per key.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Annotated, Final

import msgspec
import typer
from rich.console import Console
from rich.markup import escape

from monitor.cli import last_output
from monitor.cli.common import (
    EXIT_CONFIG,
    EXIT_FAILED,
    ConfigOption,
    JsonOption,
    console,
    fail,
    load,
    print_json,
    run_component,
)
from monitor.cli.doctor import assets, exchange, keys, local, questions, system
from monitor.cli.doctor.finding import Finding, error
from monitor.model import halted, status_details
from monitor.model.listener import gather
from monitor.model.view import DEAD
from monitor.watchdog import machine, supervisor
from shared import config as configuration, pausing
from shared.clock import boot_ns, rfc3339, wall_ns
from shared.config import Config, consent_file
from shared.errors import ConfigError, RestError, RestRefused, SecretError
from shared.kraken.rest import Rest
from shared.version import tradebyte_version

WORD: Final = "live"
# Long enough to measure the CPU without this command's own share.
LOOK_S: Final = 0.3
COLOURS: Final = {"ok": "green", "warning": "yellow", "error": "bold red"}


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that a person should know before consenting; of the key only its last four characters."""

    sandbox: bool
    key_ends_in: str
    halt_key_set: bool
    rest_url: str
    pairs: list[str]
    limits: dict[str, str]
    inventory_base: dict[str, str]
    consented: bool
    switch: str


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The findings and their counts, as ``doctor --json`` prints them."""

    ok: bool
    errors: int
    warnings: int
    findings: list[Finding]


def doctor(
    config: ConfigOption = None,
    json: JsonOption = False,
    go_live: Annotated[bool, typer.Option("--go-live", help="Consent to trade real money with this key.")] = False,
    live_check: Annotated[
        bool, typer.Option("--live-check", help="Hold what is believed of Kraken against it, with two tiny orders.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --live-check in the sandbox: do not ask.")] = False,
) -> None:
    """Look at all that could keep it from trading, and say what to do; exit 1 if something does."""
    if live_check:
        options = [*(["--json"] if json else []), *(["--yes"] if yes else [])]
        run_component(load(config, required=True), "executor", "live-check", *options)
    settings = _loaded(config, json=json, go_live=go_live)
    summary = gathered(settings)
    if go_live:
        if json:
            print_json(summary)
            fail("consent is a person's word: run 'tradebyte doctor --go-live' without --json on a terminal")
        show_summary(summary)
        consent(settings, summary)
        return
    findings = examine(settings)
    if json:
        print_json(msgspec.to_builtins(summary) | msgspec.to_builtins(report(findings)))
    else:
        show(findings, console())
    if any(finding.level == "error" for finding in findings):
        raise typer.Exit(EXIT_FAILED)


def _loaded(path: Path | None, *, json: bool, go_live: bool) -> Config:
    """Return the configuration; a wrong one is printed as a finding and exits with 78."""
    if json:
        try:
            configuration.load(path, required=go_live)
        except ConfigError as wrong:
            print_json(
                report([error("configuration", str(wrong), "mend it there; nothing trades on guessed settings")])
            )
    return load(path, required=go_live)


def examine(config: Config) -> list[Finding]:
    """Return the findings on everything, also where nobody answers."""
    looked = machine.Machine(config.data)
    began = time.monotonic()
    view = gather(config, lambda view: view.is_complete)
    now, wall = boot_ns(), wall_ns()
    status = last_output.added(status_details.status(view, config, now, wall, halted.text(config)), config)
    runs = any(process.state != DEAD for process in status.processes.values())
    time.sleep(max(0.0, LOOK_S - (time.monotonic() - began)))
    figures = looked.figures()
    answers = questions.ask(config)
    key_end = config.kraken.api_key[-4:]
    now_s = time.time()
    rust = view.book_status.rust if view.book_status is not None else None
    findings = [
        *local.configuration(config),
        local.strategies(config),
        *local.folders(config),
        *local.resources(figures, config),
        local.rust(running=rust),
        *local.programs(config, supervisor.supervisord_of(config)),
        *local.ports(config),
        *system.processes(status),
        *system.halted(halted.text(config)),
        *system.paused(pausing.paused(config)),
        *(system.books(status) if runs else []),
        *(system.trading(status, wall) if runs else []),
        *assets.positions(status),
        *assets.wallets(status),
        *assets.unlisted(dict.fromkeys([*status.unlisted, *answers.unlisted(config.trading.pairs)])),
        *exchange.connectivity(answers, config, expected=runs),
        *exchange.system_status(answers.status),
        *exchange.clock(system.executors_clock(view) or answers.clock),
    ]
    if answers.api_key is not None:
        findings += keys.executor_key(answers.api_key, key_end, now_s)
    elif answers.time.is_good:
        findings += system.executors_key(view, key_end)
    if answers.time.is_good:
        findings += keys.halt_key(answers.halt_key, config.kraken.halt_key[-4:], now_s)
        findings += keys.data_key(answers.data_key, config.kraken.data_key[-4:], now_s)
        findings += exchange.fees(exchange.maker_fees(view.account, answers.volume, answers.names))
        findings += system.others(view, answers.open_orders)
    if not config.kraken.sandbox and not consent_file(config).is_file():
        mend = "'tradebyte doctor --go-live' shows what will be done and asks for it, once per key"
        findings.append(error("consent", "nobody has consented to trade real money with this key", mend))
    return [*findings, local.journal(config)]


def report(findings: list[Finding]) -> Report:
    """Return the findings as ``doctor --json`` prints them."""
    counts = {level: sum(finding.level == level for finding in findings) for level in COLOURS}
    return Report(ok=not counts["error"], errors=counts["error"], warnings=counts["warning"], findings=findings)


def show(findings: list[Finding], out: Console) -> None:
    """Print the findings for people: the state, what it is about, and below it the mend."""
    for finding in findings:
        level = f"[{COLOURS[finding.level]}]{finding.level:<8}[/]"
        out.print(f"{level}{finding.check}: {escape(finding.text)}", soft_wrap=True)
        if finding.mend:
            out.print(f"        to do: {escape(finding.mend)}", soft_wrap=True)
    counts = report(findings)
    out.print()
    if counts.ok:
        out.print(f"nothing keeps it from trading; {counts.warnings} warnings")
    else:
        out.print(f"[bold red]{counts.errors} of these keep it from trading[/]; {counts.warnings} warnings")


def gathered(config: Config) -> Summary:
    """Return what a person should know; of the key only its last four characters."""
    kraken, trading = config.kraken, config.trading
    return Summary(
        sandbox=kraken.sandbox,
        key_ends_in=kraken.api_key[-4:],
        halt_key_set=bool(kraken.halt_key and kraken.halt_secret),
        rest_url=kraken.rest_url,
        pairs=trading.pairs,
        limits={
            name: str(getattr(trading, name))
            for name in (
                "max_position_size",
                "max_order_size",
                "max_gross_position",
                "max_daily_loss",
                "max_open_orders",
                "price_band_percent",
            )
        },
        inventory_base={asset: str(amount) for asset, amount in (trading.inventory_base or {}).items()},
        consented=kraken.sandbox or consent_file(config).is_file(),
        switch="when the executor dies, Kraken pulls EVERY order on the account after 15 s, also those not ours",
    )


def show_summary(summary: Summary) -> None:
    """Print what a person consents to: the mode, the key, its rights and the limits."""
    print(f"mode             {'sandbox' if summary.sandbox else 'LIVE, real money'} ({summary.rest_url})")
    print(f"key              ends in {summary.key_ends_in}; consent given: {'yes' if summary.consented else 'no'}")
    print(f"halt key         {'set' if summary.halt_key_set else 'not set: halt then relies on the executor alone'}")
    print(f"pairs            {', '.join(summary.pairs)}")
    for name, value in summary.limits.items():
        print(f"{name:<20} {value}")
    kept = ", ".join(f"{amount} {asset}" for asset, amount in summary.inventory_base.items())
    print(f"kept (inventory_base): {kept or 'nothing'}")
    print(f"dead man's switch: {summary.switch}")


def consent(config: Config, summary: Summary) -> None:
    """Ask a person for the word, and keep it; exit with the reason where there is nothing to consent to."""
    if summary.sandbox:
        fail("kraken.sandbox is true: there is nothing to consent to; set it to false, with your own keys", EXIT_CONFIG)
    if summary.consented:
        print("consent for this key was given already")
        return
    rights = permissions(config)
    print(f"this key may: {', '.join(rights)}")
    if keys.may_withdraw(rights):
        fail("this key may withdraw money, which nothing here needs: take that right from it at Kraken, then come back")
    if not sys.stdin.isatty():
        fail("consent is a person's word: run it on a terminal")
    answer = input(f"Type '{WORD}' to let TradeByte trade real money with this key: ")
    if answer.strip() != WORD:
        fail("nothing changed")
    file = consent_file(config)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
        opened.write(f"{rfc3339(wall_ns())} key ending in {summary.key_ends_in}\n")
        opened.flush()
        os.fsync(opened.fileno())
    print("consent given for this key; start the executor")


def permissions(config: Config) -> list[str]:
    """Return what the key may do by Kraken; end the command where Kraken does not say."""
    try:
        info = asyncio.run(_key_info(config))
    except (RestError, RestRefused, SecretError) as error:
        fail(f"Kraken did not say what this key may do ({error}); without that there is no going live")
    rights = keys.rights_of(info)
    if not rights:
        fail(f"Kraken's answer does not list what this key may do ({str(info)[:80]}); without that no going live")
    return rights


async def _key_info(config: Config) -> object:
    kraken = config.kraken
    rest = Rest(kraken.rest_url, kraken.api_key, kraken.api_secret, f"TradeByte/{tradebyte_version()}")
    try:
        # A nonce above the executor's would end it; without consent none runs with this key yet.
        return await rest.private("GetApiKeyInfo", {}, wall_ns())
    finally:
        await rest.close()
