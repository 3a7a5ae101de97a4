"""Control of a running system: halt, resume, flatten, accept, restart, by the same code for commands, API and views.

Shells without printing: each waits for its effect and returns what happened, so call them where waiting is allowed.
"""
