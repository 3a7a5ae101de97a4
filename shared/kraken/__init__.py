"""Kraken's protocol, without I/O, and the thin reconnecting clients over it."""
