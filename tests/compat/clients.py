"""The published clients of ``make compat``: their versions, and how each is installed and started."""

from __future__ import annotations

import enum
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = Path(__file__).resolve().parent
WORK = ROOT / "run" / "compat"
INSTALL_S = 1800.0


class Skipped(Exception):
    """The client cannot be had here; ``str()`` says why."""


class NotBuilt(Exception):
    """The client or the session that uses it does not compile; ``str()`` says why."""


class Kind(enum.Enum):
    """The way to install a client and to run its session."""

    PYTEST = "Python, its tests in tests/compat"
    PYTHON = "Python, in an environment of its own"
    NODE = "JavaScript"
    RUST = "Rust"


@dataclass(frozen=True)
class Client:
    """One published client. ``version`` is the pinned one; None takes what the project's own lock file installed.

    One with ``fixed_hosts`` cannot be told another address: it runs in a network namespace of its own. ``beside`` are
    requirements that its package leaves out.
    """

    name: str
    kind: Kind
    version: str | None = None
    fixed_hosts: bool = False
    beside: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """Return its name in the stored results; ccxt is there in two languages."""
        return f"{self.kind.name.lower()}/{self.name}"

    @property
    def folder(self) -> Path:
        """Return the folder where it is installed; nothing of it is committed."""
        return WORK / self.key

    @property
    def python(self) -> Path:
        """Return the interpreter of its own environment, of ``Kind.PYTHON``."""
        return self.folder / "venv" / "bin" / "python"

    @property
    def test(self) -> Path:
        """Return its test module, for ``Kind.PYTEST``."""
        return SOURCES / f"test_{self.name.replace('-', '_')}.py"


CLIENTS = (
    Client("ccxt", Kind.PYTEST),
    Client("krakenex", Kind.PYTEST),
    Client("python-kraken-sdk", Kind.PYTEST),
    # It sets columns in ways that pandas 3 refuses.
    Client("pykrakenapi", Kind.PYTHON, "0.3.2", beside=("pandas<3",)),
    Client("cryptofeed", Kind.PYTHON, "2.4.1", fixed_hosts=True),
    Client("ccxt", Kind.NODE, "4.5.84"),
    Client("ccxws", Kind.NODE, "0.47.0", fixed_hosts=True),
    Client("node-kraken-api", Kind.NODE, "2.2.2", fixed_hosts=True),
    Client("kraken-api", Kind.NODE, "1.0.2"),
    Client("kraken-async-rs", Kind.RUST, "0.16.0"),
    Client("krakenrs", Kind.RUST, "6.6.0", fixed_hosts=True),
)


def installed_version(client: Client) -> str:
    """Return the version that runs; raises :class:`Skipped` without one."""
    if client.version is not None:
        return client.version
    try:
        return metadata.version(client.name)
    except metadata.PackageNotFoundError as error:
        raise Skipped("not among the installed packages") from error


def install(client: Client) -> None:
    """Install a client into its folder unless it is there.

    Raises :class:`Skipped` when the toolchain is missing or the registry does not have it, :class:`NotBuilt` when it
    does not compile.
    """
    client.folder.mkdir(parents=True, exist_ok=True)
    if client.kind is Kind.PYTHON:
        _install_python(client)
    elif client.kind is Kind.NODE:
        _install_node(client)
    elif client.kind is Kind.RUST:
        _install_rust(client)


def command(client: Client) -> list[str]:
    """Return the command of an installed client's whole session. Raises :class:`Skipped` where it cannot run here."""
    if client.kind is Kind.PYTEST:
        # -rP prints what a test that passed has printed.
        return [sys.executable, "-m", "pytest", "-rP", "--timeout", "0", str(client.test)]
    if client.kind is Kind.PYTHON:
        session = [str(client.python), str(SOURCES / "python" / f"{client.name}_session.py")]
    elif client.kind is Kind.NODE:
        session = ["node", f"{client.name}.js"]
    else:
        session = [str(client.folder / "target" / "debug" / "session")]
    beside = [sys.executable, "-m", "tests.compat.session"]
    if not client.fixed_hosts:
        return [*beside, *session]
    namespace = ["unshare", "--map-root-user", "--net", "--mount"]
    try:
        # The very thing that the session does in there: some containers have namespaces and forbid mounts.
        subprocess.run([*namespace, "mount", "--bind", "/etc/hosts", "/etc/hosts"], check=True, capture_output=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise Skipped("its host names are fixed, and no network namespace can be made here") from error
    return [*namespace, *beside, "--fixed-hosts", *session]


def _install_python(client: Client) -> None:
    if not client.python.exists():
        _run([sys.executable, "-m", "venv", str(client.folder / "venv")], client)
    wanted = [f"{client.name}=={client.version}", *client.beside]
    _run([str(client.python), "-m", "pip", "install", "--quiet", *wanted], client)


def _install_node(client: Client) -> None:
    if shutil.which("npm") is None or shutil.which("node") is None:
        raise Skipped("no Node.js here")
    # Node looks for packages beside the program: the programs go where the packages are.
    shutil.copytree(SOURCES / "js", client.folder, dirs_exist_ok=True)
    (client.folder / "package.json").write_text('{"private": true}\n')
    package = f"{client.name}@{client.version}"
    _run(["npm", "install", "--no-save", "--no-package-lock", "--ignore-scripts", "--silent", package], client)


def _install_rust(client: Client) -> None:
    if shutil.which("cargo") is None:
        raise Skipped("no Rust toolchain here")
    # Built elsewhere than in the sources, so that no lock file and no target folder comes to lie there.
    shutil.copytree(SOURCES / "rust" / client.name, client.folder, dirs_exist_ok=True)
    _run(["cargo", "fetch", "--quiet"], client)
    try:
        _run(["nice", "-n", "10", "cargo", "build", "--quiet"], client, CARGO_TARGET_DIR=str(client.folder / "target"))
    except Skipped as error:
        raise NotBuilt(str(error)) from error


def _run(command: list[str], client: Client, **environment: str) -> None:
    try:
        subprocess.run(
            command,
            check=True,
            cwd=client.folder,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=INSTALL_S,
        )
    except subprocess.SubprocessError as error:
        errors = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
        lines = [line for line in errors.splitlines() if line.strip()] or [str(error)]
        first = next((line for line in lines if line.lower().startswith(("error", "npm error"))), lines[-1])
        raise Skipped(f"could not be installed: {without_addresses(first)}") from error


def without_addresses(text: str) -> str:
    """Return a line of an error without what belongs to this machine alone: paths, hosts, ports."""
    text = re.sub(r"\bhost='[^']*'|\bport=\d+", "…", text)
    # Not what is in the middle of a word: BTC/USD is a pair.
    return re.sub(r"\w+://\S+|(?<!\w)/[\w.~:/%@-]{2,}", "…", text)
