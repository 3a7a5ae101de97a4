"""The monitor's HTTP: what people look at as JSON and as a stream of changes, and what they may do about it.

``site.py`` knows what there is to say, ``routes.py`` where; ``guard.py`` who may ask; ``app.py`` puts them on a socket.
"""
