"""``tradebyte journal export``: fills, orders and ledger entries as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.common import ConfigOption, JsonOption, load, run_component
from monitor.cli.examples import epilog

journal = typer.Typer(
    help="The executor's journal.", no_args_is_help=True, context_settings={"help_option_names": ["-h", "--help"]}
)


@journal.callback()
def journal_group() -> None:
    """Read the executor's journal."""


@journal.command(epilog=epilog("journal"))
def export(
    config: ConfigOption = None,
    json: JsonOption = False,
    out: Annotated[Path | None, typer.Option("--out", metavar="DIR", help="A folder (else data/export-TIME).")] = None,
) -> None:
    """Write fills, orders and ledger entries as CSV; reads the journal of any version, and changes nothing in it."""
    options = [*(["--out", str(out.absolute())] if out else []), *(["--json"] if json else [])]
    run_component(load(config), "executor", "export", *options)
