"""What the configuration's types cannot say, one concept a file."""
