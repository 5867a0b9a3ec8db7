"""Schemas by token: derived once per SDK version and kept as JSON."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

from sandbox.schema.derive import derive
from sandbox.schema.model import TypeSchema
from sandbox.schema.tokens import tokens, version

_FORM = 4  # raise it when the form of the cached JSON changes


def default_cache() -> Path:
    """Folder of the per-user cache (XDG_CACHE_HOME or ~/.cache)."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "cloud-ecosystem" / "schema"


class SchemaStore:
    """Types of one package, by token."""

    def __init__(self, package: str, cache: Path | None = None) -> None:
        """Keep derived schemas under `cache` (default: the per-user cache); an unwritable cache is passed over."""
        self.package = package
        self._folder = (cache or default_cache()) / f"{package}-{version(package)}-{_FORM}"
        self._known: dict[str, TypeSchema] = {}
        self._lock = threading.Lock()

    def __contains__(self, token: str) -> bool:
        """Tell whether the SDK has this type."""
        return token in tokens(self.package)

    def near(self, token: str) -> list[str]:
        """Name tokens that look like a misspelt one."""
        import difflib  # noqa: PLC0415 - only on the way to an error

        return difflib.get_close_matches(token, tokens(self.package), n=1, cutoff=0.8)

    def get(self, token: str) -> TypeSchema:
        """Return the schema of a type. Raises KeyError when the SDK does not have it."""
        if token in self._known:
            return self._known[token]
        if token not in self:
            raise KeyError(token)
        with self._lock:
            if token not in self._known:
                self._known[token] = self._read(token) or self._derive(token)
            return self._known[token]

    def _file(self, token: str) -> Path:
        return self._folder / (token.replace(":", "_").replace("/", ".") + ".json")

    def _read(self, token: str) -> TypeSchema | None:
        try:
            return TypeSchema.from_json(json.loads(self._file(token).read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError):
            return None

    def _derive(self, token: str) -> TypeSchema:
        schema = derive(self.package, token)
        target = self._file(token)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            scratch = target.with_suffix(f".{os.getpid()}.{threading.get_ident()}")
            scratch.write_text(json.dumps(schema.to_json()), encoding="utf-8")
            scratch.replace(target)
        except OSError:
            pass  # a cache that cannot be written costs time, not correctness
        return schema
