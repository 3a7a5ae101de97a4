"""The journal: written, archived, read back at a start, looked up and exported."""
