"""A Kraken that runs on your machine: WebSocket v1 and v2, REST, a market, and accounts that survive a kill."""
