"""The configuration's text as plain values, each with its line: YAML without values that it would misread.

YAML 1.1 reads ``0250`` as 168, ``1:30`` as 90, ``ON`` as true, and takes the last of two equal keys. Here a word stays
a word, a decimal number keeps its text, and what could be misread raises :class:`YamlProblem`.
"""

from __future__ import annotations

import re
from typing import Any, Final  # Any: a person's file, before it is validated

import yaml

from shared import limits
from shared.errors import YamlProblem

_BOOL: Final = "tag:yaml.org,2002:bool"
_FLOAT: Final = "tag:yaml.org,2002:float"
_INT: Final = "tag:yaml.org,2002:int"
_MERGE: Final = "tag:yaml.org,2002:merge"
_NULL: Final = "tag:yaml.org,2002:null"
_STR: Final = "tag:yaml.org,2002:str"
# Text that YAML 1.1 reads as another number than most people mean: octal, base 60, hexadecimal, binary, underscores.
_MISREAD: Final = re.compile(r"[-+]?(0\d[\d_.]*|\d[\d_]*(:[0-9]+)+(\.\d*)?|0[xob][0-9a-fA-F_]+|\d+(_\d+)+(\.\d*)?)")


class _Loader(yaml.SafeLoader):
    """A SafeLoader that knows decimal numbers, true, false and null; everything else is a word."""

    yaml_implicit_resolvers: dict[str, Any] = {}


def _resolve(tag: str, pattern: str, first: str) -> None:
    # PyYAML looks only at the beginning; the whole word must match.
    _Loader.add_implicit_resolver(tag, re.compile(rf"(?:{pattern})\Z"), list(first) or [""])


_resolve(_BOOL, "true|True|TRUE|false|False|FALSE", "tTfF")
_resolve(_NULL, "~|null|Null|NULL", "~nN")
_resolve(_NULL, "", "")
_resolve(_INT, "[-+]?(0|[1-9][0-9]*)", "-+0123456789")
_resolve(
    _FLOAT,
    r"[-+]?((0|[1-9][0-9]*)(\.[0-9]*)?|\.[0-9]+)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
    "-+.0123456789",
)
_resolve(_MERGE, "<<", "<")


def _as_written(_loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    """Keep a number's text, so that a Decimal is read as written."""
    text = str(node.value).lower().lstrip("+")
    return {".inf": "inf", "-.inf": "-inf", ".nan": "nan"}.get(text, text)


_Loader.add_constructor(_FLOAT, _as_written)


def read(written: str) -> tuple[Any, dict[str, int]]:
    """Return the values of YAML text, and the line of every key path (``trading.pairs[0]``)."""
    lines: dict[str, int] = {}
    try:
        # In the try: the constructor reads the text already.
        loader = _Loader(written)
        node = loader.get_single_node()
        if node is None:
            return None, lines
        _note(node, "", lines)
        return loader.construct_document(node), lines
    except RecursionError as error:
        raise YamlProblem(1, "", "nested too deep to be a configuration") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        position = getattr(error, "position", None)  # that of a character which YAML does not allow
        line = mark.line + 1 if mark else written[:position].count("\n") + 1
        problem = getattr(error, "problem", None) or str(error)
        text = f"not valid YAML: {problem}; mend the indentation or quoting there"
        raise YamlProblem(line, "", text) from error


def _note(node: yaml.Node, path: str, lines: dict[str, int]) -> None:
    """Note the line of each key below ``path``; refuse duplicate keys, and numbers that could be misread."""
    if len(lines) > limits.CONFIG_KEYS:
        text = f"more than {limits.CONFIG_KEYS} keys, aliases counted each time: too many to be a configuration"
        raise YamlProblem(node.start_mark.line + 1, path, text)
    if isinstance(node, yaml.MappingNode):
        inside: dict[str, int] = {}
        for key, value in node.value:
            name = str(key.value)
            below = f"{path}.{name}" if path else name
            line = key.start_mark.line + 1
            if name in inside:
                both = f"is there twice, in lines {inside[name]} and {line}; keep one of them"
                raise YamlProblem(line, below, both)
            _refuse_misread(key, below)
            inside[name] = lines[below] = line
            _note(value, below, lines)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            below = f"{path}[{index}]"
            lines[below] = value.start_mark.line + 1
            _note(value, below, lines)
    else:
        _refuse_misread(node, path)


def _refuse_misread(node: yaml.Node, path: str) -> None:
    """Refuse a plain word that YAML 1.1 reads as a number of another base."""
    is_plain = isinstance(node, yaml.ScalarNode) and node.style is None and node.tag == _STR
    if is_plain and _MISREAD.fullmatch(str(node.value)):
        text = (
            f"{node.value} may be read as another number than is meant (a leading zero, ':' or '_' in it, or another "
            "base); write a plain decimal number, or put it in quotes if it is a word"
        )
        raise YamlProblem(node.start_mark.line + 1, path, text)
