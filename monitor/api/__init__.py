"""The monitor's HTTP API: sections as JSON and as a stream of changes, and the controls.

``site.py`` has the sections, ``routes.py`` their paths, ``guard.py`` who may ask; ``app.py`` serves them.
"""
