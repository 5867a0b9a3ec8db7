"""Ask the registries of charts for digests: OCI registries by the distribution API, others by their index.

Distribution API: github.com/opencontainers/distribution-spec, v1.1; Helm's index:
helm.sh/docs/topics/chart_repository; both read 2026-11. A chart is fetched and hashed here: what a registry says of
itself is compared, not believed.
"""

from __future__ import annotations

import hashlib
import json
import re
import urllib.parse
from collections.abc import Mapping
from typing import Any, Final

import urllib3
import yaml

from stacks.services.lock import Locked

LIMIT: Final = 32 * 1024 * 1024
"""Bytes of an answer; an index of a large repository has about ten megabytes."""
SECONDS: Final = 30.0
OK: Final = 200
UNAUTHORIZED: Final = 401
MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
LAYER: Final = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
LOOPBACK: Final = ("127.0.0.1", "localhost")


class UnreachableError(Exception):
    """The registry cannot be reached: nothing is known of its charts."""


class UnfitError(Exception):
    """The registry answered, but not with this version of this chart."""


class Registry:
    """Registries of charts, asked one after the other; pages of indexes are kept for the next chart."""

    def __init__(self) -> None:
        self._http = urllib3.PoolManager(
            timeout=urllib3.Timeout(SECONDS), retries=urllib3.Retry(2, redirect=5, backoff_factor=0.5)
        )
        self._indexes: dict[str, Mapping[str, Any]] = {}

    def digest(self, chart: Locked) -> str:
        """Return `sha256:...` of a locked chart. Raises UnreachableError and UnfitError.

        In an OCI registry that is the digest of its manifest, by which it is installed; else that of its archive.
        """
        return self._of_oci(chart) if chart.oci else self._of_index(chart)

    def _of_oci(self, chart: Locked) -> str:
        place = urllib.parse.urlsplit(chart.oci)
        scheme = "http" if place.hostname in LOOPBACK else "https"
        tag = chart.version.replace("+", "_")  # a tag has no plus sign: helm.sh/docs/topics/registries
        url = f"{scheme}://{place.netloc}/v2{place.path}/manifests/{tag}"
        body, headers = self._get(url, {"Accept": MANIFEST})
        found = f"sha256:{hashlib.sha256(body).hexdigest()}"
        told = headers.get("Docker-Content-Digest", found)
        if told != found:
            raise UnfitError(f"{url}: says that its digest is {told}, but it is {found}")
        layers = _json(body, url).get("layers") or ()
        if not any(layer.get("mediaType") == LAYER for layer in layers):
            raise UnfitError(f"{url}: is no chart")
        return found

    def _of_index(self, chart: Locked) -> str:
        base = chart.repository.rstrip("/")
        if base not in self._indexes:
            text, _ = self._get(f"{base}/index.yaml", {})
            try:
                index = yaml.load(text, yaml.CSafeLoader)
            except yaml.YAMLError as error:
                raise UnfitError(f"{base}/index.yaml: is not YAML ({error})") from None
            self._indexes[base] = (index or {}).get("entries") or {}
        for entry in self._indexes[base].get(chart.chart) or ():
            if str(entry.get("version")) == chart.version:
                return self._archive(base, entry)
        raise UnfitError(f"{base}/index.yaml: has no {chart.chart} {chart.version}")

    def _archive(self, base: str, entry: Mapping[str, Any]) -> str:
        urls = entry.get("urls") or ()
        if not urls:
            raise UnfitError(f"{base}/index.yaml: {entry.get('name')} {entry.get('version')} has no address")
        url = urllib.parse.urljoin(f"{base}/", str(urls[0]))
        body, _ = self._get(url, {})
        found = hashlib.sha256(body).hexdigest()
        told = str(entry.get("digest") or found).removeprefix("sha256:")
        if told != found:
            raise UnfitError(f"{url}: the index says sha256:{told}, but it is sha256:{found}")
        return f"sha256:{found}"

    def _get(self, url: str, headers: dict[str, str]) -> tuple[bytes, Mapping[str, str]]:
        answer = self._ask(url, headers)
        if answer.status == UNAUTHORIZED and (challenge := answer.headers.get("WWW-Authenticate", "")):
            answer = self._ask(url, {**headers, "Authorization": f"Bearer {self._token(challenge, url)}"})
        if answer.status != OK:
            raise UnfitError(f"{url}: answers {answer.status}")
        if len(answer.data) > LIMIT:
            raise UnfitError(f"{url}: is larger than {LIMIT} bytes")
        return answer.data, answer.headers

    def _token(self, challenge: str, url: str) -> str:
        """Everybody may read public charts, with a token that everybody gets."""
        asked = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        realm = urllib.parse.urlsplit(asked.pop("realm", ""))
        if realm.scheme != "https" and realm.hostname not in LOOPBACK:
            raise UnfitError(f"{url}: wants a token from {realm.geturl() or 'nowhere'}, which is not https")
        answer = self._ask(f"{realm.geturl()}?{urllib.parse.urlencode(asked)}", {})
        told = _json(answer.data, realm.geturl())
        return str(told.get("token") or told.get("access_token") or "")

    def _ask(self, url: str, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
        try:
            return self._http.request("GET", url, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            host = urllib.parse.urlsplit(url).netloc
            raise UnreachableError(f"{host} cannot be reached ({type(error).__name__})") from None


def _json(body: bytes, url: str) -> Mapping[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        raise UnfitError(f"{url}: is no JSON") from None
    if not isinstance(found, Mapping):
        raise UnfitError(f"{url}: is no JSON object")
    return found
