"""The exchange's memory on disk (SQLite): tables, rows, commits, and pages of the past."""
