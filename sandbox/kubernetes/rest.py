"""A thin client of one API server: pooled connections, JSON in and out, its refusals as ApiError."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import urllib3

from sandbox.kubernetes.backend import ApiError, Json, Unreachable
from sandbox.schema.tokens import version

JSON: Final = "application/json"
APPLY: Final = "application/apply-patch+yaml"  # JSON is YAML
JSON_PATCH: Final = "application/json-patch+json"
POOL: Final = 64  # more than the engine's calls at once
CONNECT_SECONDS: Final = 5
READ_SECONDS: Final = 60


class Rest:
    """One API server with one identity; safe to use from many threads."""

    def __init__(self, server: str, credentials: Mapping[str, Any]) -> None:
        """Use the token and the authority of a kubeconfig's user and cluster entries; exec commands are never run."""
        authority = credentials.get("certificate-authority-data")
        context = ssl.create_default_context(cadata=base64.b64decode(authority).decode() if authority else None)
        self.server = server.rstrip("/")
        self._headers = {"Accept": JSON, "User-Agent": f"pulumi-kubernetes/{version('kubernetes')} (sandbox)"}
        if credentials.get("token"):
            self._headers["Authorization"] = f"Bearer {credentials['token']}"
        self._pool = urllib3.PoolManager(
            maxsize=POOL,
            retries=False,
            ssl_context=context,
            timeout=urllib3.Timeout(connect=CONNECT_SECONDS, read=READ_SECONDS),
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        query: Mapping[str, str] | None = None,
        content: str = JSON,
    ) -> Json:
        """Send one request. Raises ApiError with the server's reason and text, Unreachable when nobody answers."""
        text = urlencode({key: value for key, value in (query or {}).items() if value})
        try:
            answer = self._pool.request(
                method,
                f"{self.server}{path}" + (f"?{text}" if text else ""),
                body=None if body is None else json.dumps(body).encode(),
                headers={**self._headers, "Content-Type": content},
            )
        except (urllib3.exceptions.HTTPError, OSError) as problem:
            raise Unreachable(f'{method} "{self.server}{path}": {_reason(problem)}') from problem
        return _judged(answer.status, answer.data)

    def close(self) -> None:
        """Close all connections."""
        self._pool.clear()


def _judged(status: int, data: bytes) -> Json:
    try:
        found = json.loads(data) if data else {}
    except ValueError:
        found = {}
    if status < 400:  # noqa: PLR2004 - HTTP
        return dict(found)
    text = str(found.get("message") or data.decode(errors="replace").strip())
    reason = str(found.get("reason") or "")
    if status == 404 and not (found.get("details") or {}).get("name") and "namespaces" not in text:  # noqa: PLR2004
        reason = "NoSuchKind"  # the path itself is not served
    raise ApiError(status, reason, text)


def _reason(problem: BaseException) -> str:
    inner = problem.__cause__ or problem
    return str(getattr(inner, "reason", "") or inner).partition(": ")[2] or str(inner)
