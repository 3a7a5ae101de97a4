"""WebSocket version 1 (KRAKEN.md 2): sessions, and the messages in its old form."""
