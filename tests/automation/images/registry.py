"""A real registry on this machine, and images pushed into it by the distribution API."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from toolchain.registry import recipe

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


def sha(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


class Registry:
    """Pushes images; an image of several platforms is an index."""

    def __init__(self, host: str) -> None:
        self.host = host

    def push(self, name: str, tag: str, *platforms: str, salt: str = "") -> str:
        """Push an image for some platforms (linux/amd64 when none is said); returns the digest of its tag."""
        made = [self._image(name, each, f"{tag}{salt}") for each in platforms or ("linux/amd64",)]
        if len(made) == 1:
            return self._manifest(name, tag, made[0][1], MANIFEST)
        entries = []
        for platform, body in made:
            self._manifest(name, sha(body), body, MANIFEST)
            system, architecture = platform.split("/")
            entry = {"mediaType": MANIFEST, "digest": sha(body), "size": len(body)}
            entries.append({**entry, "platform": {"os": system, "architecture": architecture}})
        index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()
        return self._manifest(name, tag, index, INDEX)

    def _image(self, name: str, platform: str, salt: str) -> tuple[str, bytes]:
        system, architecture = platform.split("/")
        config = json.dumps({"os": system, "architecture": architecture, "author": salt}).encode()
        layer = b"nothing at all"
        for blob in (config, layer):
            self._ask("POST", f"/v2/{name}/blobs/uploads/?digest={sha(blob)}", blob, "application/octet-stream")
        manifest: dict[str, Any] = {"schemaVersion": 2, "mediaType": MANIFEST}
        manifest["config"] = {"mediaType": CONFIG, "digest": sha(config), "size": len(config)}
        kind = "application/vnd.oci.image.layer.v1.tar+gzip"
        manifest["layers"] = [{"mediaType": kind, "digest": sha(layer), "size": len(layer)}]
        return platform, json.dumps(manifest).encode()

    def _manifest(self, name: str, reference: str, body: bytes, kind: str) -> str:
        self._ask("PUT", f"/v2/{name}/manifests/{reference}", body, kind)
        return sha(body)

    def _ask(self, method: str, path: str, body: bytes, kind: str) -> None:
        asked = urllib.request.Request(f"http://{self.host}{path}", body, {"Content-Type": kind}, method=method)
        with urllib.request.urlopen(asked, timeout=10) as answer:
            assert answer.status in {201, 202}, answer.status


@pytest.fixture
def registry() -> Iterator[Registry]:
    """A registry of the toolchain, empty; it ends with the test."""
    program = recipe().program("registry")
    if program is None and os.environ.get("CI") == "true":
        pytest.fail("the registry is not built: make registry")
    if program is None:
        pytest.skip("the registry is not built: make registry")
    with subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        yield Registry(child.stdout.readline().strip())
        child.terminate()
