"""The state and the recent past of the bus, as the sections that people look at."""
