"""Answers of a registry that are not what they should be: told, never believed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from automation.images.catalogue import Catalogue
from automation.images.reference import parse
from automation.oci import Door, UnfitError
from tests.automation.images.registry import sha

IMAGE = parse("ghcr.io/example/gateway")
CONFIG = json.dumps({"os": "linux", "architecture": "amd64"}).encode()
GOOD = {"config": {"digest": sha(CONFIG)}}


class Answers(Door):
    """A door behind which everything is written down."""

    def __init__(self, pages: Mapping[str, tuple[Any, dict[str, str]]]) -> None:
        super().__init__()
        self.pages = pages

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> tuple[bytes, dict[str, str]]:
        path = url.removeprefix(f"{IMAGE.address}/")
        if path not in self.pages:
            raise UnfitError(f"{url}: answers 404")
        body, headers = self.pages[path]
        return body if isinstance(body, bytes) else json.dumps(body).encode(), headers


def catalogue(**pages: tuple[Any, dict[str, str]]) -> Catalogue:
    held = {key.replace("__", "/"): value for key, value in pages.items()}
    return Catalogue(Answers({**held, f"blobs/{sha(CONFIG)}": (CONFIG, {})}))


def tags(pages: Mapping[str, tuple[Any, dict[str, str]]]) -> tuple[str, ...]:
    return Catalogue(Answers(pages)).tags(IMAGE)


FIRST, SECOND = "tags/list?n=1000", "tags/list?n=1000&last=b"


@pytest.mark.parametrize("link", [f"{IMAGE.address}/{SECOND}", f"/v2/example/gateway/{SECOND}"])
def test_pages_of_tags_are_followed(link: str) -> None:
    after = {"Link": f'<{link}>; rel="next"'}
    assert tags({FIRST: ({"tags": ["a", "b"]}, after), SECOND: ({"tags": ["b", "c", 7]}, {})}) == ("a", "b", "c")


def test_a_page_of_another_host_is_not_followed() -> None:
    with pytest.raises(UnfitError, match="another host"):
        tags({FIRST: ({"tags": ["a"]}, {"Link": '<https://example.org/v2/x>; rel="next"'})})


def test_pages_without_end_end() -> None:
    with pytest.raises(UnfitError, match="more than 200000 tags"):
        tags({FIRST: ({"tags": ["a"]}, {"Link": f'<{IMAGE.address}/{FIRST}>; rel="next"'})})


@pytest.mark.parametrize("told", [{"tags": None}, {}, {"tags": "latest"}, {"tags": {"a": 1}}])
def test_no_tags_are_no_tags(told: dict[str, Any]) -> None:
    assert tags({FIRST: (told, {})}) == ()


def test_a_digest_is_what_was_fetched() -> None:
    body = json.dumps(GOOD).encode()
    assert catalogue(manifests__1=(body, {})).digest(IMAGE, "1", ("linux/amd64",)) == sha(body)
    with pytest.raises(UnfitError, match="says that its digest is"):
        catalogue(manifests__1=(body, {"Docker-Content-Digest": sha(b"another")})).digest(IMAGE, "1", ("linux/amd64",))


@pytest.mark.parametrize(
    "manifest",
    [
        {},
        {"config": "text"},
        {"config": {"digest": "sha256:0"}},
        {"config": {"digest": sha(b"not there")}},
        {"manifests": None},
        {"manifests": ["text", {"platform": "linux"}, {}]},
        {"manifests": [{"platform": {"os": "unknown", "architecture": "unknown"}}]},
        [],
        b"no json",
    ],
    ids=repr,
)
def test_what_is_no_image_is_refused(manifest: Any) -> None:
    with pytest.raises(UnfitError):
        catalogue(manifests__1=(manifest, {})).digest(IMAGE, "1", ("linux/amd64",))


def test_a_configuration_that_is_another_one_is_refused() -> None:
    held = Catalogue(Answers({"manifests/1": (GOOD, {}), f"blobs/{sha(CONFIG)}": (b"{}", {})}))
    with pytest.raises(UnfitError, match="not what its digest says"):
        held.digest(IMAGE, "1", ("linux/amd64",))


@pytest.mark.parametrize(
    ("text", "name", "tag"),
    [
        ("nginx", "docker.io/library/nginx", ""),
        ("nginx:1.27", "docker.io/library/nginx", "1.27"),
        ("example/nginx", "docker.io/example/nginx", ""),
        ("localhost/x:1", "localhost/x", "1"),
        ("registry.example.org:5000/a/b:1.0", "registry.example.org:5000/a/b", "1.0"),
    ],
)
def test_names_of_images_are_read_in_full(text: str, name: str, tag: str) -> None:
    assert (parse(text).name, parse(text).tag) == (name, tag)


@pytest.mark.parametrize("text", ["", "A/b", "a:b:c", "a@sha256:0", "a@", "a:", "https://a/b", "a b", "a/../b", "-a/b"])
def test_what_is_no_name_of_an_image_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no image"):
        parse(text)
