"""Reads YAML as the engine reads it: the core types of YAML 1.2, with the engine's few additions, and line numbers.

The engine (gopkg.in/yaml.v3, then JSON) and PyYAML (YAML 1.1) read the same text differently: `yes`, `12:30`, `1e3`,
`0o10`, dates, numbers with a leading zero. Whoever judges a stack file has to see what the program will see, so the
engine's rules are repeated here: https://github.com/go-yaml/yaml/blob/v3/resolve.go.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import yaml

from stacks.plaintext import mask
from stacks.problems import NOTHING, Problem
from stacks.tree import Path

PLAIN: Final = "tag:core"
"""Tag of a scalar without quotes and without a tag of its own."""
MOST_NODES: Final = 100_000
"""More than any stack file has; aliases of aliases reach it quickly."""

MOST_DEPTH: Final = 200
"""More than any stack file has; a composer that calls itself for each needs the machine's stack."""

_NULL: Final = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL: Final = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_NO_NUMBER: Final = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_INTEGER: Final = re.compile(r"[-+]?(0[xX][0-9a-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9][0-9]*)")
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_DAY: Final = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})"
    r"(?:(?:[Tt]| )(\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d+)?(Z|[-+]\d\d:\d\d)?)?"
)


class YamlError(ValueError):
    """The text is no YAML that a stack file may hold."""

    def __init__(self, problem: Problem, line: int | None) -> None:
        self.problem = problem
        self.line = line
        super().__init__(problem.line(line))


class _Loader(yaml.CSafeLoader):
    """Composes nodes; no scalar is resolved by the rules of YAML 1.1."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own form


_Loader.add_implicit_resolver(PLAIN, re.compile(r"", re.DOTALL), None)


@dataclass
class Document:
    """The data of a file and the line of every path in it."""

    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[tuple[Problem, int]] = field(default_factory=list)
    nodes: int = 0


def read(text: str) -> Document:
    """Read one document. Raises YamlError for broken syntax; wrong keys are listed in `problems`."""
    document = Document()
    try:
        _flat(text)
        node = _Loader(text).get_single_node()
        document.data = None if node is None else _value(node, (), document)
    except yaml.YAMLError as error:
        raise _broken(text, error) from None
    except RecursionError:
        what, fix = "is nested too deeply, or an alias contains itself", "write it flat"
        raise YamlError(Problem(path=("file",), what=what, fix=fix), None) from None
    return document


def _flat(text: str) -> None:
    """Raise RecursionError where collections stand in each other too deeply: composing them would end the process."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MOST_DEPTH:
            raise RecursionError


def _value(node: yaml.Node, path: Path, document: Document) -> Any:
    line = node.start_mark.line + 1
    document.lines.setdefault(path, line)
    document.nodes += 1
    if document.nodes > MOST_NODES:
        raise YamlError(
            Problem(path=path, what="aliases blow the file up", fix="write repeated parts out, or alias less"), line
        )
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, document)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, index), document) for index, item in enumerate(node.value)]
    if node.tag == PLAIN:
        return _plain(node.value, path, line, document)
    if node.tag != "tag:yaml.org,2002:str":
        fix = "remove the tag (`!...`); quotes make a text, no quotes a number"
        document.problems.append((Problem(path=path, what="carries a YAML tag, which is not used here", fix=fix), line))
    return node.value


def _mapping(node: yaml.MappingNode, path: Path, document: Document) -> dict[str, Any]:
    result: dict[str, Any] = {}
    merged: dict[str, Any] = {}
    first: dict[str, int] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if key_node.tag == PLAIN and key_node.value == "<<":
            merged |= {key: value for key, value in _merged(value_node, path, document).items() if key not in merged}
            continue
        if not isinstance(key_node, yaml.ScalarNode):
            what = "has a key that is no plain text"
            document.problems.append((Problem(path=path, what=what, fix="write keys as plain words"), line))
            continue
        key = _key(key_node, path, document)
        if key in result:
            what = f"stands here a second time, first on line {first[key]}"
            document.problems.append((Problem(path=(*path, key), what=what, fix="keep one of them"), line))
            continue
        first[key] = line
        document.lines[*path, key] = line
        result[key] = _value(value_node, (*path, key), document)
    return {**{key: value for key, value in merged.items() if key not in result}, **result}


def _merged(node: yaml.Node, path: Path, document: Document) -> dict[str, Any]:
    """Say what `<<` brings: a mapping or a list of them, the first one wins."""
    parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
    merged: dict[str, Any] = {}
    for part in parts:
        if not isinstance(part, yaml.MappingNode):
            problem = Problem(path=path, what="merges (`<<`) something that is no mapping", fix="point it at a mapping")
            document.problems.append((problem, node.start_mark.line + 1))
            continue
        inside = Document(nodes=document.nodes)  # its own problems are listed where it stands
        for key, value in _mapping(part, path, inside).items():
            merged.setdefault(key, value)
        document.nodes = inside.nodes
    return merged


def _key(node: yaml.ScalarNode, path: Path, document: Document) -> str:
    """Keys become text, in the way that the engine writes them."""
    if node.tag != PLAIN:
        return str(node.value)
    value = _plain(node.value, path, node.start_mark.line + 1, document)
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else format(value, "g") if isinstance(value, float) else str(value)


def _plain(text: str, path: Path, line: int, document: Document) -> Any:
    """Value of a scalar without quotes."""
    if text in _NULL:
        return None
    if text in _BOOL:
        return _BOOL[text]
    if _NO_NUMBER.fullmatch(text):
        fix = "write a number, or quote it"
        document.problems.append((Problem(path=path, what="is not a finite number", found=text, fix=fix), line))
        return None
    if text[0] not in "+-.0123456789":
        return text
    day = _timestamp(text)
    return day if day is not None else _number(text)


def _number(text: str) -> Any:
    digits = text.replace("_", "")
    if text[0] != "." and _INTEGER.fullmatch(digits):
        return _integer(digits)
    if _FLOAT.fullmatch(text if text[0] == "." else digits):
        value = float(digits)
        if value in (float("inf"), float("-inf")):
            return text
        return int(value) if value.is_integer() else value
    return text


def _integer(digits: str) -> int | float:
    sign = -1 if digits[0] == "-" else 1
    body = digits.lstrip("+-").lower()
    if body.startswith(("0x", "0b", "0o")):
        return sign * int(body, 0)
    return sign * (int(body, 8) if len(body) > 1 and body[0] == "0" else int(body))


def _timestamp(text: str) -> str | None:
    """Return a date as the engine hands it on: text in Go's form, always with a time."""
    match = _DAY.fullmatch(text)
    if match is None or ("T" not in text and "t" not in text and match[8]) or (match[4] and not _zoned(text, match)):
        return None
    try:
        year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
        moment = datetime(year, month, day, hour, minute, second, tzinfo=_zone(match[8]))
    except ValueError:
        return None
    offset = moment.strftime("%z")
    fraction = (match[7] or "").rstrip("0")
    return f"{moment:%Y-%m-%d %H:%M:%S}{'' if fraction == '.' else fraction} {offset} {_abbreviation(offset)}"


def _zoned(text: str, match: re.Match[str]) -> bool:
    """With a `T` the engine wants a zone, with a blank it wants none."""
    return bool(match[8]) == ("T" in text or "t" in text)


def _zone(text: str | None) -> timezone:
    if text in (None, "Z"):
        return UTC
    hours, minutes = str(text)[1:].split(":")
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if str(text)[0] == "-" else offset)


def _abbreviation(offset: str) -> str:
    return "UTC" if offset == "+0000" else offset


def _broken(text: str, error: yaml.YAMLError) -> YamlError:
    """Say what is wrong in words of the file; never the text around it."""
    mark = getattr(error, "problem_mark", None)
    started = getattr(error, "context_mark", None)
    problem = str(getattr(error, "problem", None) or "is not readable as YAML")
    context = str(getattr(error, "context", None) or "")
    number = mark.line + 1 if mark else None
    lines = text.splitlines()
    around = lines[mark.line] if mark and mark.line < len(lines) else ""
    if isinstance(error, yaml.reader.ReaderError):
        what, fix = "holds a character that YAML forbids", "remove it, or write it as an escape in double quotes"
    elif "\t" in around[: len(around) - len(around.lstrip())] or "'\\t'" in problem:
        what, fix = "is indented with a tab, which YAML forbids", "indent with spaces"
    elif "quoted scalar" in context or _open_quote(lines[:number]):
        number = _open_quote(lines[:number]) or (started.line + 1 if started else number)
        what, fix = "has a quote that is never closed", "close the quote"
    elif "did not find expected" in problem or "could not find expected" in problem:
        opened = f"; the block began on line {started.line + 1}" if started else ""
        what, fix = f"breaks the structure of the file ({problem}{opened})", "check indentation, colons and brackets"
    else:
        what, fix = f"is not YAML ({mask(problem)})", "check indentation, colons, quotes and brackets"
    return YamlError(Problem(path=("file",), what=what, fix=fix, found=NOTHING), number)


def _open_quote(lines: list[str]) -> int | None:
    """Return the number of the first line with a quote and no second one: what follows it is read as text."""
    for number, line in enumerate(lines, 1):
        code = re.sub(r"\\.|(^|\s)#.*", "", line)
        if code.count('"') % 2 or re.search(r"[:\[{,-]\s+'[^']*$", code):
            return number
    return None
