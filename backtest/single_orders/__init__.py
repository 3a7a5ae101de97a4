"""Kraken's ``level3`` channel: each order of the book in a table, played by true FIFO, and queue models held to it."""
