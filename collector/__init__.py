"""Kraken market data onto the bus."""
