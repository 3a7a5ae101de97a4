"""One module a page: what is fetched, and where it is shown."""
