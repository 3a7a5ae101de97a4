"""REST (KRAKEN.md 4): the shell with keys and counters, public and private calls, their arguments and rows."""
