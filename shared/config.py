"""The configuration: one YAML file, typed, checked whole before anything starts.

Found by ``--config``, else ``TRADEBYTE_CONFIG``, else ``config/config.yaml`` here. ``${NAME}`` takes an
environment variable. What is wrong raises :class:`ConfigError`, whose text names file, line and mend; a process
answers it with exit code 78. Relative paths count from the project's folder: the parent of the file's folder when
that is named ``config``, else the file's folder.
"""

from __future__ import annotations

import difflib
import os
import re
import typing
from pathlib import Path
from typing import Any

import msgspec
import yaml

from shared.config_checks import ConfigError, check, consent_file, require_consent
from shared.hosts import is_loopback
from shared.settings import (
    LIVE_REST,
    SANDBOX_KEYS,
    VISITOR_KEYS,
    Config,
    Curve,
    Key,
    Kraken,
    Level,
    SimAccount,
    Simulator,
    Strategy,
    Trading,
)

__all__ = [
    "LIVE_REST",
    "SANDBOX_KEYS",
    "VISITOR_KEYS",
    "Config",
    "ConfigError",
    "Curve",
    "Key",
    "Kraken",
    "SimAccount",
    "Simulator",
    "Strategy",
    "Trading",
    "check",
    "consent_file",
    "is_loopback",
    "load",
    "parse",
    "require_consent",
]

DEFAULT_PATH = Path("config/config.yaml")


def load(path: str | Path | None = None, *, required: bool = False, environ: dict[str, str] | None = None) -> Config:
    """Reads, expands, validates. With no file anywhere: defaults, unless ``required`` (a command that acts)."""
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
    """A configuration from YAML text; errors name ``source`` and the line."""
    try:
        node = yaml.compose(written, Loader=yaml.SafeLoader)
        tree = yaml.safe_load(written)
    except RecursionError as error:
        raise ConfigError(f"{source}:1: nested too deep to be a configuration") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        position = getattr(error, "position", None)  # of a character that YAML does not allow at all
        line = mark.line + 1 if mark else written[:position].count("\n") + 1
        place = f"{source}:{line}"
        problem = getattr(error, "problem", None) or str(error)
        raise ConfigError(f"{place}: not valid YAML: {problem}; mend the indentation or quoting there") from error
    if tree is None:
        raise ConfigError(f"{source}:1: the file is empty; take config/config.yaml of the project as a start")
    if not isinstance(tree, dict):
        raise ConfigError(
            f"{source}:1: expected top keys such as 'kraken:' and 'trading:', found {type(tree).__name__}"
        )
    lines = _lines(node)

    def where(key: str) -> str:
        while key and key not in lines:
            key = re.sub(r"(\.|^)[^.\[]+$|\[[^\]]*\]$", "", key)
        return f"{source}:{lines.get(key, 1)}"

    for internal in ("root", "source"):
        if internal in tree:
            raise ConfigError(f"{where(internal)}: unknown key '{internal}'; remove it")
    tree = _expand(tree, "", where, environ)
    try:
        config = msgspec.convert(_texted(tree), Config, strict=False)
    except msgspec.ValidationError as error:
        raise ConfigError(_explain(str(error), tree, where)) from error
    config.root, config.source = root, source
    check(config, where)
    _take_log_level(config, environ)
    return config


def _take_log_level(config: Config, environ: dict[str, str]) -> None:
    """``LOG_LEVEL`` of the environment wins over the file."""
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


def _lines(node: yaml.Node | None, prefix: str = "") -> dict[str, int]:
    """Line (from 1) of every key path: ``trading.pairs[0]``."""
    found: dict[str, int] = {}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            path = f"{prefix}.{key.value}" if prefix else str(key.value)
            found[path] = key.start_mark.line + 1
            found |= _lines(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            found[f"{prefix}[{index}]"] = value.start_mark.line + 1
            found |= _lines(value, f"{prefix}[{index}]")
    return found


_VARIABLE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")


def _expand(value: Any, path: str, where: Any, environ: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {k: _expand(v, f"{path}.{k}" if path else str(k), where, environ) for k, v in value.items()}
    if isinstance(value, list):
        return [_expand(v, f"{path}[{i}]", where, environ) for i, v in enumerate(value)]
    if not isinstance(value, str):
        return value

    def take(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in environ:
            raise ConfigError(
                f"{where(path)}: {path}: environment variable {name} is not set; export {name}, or write the value here"
            )
        return environ[name]

    return _VARIABLE.sub(take, value)


def _texted(value: Any) -> Any:
    """Floats as their text, so that a Decimal is read as written (0.1, not 0.1000000000000000055)."""
    if isinstance(value, dict):
        return {str(k): _texted(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_texted(v) for v in value]
    return repr(value) if isinstance(value, float) else value


def _explain(problem: str, tree: Any, where: Any) -> str:
    """A validation error of msgspec in words that name the line, the key and the likely one meant."""
    text, _, raw_path = problem.partition(" - at ")
    # Of a key the text itself says which.
    is_key = raw_path.startswith("`key`")
    path = raw_path.partition("`$")[2].rstrip("`").lstrip(".")
    unknown = re.match(r"Object contains unknown field `(.+)`", text)
    if unknown:
        name = unknown.group(1)
        key = f"{path}.{name}" if path else name
        allowed = _fields_at(path)
        close = difflib.get_close_matches(name, allowed, 1)
        mend = f"did you mean '{close[0]}'?" if close else f"allowed here: {', '.join(allowed)}"
        return f"{where(key)}: unknown key '{key}'; {mend}"
    if text.startswith("Invalid enum value"):
        kind = typing.get_args(_kind_at(path))[0] if is_key else _kind_at(path)
        text = f"{f'{text}, ' if is_key else ''}must be one of {', '.join(_words(kind))}"
    value = _value_at(tree, path)
    # What holds others may hold a secret.
    shown = "" if is_key or isinstance(value, dict | list) or _is_secret(path) else f", found {value!r}"
    return f"{where(path)}: {path or 'the file'}: {text}{shown}"


def _is_secret(path: str) -> bool:
    return bool(re.search(r"(key|secret|webhooks)", path))


def _kind_at(path: str) -> Any:
    kind: Any = Config
    for part in re.findall(r"[^.\[\]]+|\[[^\]]*\]", path):
        kind = _inner(kind, part)
    return kind


def _words(kind: Any) -> list[str]:
    """What a type with a few allowed values allows."""
    if typing.get_origin(kind) is typing.Literal:
        return [str(value) for value in typing.get_args(kind)]
    return [word for part in typing.get_args(kind) for word in _words(part)]


def _fields_at(path: str) -> list[str]:
    kind = _kind_at(path)
    if not (isinstance(kind, type) and issubclass(kind, msgspec.Struct)):
        return []
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    return [name for name in names if name not in ("root", "source")]


def _inner(kind: Any, part: str) -> Any:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        for field in msgspec.structs.fields(kind):
            if field.encode_name == part:
                return field.type
        return None
    arguments = [a for a in typing.get_args(kind) if a is not type(None)]
    return arguments[-1] if arguments else None


def _value_at(tree: Any, path: str) -> Any:
    for part in re.findall(r"[^.\[\]]+", path):
        if isinstance(tree, dict) and part in tree:
            tree = tree[part]
        elif isinstance(tree, list) and part.isdigit() and int(part) < len(tree):
            tree = tree[int(part)]
        else:
            break
    return tree
