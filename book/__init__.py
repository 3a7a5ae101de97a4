"""Order books from Kraken's raw frames, proven by their checksums.

All modules are cores but ``__main__``, the shell, and ``verify``, a command.
"""
