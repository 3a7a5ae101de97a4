"""Reports: what a run earned and why, as JSON, tables and a page."""
