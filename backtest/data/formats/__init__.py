"""Forms of market data: each is read into the rows of a market."""
