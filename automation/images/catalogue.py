"""What a registry has of an image: its tags, and the digest behind one, fetched and hashed here, not believed."""

from __future__ import annotations

import hashlib
import json
import re
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any, Final

from automation.images.reference import DIGEST, Reference
from automation.oci import INDEXES, MANIFESTS, Door, UnfitError, json_object

PAGE: Final = 1000
PAGES: Final = 200
"""A repository of more than 200,000 tags is not asked to its end."""


class Catalogue:
    """Registries of images, through a door."""

    def __init__(self, door: Door | None = None) -> None:
        self._door = door or Door()

    def tags(self, image: Reference) -> tuple[str, ...]:
        """Return all tags of an image. Raises UnreachableError and UnfitError."""
        found: list[str] = []
        url = f"{image.address}/tags/list?n={PAGE}"
        for _ in range(PAGES):
            body, headers = self._door.get(url)
            tags = json_object(body, url).get("tags")
            found += [tag for tag in tags if isinstance(tag, str)] if isinstance(tags, list) else []
            following = re.search(r'<([^>]+)>\s*;\s*rel="?next"?', headers.get("Link", ""))
            if following is None:
                return tuple(dict.fromkeys(found))
            url = self._same_host(url, following[1])
        raise UnfitError(f"{image.name}: has more than {PAGE * PAGES} tags")

    def digest(self, image: Reference, tag: str, platforms: tuple[str, ...]) -> str:
        """Return `sha256:...` of what a tag means, once it is there for the platforms.

        Raises UnreachableError, and UnfitError for a digest that is not what it says or a platform that is missing.
        """
        found, manifest = self._door.manifest(f"{image.address}/manifests/{tag}", (*INDEXES, *MANIFESTS))
        there = set(self._platforms(image, manifest))
        if missing := sorted(set(platforms) - there):
            has = ", ".join(sorted(there)) or "nothing known"
            raise UnfitError(f"{image.name}:{tag} is not there for {', '.join(missing)}; it has {has}")
        return found

    def _platforms(self, image: Reference, manifest: Mapping[str, Any]) -> Iterator[str]:
        """Yield OS/ARCHITECTURE of each image of an index, or of the one image, which its configuration tells."""
        if "manifests" in manifest:
            entries = manifest["manifests"]
            for each in entries if isinstance(entries, list) else ():
                platform = each.get("platform") if isinstance(each, Mapping) else None
                if isinstance(platform, Mapping):
                    yield f"{platform.get('os')}/{platform.get('architecture')}"
            return
        config = manifest.get("config")
        wanted = str(config.get("digest", "")) if isinstance(config, Mapping) else ""
        if not DIGEST.fullmatch(wanted):
            raise UnfitError(f"{image.name}: what its registry answers is no image")
        url = f"{image.address}/blobs/{wanted}"
        body, _ = self._door.get(url)
        if f"sha256:{hashlib.sha256(body).hexdigest()}" != wanted:
            raise UnfitError(f"{url}: is not what its digest says")
        try:
            told = json.loads(body)
        except ValueError:
            return
        if isinstance(told, Mapping):
            yield f"{told.get('os')}/{told.get('architecture')}"

    @staticmethod
    def _same_host(url: str, following: str) -> str:
        """Follow a link to the next page, of the same registry only."""
        found = urllib.parse.urljoin(url, following)
        here, there = urllib.parse.urlsplit(url), urllib.parse.urlsplit(found)
        if (here.scheme, here.netloc) != (there.scheme, there.netloc):
            raise UnfitError(f"{url}: its next page is at {there.netloc}, another host")
        return found
