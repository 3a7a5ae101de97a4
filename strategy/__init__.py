"""The strategy interface, its host, and the market maker. All modules are cores but ``__main__``, the shell."""
