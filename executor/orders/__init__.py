"""Orders: what one is, how events change it, and all that are known."""
