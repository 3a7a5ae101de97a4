"""Streaming measures that more than one component takes."""
