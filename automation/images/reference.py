"""Names of images: which registry, which repository, which tag and digest."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from automation.oci import LOOPBACK

HUB: Final = "docker.io"
HUB_HOST: Final = "registry-1.docker.io"
REPOSITORY: Final = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*")
TAG: Final = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
HOST: Final = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9.-]*[a-zA-Z0-9])?(:\d{1,5})?")


@dataclass(frozen=True)
class Reference:
    """An image as a manifest names it; `tag` and `digest` are empty where nothing is said."""

    host: str
    repository: str
    tag: str = ""
    digest: str = ""

    @property
    def name(self) -> str:
        """The image without tag and digest, in full."""
        return f"{self.host}/{self.repository}"

    @property
    def address(self) -> str:
        """Start of what its registry is asked: on this machine without TLS."""
        host = HUB_HOST if self.host == HUB else self.host
        return f"{'http' if host.partition(':')[0] in LOOPBACK else 'https'}://{host}/v2/{self.repository}"


def parse(text: str) -> Reference:
    """Read `[HOST/]REPOSITORY[:TAG][@DIGEST]`; without a host it is Docker Hub's. Raises ValueError."""
    rest, _, digest = text.partition("@")
    head, slash, tail = rest.partition("/")
    named = slash and ("." in head or ":" in head or head == "localhost")
    host, path = (head, tail) if named else (HUB, rest)
    path, colon, tag = path.partition(":")
    if host == HUB and "/" not in path:
        path = f"library/{path}"
    if (
        not HOST.fullmatch(host)
        or not REPOSITORY.fullmatch(path)
        or (colon and not TAG.fullmatch(tag))
        or ("@" in text and not DIGEST.fullmatch(digest))
    ):
        raise ValueError("is no image: write HOST/REPOSITORY[:TAG][@sha256:...], for example ghcr.io/example/gateway")
    return Reference(host, path, tag, digest)
