"""WebSocket version 2 (KRAKEN.md 1 and 3): sessions, channels, trading, and their messages."""
