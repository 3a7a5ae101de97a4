"""Reading the configuration: it is found, expanded, typed and checked whole before anything starts.

The file is the one of ``--config``, else of ``TRADEBYTE_CONFIG``, else ``config/config.yaml`` in the current folder.
``${NAME}`` takes an environment variable. A :class:`ConfigError` names file, line and mend; a process then exits with
78. Relative paths count from the project's folder: the parent of the file's folder if that is named ``config``, else
the file's folder.
"""

from __future__ import annotations

import os
import re
import typing
from collections.abc import Callable
from pathlib import Path

import msgspec

from shared.config import yaml_text
from shared.config.checks.check import check
from shared.config.errors import explained
from shared.config.logging import Level
from shared.config.schema import NOT_FROM_THE_FILE, Config
from shared.errors import ConfigError, YamlProblem

DEFAULT_PATH = Path("config/config.yaml")


def load(path: str | Path | None = None, *, required: bool = False, environ: dict[str, str] | None = None) -> Config:
    """Return the configuration; without a file the defaults, unless it is ``required`` (by a command that acts)."""
    environment = dict(os.environ) if environ is None else environ
    named = path or environment.get("TRADEBYTE_CONFIG")
    source = Path(named) if named else DEFAULT_PATH
    if not source.is_file():
        if named or required:
            raise ConfigError(f"{source}: no such file; name one with --config or TRADEBYTE_CONFIG")
        config = Config(root=Path.cwd())
        check(config, lambda _key: "built-in defaults")
        _take_log_level(config, environment)
        return config
    source = source.resolve()
    root = source.parent.parent if source.parent.name == "config" else source.parent
    try:
        written = source.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{source}: cannot be read ({error}); it must be UTF-8 text you may read") from error
    return parse(written, source, root, environment)


def parse(written: str, source: Path, root: Path, environ: dict[str, str]) -> Config:
    """Return the configuration in a YAML text; errors name ``source`` and the line."""
    try:
        tree, lines = yaml_text.read(written)
    except YamlProblem as problem:
        key = f"{problem.key}: " if problem.key else ""
        raise ConfigError(f"{source}:{problem.line}: {key}{problem}") from problem
    if tree is None:
        raise ConfigError(f"{source}:1: the file is empty; take config/config.yaml of the project as a start")
    if not isinstance(tree, dict):
        raise ConfigError(
            f"{source}:1: expected top keys such as 'kraken:' and 'trading:', found {type(tree).__name__}"
        )

    def where(key: str) -> str:
        return f"{source}:{_line_of(lines, key)}"

    for internal in NOT_FROM_THE_FILE:
        if internal in tree:
            raise ConfigError(f"{where(internal)}: unknown key '{internal}'; remove it")
    tree = {key: _expand(value, str(key), where, environ) for key, value in tree.items()}
    try:
        config = msgspec.convert(_named(tree), Config, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(explained(str(error), tree, where)) from error
    config.root, config.source = root, source
    _leave_out_halt_key(config, tree)
    check(config, where)
    _take_log_level(config, environ)
    return config


def place(config: Config, key: str) -> str:
    """Return ``FILE:LINE`` of a key path such as ``trading.pairs[0]``, or of the nearest key above it."""
    if config.source is None:
        return "built-in defaults"
    try:
        _, lines = yaml_text.read(config.source.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YamlProblem):
        return str(config.source)  # changed since it was loaded
    return f"{config.source}:{_line_of(lines, key)}"


def _line_of(lines: dict[str, int], key: str) -> int:
    while key and key not in lines:
        key = re.sub(r"(\.|^)[^.\[]+$|\[[^\]]*\]$", "", key)
    return lines.get(key, 1)


def _leave_out_halt_key(config: Config, tree: dict[str, object]) -> None:
    """Leave the halt key's parts empty that the file leaves out, if the sandbox's defaults would not match the rest."""
    section = tree.get("kraken")
    written: dict[str, object] = section if isinstance(section, dict) else {}
    names = ("halt_key", "halt_secret")
    if not config.kraken.sandbox or any(written.get(name) == "" for name in names):
        config.kraken = msgspec.structs.replace(config.kraken, **{name: "" for name in names if name not in written})


def _take_log_level(config: Config, environ: dict[str, str]) -> None:
    """Let ``LOG_LEVEL`` of the environment win over the file."""
    wanted = environ.get("LOG_LEVEL", "").strip().lower()
    if not wanted:
        return
    level = {"warn": "warning"}.get(wanted, wanted)
    allowed = typing.get_args(Level)
    if level not in allowed:
        raise ConfigError(
            f"environment variable LOG_LEVEL is {wanted!r}; allowed: {', '.join(allowed)}; mend it, or unset it"
        )
    config.logging = msgspec.structs.replace(config.logging, level=level)


_VARIABLE = re.compile(r"\$\{([^}]*)\}?")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _expand(value: object, path: str, where: Callable[[str], str], environ: dict[str, str]) -> object:
    if isinstance(value, dict):
        return {k: _expand(v, f"{path}.{k}" if path else str(k), where, environ) for k, v in value.items()}
    if isinstance(value, list):
        return [_expand(v, f"{path}[{i}]", where, environ) for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value

    def take(match: re.Match[str]) -> str:
        name = match.group(1)
        if not _NAME.fullmatch(name) or not match.group().endswith("}"):
            raise ConfigError(
                f"{where(path)}: {path}: a variable is written ${{NAME}}, with nothing else in the braces, such as a "
                "default; mend it there"
            )
        if name not in environ:
            raise ConfigError(
                f"{where(path)}: {path}: environment variable {name} is not set; export {name}, or write the value here"
            )
        return environ[name]

    return _VARIABLE.sub(take, value)


def _named(value: object) -> object:
    """Return keys as text: an asset, a pair or a strategy may have a name that reads as a number."""
    if isinstance(value, dict):
        return {str(key): _named(inner) for key, inner in value.items()}
    return [_named(inner) for inner in value] if isinstance(value, list) else value
