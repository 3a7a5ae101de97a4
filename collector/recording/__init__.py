"""Recordings of the bus: written, read back, and played onto a bus of their own."""
