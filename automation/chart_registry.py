"""Ask the registries of charts for digests: OCI registries by the distribution API, others by their index.

Distribution API: github.com/opencontainers/distribution-spec, v1.1; Helm's index:
helm.sh/docs/topics/chart_repository; both read 2026-11. A chart is fetched and hashed here: what a registry says of
itself is compared, not believed.
"""

from __future__ import annotations

import hashlib
import urllib.parse
from collections.abc import Mapping
from typing import Any, Final

import yaml

from automation.oci import INDEXES, LOOPBACK, MANIFESTS, Door, UnfitError, UnreachableError
from stacks.services.lock import Locked

IMAGES: Final = (*INDEXES, *MANIFESTS)
"""An index first: a digest of one platform's manifest would not run on nodes of another."""
LAYER: Final = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


class Registry:
    """Registries of charts, asked one after the other; pages of indexes are kept for the next chart."""

    def __init__(self) -> None:
        self._door = Door()
        self._indexes: dict[str, Mapping[str, Any]] = {}

    def digest(self, chart: Locked) -> str:
        """Return `sha256:...` of a locked chart. Raises UnreachableError and UnfitError.

        In an OCI registry that is the digest of its manifest, by which it is installed; else that of its archive.
        """
        return self._of_oci(chart) if chart.oci else self._of_index(chart)

    def image(self, reference: str) -> str:
        """Return `sha256:...` of what a tag of an image stands for: an index of platforms, or one manifest."""
        named, _, tag = reference.rpartition(":")
        host, _, path = named.partition("/")
        asked = "registry-1.docker.io" if host == "docker.io" else host
        scheme = "http" if asked.partition(":")[0] in LOOPBACK else "https"
        url = f"{scheme}://{asked}/v2/{path}/manifests/{tag}"
        found, held = self._door.manifest(url, IMAGES)
        if not held.get("manifests") and not held.get("layers"):
            raise UnfitError(f"{url}: is no image")
        return found

    def _of_oci(self, chart: Locked) -> str:
        place = urllib.parse.urlsplit(chart.oci)
        scheme = "http" if place.hostname in LOOPBACK else "https"
        tag = chart.version.replace("+", "_")  # a tag has no plus sign: helm.sh/docs/topics/registries
        url = f"{scheme}://{place.netloc}/v2{place.path}/manifests/{tag}"
        found, held = self._door.manifest(url, MANIFESTS[:1])
        layers = held.get("layers") or ()
        if not any(layer.get("mediaType") == LAYER for layer in layers):
            raise UnfitError(f"{url}: is no chart")
        return found

    def _of_index(self, chart: Locked) -> str:
        base = chart.repository.rstrip("/")
        if base not in self._indexes:
            text, _ = self._door.get(f"{base}/index.yaml", {})
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
        body, _ = self._door.get(url, {})
        found = hashlib.sha256(body).hexdigest()
        told = str(entry.get("digest") or found).removeprefix("sha256:")
        if told != found:
            raise UnfitError(f"{url}: the index says sha256:{told}, but it is sha256:{found}")
        return f"sha256:{found}"


__all__ = ["LAYER", "Registry", "UnfitError", "UnreachableError"]
