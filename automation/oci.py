"""The door of a registry: answers by GET, a token where it wants one, nothing larger than a limit.

Distribution API: github.com/opencontainers/distribution-spec v1.1; tokens: distribution.github.io/distribution/spec
/auth/token, both read 2026-11.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import urllib3

LIMIT: Final = 32 * 1024 * 1024
"""Bytes of an answer; an index of a large repository of charts has about ten megabytes."""
SECONDS: Final = 30.0
OK: Final = 200
UNAUTHORIZED: Final = 401
LOOPBACK: Final = ("127.0.0.1", "localhost")
INDEXES: Final = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
"""Media types of what names a manifest for each platform."""
MANIFESTS: Final = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)


class UnreachableError(Exception):
    """The registry cannot be reached: nothing is known of what it has."""


class UnfitError(Exception):
    """The registry answered, but not with what was asked for."""


class Door:
    """Registries, asked one after the other; `logins` are values of Basic by host, for registries that want one."""

    def __init__(self, logins: Mapping[str, str] | None = None) -> None:
        self._http = urllib3.PoolManager(
            timeout=urllib3.Timeout(SECONDS), retries=urllib3.Retry(2, redirect=5, backoff_factor=0.5)
        )
        self._logins = dict(logins or {})
        self._tokens: dict[tuple[str, str], str] = {}

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> tuple[bytes, Mapping[str, str]]:
        """Return body and headers of an answer. Raises UnreachableError, and UnfitError for what is no good answer."""
        answer = self._ask(url, headers or {})
        if answer.status == UNAUTHORIZED and (challenge := answer.headers.get("WWW-Authenticate", "")):
            answer = self._ask(url, {**(headers or {}), "Authorization": self._authorization(challenge, url)})
        if answer.status != OK:
            raise UnfitError(f"{url}: answers {answer.status}")
        ended = urllib.parse.urljoin(url, answer.geturl() or "")
        if url.startswith("https://") and not ended.startswith("https://"):
            raise UnfitError(f"{url}: leads to {ended.partition('?')[0]}, which is not https")
        if len(answer.data) > LIMIT:
            raise UnfitError(f"{url}: is larger than {LIMIT} bytes")
        return answer.data, answer.headers

    def manifest(self, url: str, accept: Sequence[str]) -> tuple[str, Mapping[str, Any]]:
        """Return `sha256:...` of a manifest or index, hashed here, and what it holds; `accept` are media types.

        Raises UnreachableError, and UnfitError for a digest that is not what the registry says.
        """
        body, headers = self.get(url, {"Accept": ", ".join(accept)})
        found = f"sha256:{hashlib.sha256(body).hexdigest()}"
        told = headers.get("Docker-Content-Digest", found)
        if told != found:
            raise UnfitError(f"{url}: says that its digest is {told}, but it is {found}")
        return found, json_object(body, url)

    def _authorization(self, challenge: str, url: str) -> str:
        """Answer a challenge: with the login where Basic is wanted, else with a token; everybody gets a public one."""
        host = urllib.parse.urlsplit(url).netloc
        login = {"Authorization": f"Basic {self._logins[host]}"} if host in self._logins else {}
        if challenge.lower().startswith("basic"):
            if not login:
                raise UnfitError(f"{url}: wants a login, and none for {host} is known")
            return login["Authorization"]
        asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        key = (host, challenge)
        if key not in self._tokens:
            realm = urllib.parse.urlsplit(asked.pop("realm", ""))
            if realm.scheme != "https" and realm.hostname not in LOOPBACK:
                raise UnfitError(f"{url}: wants a token from {realm.geturl() or 'nowhere'}, which is not https")
            answer = self._ask(f"{realm.geturl()}?{urllib.parse.urlencode(asked)}", login)
            told = json_object(answer.data, realm.geturl())
            self._tokens[key] = str(told.get("token") or told.get("access_token") or "")
        return f"Bearer {self._tokens[key]}"

    def _ask(self, url: str, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        try:
            return self._http.request("GET", url, headers=dict(headers))
        except urllib3.exceptions.HTTPError as error:
            host = urllib.parse.urlsplit(url).netloc
            raise UnreachableError(f"{host} cannot be reached ({type(error).__name__})") from None


def json_object(body: bytes, url: str) -> Mapping[str, Any]:
    """Read an answer as a JSON object. Raises UnfitError."""
    try:
        found = json.loads(body)
    except ValueError:
        raise UnfitError(f"{url}: is no JSON") from None
    if not isinstance(found, Mapping):
        raise UnfitError(f"{url}: is no JSON object")
    return found


def logins(file: Path) -> dict[str, str]:
    """Read logins by host from a file in Docker's form, `{"auths": {HOST: {"auth": BASE64}}}`. Raises ValueError."""
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
        held = {str(host): str(each["auth"]) for host, each in found.get("auths", {}).items() if "auth" in each}
        for login in held.values():
            if b":" not in base64.b64decode(login, validate=True):
                raise ValueError("a login is no USER:PASSWORD in base64")
    except (OSError, KeyError, TypeError, AttributeError, binascii.Error, json.JSONDecodeError) as error:
        raise ValueError(f"is no file of logins in Docker's form ({type(error).__name__})") from None
    return {urllib.parse.urlsplit(host if "//" in host else f"//{host}").netloc: login for host, login in held.items()}
