"""Kraken's market data onto the bus.

``feed/`` is cores; ``__main__`` and ``replay`` are shells, and so are all but ``recorder`` in ``recording/``.
"""
