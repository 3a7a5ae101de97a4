"""From target to orders: the only process that sends any."""
