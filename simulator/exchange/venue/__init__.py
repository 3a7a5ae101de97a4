"""One pair's market place: its book, single orders, candles, and the messages that its subscribers get."""
