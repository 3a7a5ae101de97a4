"""The same orders in every backtester: which of them each one fills, and why where two differ."""
