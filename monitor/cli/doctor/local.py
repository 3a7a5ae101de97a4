"""This machine: the configuration's file and folders, CPU, memory, disk, Rust, ports, supervisord, the journal."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from monitor import children
from monitor.cli.doctor.finding import Finding, error, ok, warning
from monitor.errors import SupervisorAbsent, SupervisorRefused
from monitor.model.alerting.shortages import shortages
from monitor.model.status_object import MachineFigures
from monitor.watchdog import supervisor
from shared.config import Config
from shared.process import holders

JOURNAL_S: Final = 30.0
EXIT_CONFIG: Final = 78


def configuration(config: Config) -> list[Finding]:
    """Return which file is in force, and who may read the keys in it."""
    if config.source is None:
        mend = "run it in the project's folder, or name the file: --config PATH or TRADEBYTE_CONFIG"
        return [warning("configuration", "there is no file: the built-in sandbox defaults are in force", mend)]
    findings = [ok("configuration", f"{config.source} is in force")]
    if config.trading.dry_run:
        mend = "set trading.dry_run: false when you have seen enough, then 'tradebyte restart all'"
        findings.append(
            warning("configuration", "dry_run is true: everything is planned and journalled, nothing is sent", mend)
        )
    mode = stat.S_IMODE(config.source.stat().st_mode)
    if mode & 0o077 and _holds_secret(config):
        text = f"{config.source} holds live secrets and others on this machine may read it (mode {mode:04o})"
        findings.append(warning("file-permissions", text, f"chmod 600 {config.source}, or take them by ${{NAME}}"))
    else:
        findings.append(ok("file-permissions", f"{config.source.name} (mode {mode:04o}) shows others no live secret"))
    return findings


def _holds_secret(config: Config) -> bool:
    """True if the file holds a live secret. A webhook's address is one in the sandbox too, where keys open nothing."""
    assert config.source is not None
    written = config.source.read_text(encoding="utf-8")
    secrets = [webhook.url for webhook in config.monitor.webhooks]
    if not config.kraken.sandbox:
        secrets += [config.kraken.api_secret, config.kraken.halt_secret, config.kraken.data_secret]
    return any(secret and secret in written for secret in secrets)


def folders(config: Config) -> list[Finding]:
    """Return a finding on the folders that a run writes to."""
    closed = []
    for folder in (config.run, config.data, config.logs):
        there = next(place for place in (folder, *folder.parents) if place.exists())
        if not os.access(there, os.W_OK | os.X_OK):
            closed.append(str(folder))
    if closed:
        mend = "give them to the user that runs TradeByte (chown), or name others under logging:"
        return [error("folders", f"cannot be written: {', '.join(closed)}", mend)]
    return [ok("folders", f"{config.run}, {config.data.name} and {config.logs.name} can be written")]


def resources(figures: MachineFigures, config: Config) -> list[Finding]:
    """Return findings on CPU, memory and disk; a disk almost without room is an error."""
    lacking = shortages(figures, config.monitor)
    measured = {
        "cpu": f"{figures.cpu_percent:.0f} % of {figures.cpus} CPUs busy",
        "memory": f"{figures.memory_free_mb} MB of memory free ({figures.memory_percent:.0f} % used)",
        "disk": f"{figures.disk_free_mb} MB of disk free ({figures.disk_percent:.0f} % used)",
    }
    findings = []
    for name, text in measured.items():
        if name not in lacking:
            findings.append(ok(name, text))
            continue
        what, mend = lacking[name]
        is_full = name == "disk" and figures.disk_free_mb < config.monitor.disk_free_mb / 10
        findings.append((error if is_full else warning)(name, what, mend))
    return findings


def rust(*, running: bool | None) -> Finding:
    """Check that the Rust module is built; ``running``: the book process uses it, None where unheard."""
    if running is None:
        probe = [sys.executable, "-c", "import rust_client; rust_client.OrderBook"]
        running = subprocess.run(probe, capture_output=True, check=False).returncode == 0
        text = "is built" if running else "is not built"
    else:
        text = "is built and in use" if running else "is not in use"
    if running:
        return ok("rust", f"the Rust module {text}")
    mend = "'make rust' builds it where a Rust toolchain (cargo) is; logs/setup-rust.log says what went wrong"
    return warning("rust", f"the Rust module {text}: the Python twins do the same work, slower", mend)


def ports(config: Config) -> list[Finding]:
    """Return findings on the configured TCP ports: free, ours, or another process's."""
    wanted = {"monitor.port": ("monitor", config.monitor.port)}
    if config.kraken.sandbox:
        wanted = {"simulator.port": ("simulator", config.simulator.port)} | wanted
    for process, endpoint in config.bus.items():
        if isinstance(endpoint, str) and endpoint.startswith("tcp://") and process in config.process_names:
            wanted[f"bus.{process}"] = (process, urlsplit(endpoint).port or 0)
    return [_port(config, key, process, port) for key, (process, port) in wanted.items()]


def _port(config: Config, key: str, process: str, port: int) -> Finding:
    is_taken, pid = holders.listener(port)
    if not is_taken:
        return ok("ports", f"port {port} ({key}) is free; {process} does not run")
    if pid is not None and pid == lock_holder(config.run, process):
        return ok("ports", f"port {port} ({key}) is held by our {process}, pid {pid}")
    return error(
        "ports",
        f"port {port} ({key}) is taken by {holders.describe(pid) if pid else 'a process of another user'}",
        f"stop that one, or change {key} in the configuration",
    )


def lock_holder(folder: Path, process: str) -> int | None:
    """Return the pid that is written in a process's lock file, dead or alive."""
    try:
        fields = (folder / f"{process}.lock").read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError):
        return None
    return int(fields[1]) if len(fields) > 1 and fields[0] == "pid" and fields[1].isdigit() else None


def programs(config: Config, supervisord: supervisor.Supervisor) -> list[Finding]:
    """Return findings on supervisord and each of its programs."""
    try:
        infos = {info.name: info for info in supervisord.every()}
    except SupervisorAbsent:
        mend = "'make run' in a terminal, or '.venv/bin/supervisord -c supervisord.conf' as a daemon"
        return [warning("supervisord", "supervisord does not run: nothing restarts what dies", mend)]
    except SupervisorRefused as refusal:
        return [warning("supervisord", str(refusal), "see logs/supervisord.log")]
    findings = []
    for process in config.process_names:
        program = supervisor.program_of(config, process)
        info = infos.get(program)
        if info is None:
            mend = "add a section for it, as config/supervisor.d/ shows, then 'supervisorctl update'"
            findings.append(error("supervisord", f"supervisord has no program {program}", mend))
        elif info.statename not in ("RUNNING", "STARTING"):
            mend = f"supervisorctl -c supervisord.conf start {program}; why it ended is in logs/{program}.out.log"
            if info.exitstatus == EXIT_CONFIG:
                mend = f"mend the configuration as logs/{program}.out.log says, then 'tradebyte restart {process}'"
            state = f"{program} is {info.statename.lower()} (exit code {info.exitstatus})"
            findings.append(error("supervisord", state, mend))
    return findings or [ok("supervisord", f"supervisord runs all {len(config.process_names)} programs")]


def strategies(config: Config) -> Finding:
    """Return a finding on every strategy's class and settings, read by the strategies' own command."""
    ran = _component(config, "strategy", "--check")
    if ran is None:
        return warning("strategies", f"their settings were not read within {JOURNAL_S:.0f} s", "see what takes the CPU")
    if ran.returncode:
        why = (ran.stderr.strip().splitlines() or ["no reason given"])[-1]
        return error("strategies", why.removeprefix("strategy: "), "mend it there, then 'tradebyte restart strategy'")
    return ok("strategies", f"the settings of {', '.join(config.strategies)} are good")


def journal(config: Config) -> Finding:
    """Return a finding on the executor's journal, read by the executor's own command."""
    file = config.data / "journal.sqlite"
    if not file.exists():
        return ok("journal", "there is no journal yet; the executor begins one at its first start")
    ran = _component(config, "executor", "fills", "--json", "--count", "1")
    if ran is None:
        return warning("journal", f"{file} was not read within {JOURNAL_S:.0f} s", "see whether the disk works")
    if ran.returncode:
        why = (ran.stderr.strip().splitlines() or ["no reason given"])[-1]
        mend = "move the file away to begin a new journal: fills so far stay at the exchange, and in the file"
        return error("journal", f"{file} cannot be read: {why.removeprefix('fills: ')}", mend)
    return ok("journal", f"{file} can be read ({file.stat().st_size // 1024} kB)")


def _component(config: Config, module: str, *arguments: str) -> subprocess.CompletedProcess[str] | None:
    """Run another component's command as a process; return None where it took too long."""
    try:
        return subprocess.run(
            children.command(config, module, *arguments),
            capture_output=True,
            text=True,
            timeout=JOURNAL_S,
            check=False,
            cwd=config.root,
            env=children.environment(),
        )
    except subprocess.TimeoutExpired:
        return None
