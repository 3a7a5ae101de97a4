"""What people do to a running system: halt, resume, flatten, restart. The commands and the API do it by the same code.

Shells without printing: each waits for its effect and returns what happened, so call them where waiting is allowed.
"""
