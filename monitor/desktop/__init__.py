"""``tradebyte desktop``: a window over the bus itself, so that it works without the monitor. Needs PyQt6, an extra."""
