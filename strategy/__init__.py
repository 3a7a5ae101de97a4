"""The strategy interface, its host, and the market makers."""
