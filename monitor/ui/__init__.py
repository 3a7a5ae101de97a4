"""What the views for people share; each is a client of the bus or of the monitor's API, and none touches trading."""
