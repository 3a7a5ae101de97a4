"""Market data in columns, and the sources that they are made of."""
