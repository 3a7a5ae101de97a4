"""A Kraken that runs on your machine: WebSocket v2, REST, matching, a market, and accounts that survive a kill."""
