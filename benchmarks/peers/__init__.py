"""The rule of backtest_peers in other backtesters, each run by a Python that has it installed; no import of ours."""
