"""A certificate for this machine's own use, for clients that speak only https and wss.

Its own authority signs one leaf, then the authority's key is deleted: who trusts the authority trusts that leaf
alone. An authority is needed because strict clients (rustls) refuse its certificate as a server's.
"""

from __future__ import annotations

import os
import ssl
import subprocess
from pathlib import Path

from simulator.errors import CertificateError

# This machine's names, and Kraken's for clients whose host names are fixed.
HOSTS = ("localhost", "api.kraken.com", "ws.kraken.com", "ws-auth.kraken.com", "ws-l3.kraken.com")
NAMES = ",".join([*(f"DNS:{host}" for host in HOSTS), "IP:127.0.0.1", "IP:::1"])
DAYS = "365"
_NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def context(folder: Path) -> ssl.SSLContext:
    """Return the server's TLS context with ``server.pem`` and ``simulator.key`` of a folder, made there when missing.

    Clients have to trust ``simulator.pem`` (``SSL_CERT_FILE``, ``REQUESTS_CA_BUNDLE``,
    ``NODE_EXTRA_CA_CERTS``). Raises :class:`CertificateError`.
    """
    chain, key = folder / "server.pem", folder / "simulator.key"
    if not all(path.exists() for path in (folder / "simulator.pem", chain, key)):
        _make(folder)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        made.load_cert_chain(chain, key)
    except (OSError, ssl.SSLError) as error:
        raise CertificateError(f"{chain}: {error}") from error
    return made


def _make(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    authority, authority_key = folder / "simulator.pem", folder / "authority.key"
    request, leaf, extensions = folder / "server.csr", folder / "server.pem", folder / "server.ext"
    extensions.write_text(
        f"basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth\n"
        f"subjectAltName={NAMES}\n"
    )
    before = os.umask(0o077)
    try:
        _openssl(
            "req", "-x509", *_NEW_KEY, "-days", DAYS, "-subj", "/CN=TradeByte simulator, this machine only",
            "-addext", "keyUsage=critical,keyCertSign", "-keyout", str(authority_key), "-out", str(authority),
        )  # fmt: skip
        _openssl(
            "req", "-new", *_NEW_KEY, "-subj", "/CN=localhost", "-keyout", str(folder / "simulator.key"), "-out",
            str(request),
        )  # fmt: skip
        _openssl(
            "x509", "-req", "-in", str(request), "-CA", str(authority), "-CAkey", str(authority_key),
            "-set_serial", "2", "-days", DAYS, "-extfile", str(extensions), "-out", str(leaf),
        )  # fmt: skip
    finally:
        os.umask(before)
        for path in (authority_key, request, extensions):
            path.unlink(missing_ok=True)


def _openssl(*arguments: str) -> None:
    try:
        subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as error:
        detail = getattr(error, "stderr", b"") or b""
        raise CertificateError(f"openssl made no certificate: {error} {detail.decode(errors='replace')}") from error
