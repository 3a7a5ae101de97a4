"""``python -m backtest COMMAND``: the commands of this room, as ``tradebyte COMMAND`` runs them."""

from __future__ import annotations

import importlib
import sys
from typing import Final

# Each module has a ``main`` that takes the arguments after the command's name.
COMMANDS: Final = {
    "extract": "backtest.data.extract",
    "backtest": "backtest.exact.command",
    "screen": "backtest.screen.command",
    "calibrate": "backtest.calibration.command",
    "sweep": "backtest.sweep.command",
    "reconcile": "backtest.reconciliation.command",
    "regimes": "backtest.regimes.command",
    "score": "backtest.single_orders.command",
}


def main() -> None:
    """Run the command that the first argument names."""
    names = ", ".join(COMMANDS)
    if len(sys.argv) < 2 or sys.argv[1] not in COMMANDS:
        wrong = f"no command {sys.argv[1]!r}" if len(sys.argv) > 1 else "name a command"
        print(f"backtest: {wrong}; there is: {names}", file=sys.stderr)
        raise SystemExit(2)
    importlib.import_module(COMMANDS[sys.argv[1]]).main(sys.argv[2:])


if __name__ == "__main__":
    main()
