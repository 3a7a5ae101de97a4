"""The monitor: the ``tradebyte`` command, health and watchdog, alerts, HTTP API."""
