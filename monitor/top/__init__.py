"""``tradebyte top``: everything in a terminal, read from the bus itself, so that it works without the monitor."""
