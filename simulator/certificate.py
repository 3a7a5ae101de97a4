"""A certificate for this machine's own use, for clients that speak only https and wss."""

from __future__ import annotations

import os
import ssl
import subprocess
from pathlib import Path

NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"
DAYS = "365"


class CertificateError(Exception):
    """No certificate could be made or read; ``str()`` says why."""


def context(folder: Path) -> ssl.SSLContext:
    """The server's TLS context with ``simulator.pem`` and ``simulator.key`` of a folder, made there when missing.

    Clients have to be told to trust ``simulator.pem`` (``SSL_CERT_FILE``, ``REQUESTS_CA_BUNDLE``,
    ``NODE_EXTRA_CA_CERTS``). Raises :class:`CertificateError`.
    """
    certificate, key = folder / "simulator.pem", folder / "simulator.key"
    if not certificate.exists() or not key.exists():
        _make(folder, certificate, key)
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        made.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        raise CertificateError(f"{certificate}: {error}") from error
    return made


def _make(folder: Path, certificate: Path, key: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    command = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", DAYS,
        "-subj", "/CN=localhost", "-addext", NAMES, "-keyout", str(key), "-out", str(certificate),
    ]  # fmt: skip
    try:
        before = os.umask(0o077)
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=30)
        finally:
            os.umask(before)
    except (OSError, subprocess.SubprocessError) as error:
        detail = getattr(error, "stderr", b"") or b""
        raise CertificateError(f"openssl made no certificate: {error} {detail.decode(errors='replace')}") from error
