"""Order books from Kraken's raw frames, proven by their checksums."""
