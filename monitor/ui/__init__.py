"""Shared parts of the views; each view is a client of the bus or of the monitor's API, and none touches trading."""
