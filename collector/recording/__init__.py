"""Recordings of the bus: written, read, and played onto a bus of their own."""
