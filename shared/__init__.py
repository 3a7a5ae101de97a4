"""Needed by every process: bus, messages, configuration, process shell, numbers, Kraken's protocol."""
