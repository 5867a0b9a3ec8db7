"""The part of GitHub's expressions that our workflows use, evaluated: a second opinion on what starts which job."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_TOKEN = re.compile(r"\s*(?:(?P<op>==|!=|&&|\|\||[()])|'(?P<text>[^']*)'|(?P<name>[a-z_][a-z_.]*))")


def evaluate(text: str, context: Mapping[str, Any]) -> Any:
    """Value of an expression; unknown names are empty, as at the forge."""
    tokens = []
    position = 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        assert match, f"not understood: {text[position:]}"
        tokens.append((match.lastgroup, match[match.lastgroup or 0]))
        position = match.end()
    value, rest = _or(tokens, context)
    assert not rest, f"left over: {rest}"
    return value


def _or(tokens: list[Any], context: Mapping[str, Any]) -> tuple[Any, list[Any]]:
    value, tokens = _and(tokens, context)
    while tokens and tokens[0] == ("op", "||"):
        other, tokens = _and(tokens[1:], context)
        value = value or other
    return value, tokens


def _and(tokens: list[Any], context: Mapping[str, Any]) -> tuple[Any, list[Any]]:
    value, tokens = _compare(tokens, context)
    while tokens and tokens[0] == ("op", "&&"):
        other, tokens = _compare(tokens[1:], context)
        value = value and other
    return value, tokens


def _compare(tokens: list[Any], context: Mapping[str, Any]) -> tuple[Any, list[Any]]:
    value, tokens = _atom(tokens, context)
    if tokens and tokens[0] in {("op", "=="), ("op", "!=")}:
        other, rest = _atom(tokens[1:], context)
        return (value == other) == (tokens[0][1] == "=="), rest
    return value, tokens


def _atom(tokens: list[Any], context: Mapping[str, Any]) -> tuple[Any, list[Any]]:
    (kind, word), *rest = tokens
    if (kind, word) == ("op", "("):
        value, rest = _or(rest, context)
        assert rest[0] == ("op", ")")
        return value, rest[1:]
    return (word if kind == "text" else context.get(word, "")), rest
