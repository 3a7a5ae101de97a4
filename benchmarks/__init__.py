"""Measurements behind every claim about performance."""
