"""The journal: what is written, archived, read back at a start, and exported."""
