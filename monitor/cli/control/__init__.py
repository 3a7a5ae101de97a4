"""The commands that change something, each by what :mod:`monitor.control` does."""
