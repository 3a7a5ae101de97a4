"""Run one client's session against a simulator of its own: ``python -m tests.compat.session [--fixed-hosts] COMMAND``.

It needs a network and mount namespace of its own for ``--fixed-hosts`` (``unshare --map-root-user --net --mount``): in
there the simulator takes port 443, and Kraken's host names lead to it, for this client alone. TLS is always spoken, as
ccxt in JavaScript insists on it too. The exit code is the command's.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from simulator.certificate import HOSTS
from simulator.testing import Kraken, running_kraken

# Two with names of their own in version 1, and prices that begin with zeros: what checksums go wrong over.
PAIRS = ["BTC/USD", "ETH/USD", "SOL/USD", "DOGE/USD", "ETH/BTC"]
_SIOCSIFFLAGS, _IFF_UP = 0x8914, 0x1


def enclose(folder: Path) -> None:
    """Bring the namespace's loopback up, and let Kraken's host names lead to it. Raises OSError, CalledProcessError."""
    with socket.socket() as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", _IFF_UP))
    hosts = folder / "hosts"
    hosts.write_text(f"127.0.0.1 {' '.join(HOSTS)}\n")
    subprocess.run(["mount", "--bind", str(hosts), "/etc/hosts"], check=True)


def environment(kraken: Kraken) -> dict[str, str]:
    """Return what a session finds in its environment: addresses, a key, and the certificate to trust."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    key, secret = kraken.key
    trust = str(kraken.certificate)
    return {
        **kept,
        "KRAKEN_REST": kraken.rest_url,
        "KRAKEN_WS": kraken.ws_url,
        "KRAKEN_WS_AUTH": kraken.ws_auth_url,
        "KRAKEN_KEY": key,
        "KRAKEN_SECRET": secret,
        "SSL_CERT_FILE": trust,
        "REQUESTS_CA_BUNDLE": trust,
        "NODE_EXTRA_CA_CERTS": trust,
    }


def main(arguments: list[str]) -> int:
    """Start the simulator, run the command beside it, and return its exit code."""
    fixed = arguments[0] == "--fixed-hosts"
    command = arguments[1:] if fixed else arguments
    with tempfile.TemporaryDirectory(prefix="compat-") as folder:
        if fixed:
            enclose(Path(folder))
        with running_kraken(tls=True, port=443 if fixed else None, pairs=PAIRS) as kraken:
            return subprocess.run(command, env=environment(kraken), check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
