"""Descriptions of who holds a port of this machine."""

from __future__ import annotations

import psutil

from shared.errors import Held


def describe(pid: int) -> str:
    """Return a process's pid, command and folder as text, as far as they can be seen."""
    try:
        process = psutil.Process(pid)
        return f"pid {pid} ({' '.join(process.cmdline()[1:5]) or process.name()}) in {process.cwd()}"
    except psutil.Error:
        return f"pid {pid}"


def listener(port: int) -> tuple[bool, int | None]:
    """Return whether anybody listens on a TCP port of this machine, and the pid if it can be seen."""
    try:
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
                return True, connection.pid
    except psutil.Error:
        pass
    return False, None


def port_holder(port: int) -> str:
    """Describe who listens on a TCP port of this machine."""
    is_taken, pid = listener(port)
    if not is_taken:
        return "another process"
    return describe(pid) if pid else "a process of another user"


def port_taken(port: int, key: str) -> Held:
    """Return the error for a taken port; ``key`` is the configuration's key for it."""
    return Held(f"port {port} is taken by {port_holder(port)}; stop that one, or change {key}")
