"""What a property was and what it will be, as short text: secrets masked, unknowns marked, long values cut."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from automation.redact import MASK

UNKNOWN: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SHOWN_UNKNOWN: Final = "(known after the update)"
ABSENT: Final = "(none)"
LONGEST: Final = 120
"""Characters of one value."""
SPECIAL: Final = "4dabf18193072939515e22adb298388d"
"""The engine's mark of special values in a state."""
_SEGMENT: Final = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.\[\]]+)')
_SENSITIVE: Final = re.compile(
    r"passw|passphrase|secret|token|credential|private_?key|api_?key|access_?key|connection_?string|kubeconfig|"
    r"signing_?key|client_?key|certificate_?authority_?data",
    re.IGNORECASE,
)
_HARMLESS: Final = re.compile(r"(secretName|secretRef|secretId|tokenTtl|automountServiceAccountToken)$", re.IGNORECASE)
_WITH_PASSWORD: Final = re.compile(r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)")
_KEY_TEXT: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*", re.DOTALL)
SECRET_PROPERTIES: Final[Mapping[str, tuple[str, ...]]] = {"kubernetes:core/v1:Secret": ("data", "stringData")}
NOISE: Final = ("optimizer-evidence", "__defaults")
"""Property names whose change follows another change: hashes of the plan, the engine's own notes."""
_MISSING: Final = object()


def segments(path: str) -> list[str | int]:
    """Split a path in the engine's spelling: `tags["a.b"]`, `rules[0].port`."""
    found: list[str | int] = []
    for quoted, index, plain in _SEGMENT.findall(path):
        found.append(int(index) if index else (quoted.replace('\\"', '"') if quoted else plain))
    return found


def at(value: Any, path: str) -> Any:
    """The value at a path; a marker of its own when there is none."""
    for part in segments(path):
        if isinstance(value, Mapping) and str(part) in value:
            value = value[str(part)]
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return _MISSING
    return value


def _hidden(value: Any, name: str = "") -> Any:
    """The value with everything masked that is secret by mark, by name or by form."""
    if isinstance(value, Mapping):
        if SPECIAL in value or "ciphertext" in value:
            return MASK
        return {key: _hidden(item, str(key)) for key, item in value.items() if not str(key).startswith("__")}
    if isinstance(value, list):
        return [_hidden(item, name) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return SHOWN_UNKNOWN if value == UNKNOWN else _text(str(value), name)


def _text(value: str, name: str) -> str:
    if name and _SENSITIVE.search(name) and not _HARMLESS.search(name):
        return MASK
    return _WITH_PASSWORD.sub(MASK, _KEY_TEXT.sub(MASK, value))


def shown(value: Any, path: str, type_: str = "") -> str:
    """One value as text; `path` and `type_` say whether it is secret by its place."""
    if value is _MISSING:
        return ABSENT
    names = [str(part) for part in segments(path)]
    if names and names[0] in SECRET_PROPERTIES.get(type_, ()):
        return MASK
    named = next((name for name in names if _SENSITIVE.search(name) and not _HARMLESS.search(name)), "")
    hidden = _hidden(value, named or (names[-1] if names else ""))
    text = hidden if isinstance(hidden, str) else json.dumps(hidden, sort_keys=True, ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}\u2026 ({len(text)} characters)"


def is_noise(path: str) -> bool:
    """Whether the property changes only because something else did."""
    return any(part in NOISE for part in segments(path))


def differences(type_: str, old: Any, new: Any, paths: Iterable[str]) -> list[dict[str, str]]:
    """A row for each path that says something; noise is left out, equal texts of hidden values are kept."""
    return [
        {"path": path, "before": shown(at(old, path), path, type_), "after": shown(at(new, path), path, type_)}
        for path in paths
        if not is_noise(path)
    ]
