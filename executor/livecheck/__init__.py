"""``doctor --live-check``: checks what we assume about Kraken against Kraken, with two orders far from the market."""
