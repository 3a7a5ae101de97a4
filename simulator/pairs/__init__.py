"""The pairs and assets that can be listed: the tables that ship, names, fees, and the arithmetic of amounts."""
