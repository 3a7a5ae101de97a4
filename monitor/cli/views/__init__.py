"""The commands that open a view: in the terminal, in a window, in a browser."""
