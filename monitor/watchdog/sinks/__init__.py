"""Where alerts go besides the log, the bus and the views."""
