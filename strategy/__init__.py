"""The strategy interface, its host, signals and models. All modules are cores but ``__main__``, the shell."""
