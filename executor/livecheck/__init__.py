"""``doctor --live-check``: what is believed of Kraken, held against Kraken with two orders far from the market."""
