"""`ecosystem lock` against registries on this machine: digests are computed, lies and moved versions are refused."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
from typer.testing import CliRunner

from automation.chart_registry import LAYER
from automation.cli import app
from automation.exits import Ending, Exit
from automation.lock_charts import fill, offline
from stacks.services.lock import charts, images

MANIFEST = json.dumps({"layers": [{"mediaType": LAYER, "digest": "sha256:0"}]}).encode()
ARCHIVE = b"the archive of a chart"


def sha(body: bytes) -> str:
    return f"sha256:{hashlib.sha256(body).hexdigest()}"


class Pages(BaseHTTPRequestHandler):
    """An OCI registry that wants a token, and a repository with an index."""

    pages: ClassVar[dict[str, bytes]] = {}
    told: ClassVar[dict[str, str]] = {}
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        body = self.pages.get(self.path)
        closed = self.path.startswith("/v2/") and self.headers.get("Authorization") != "Bearer for-everybody"
        self.send_response(401 if closed else 200 if body is not None else 404)
        if closed:
            host = self.headers["Host"]
            self.send_header(
                "WWW-Authenticate", f'Bearer realm="http://{host}/token",service="s",scope="repository:c:pull"'
            )
        for name, value in self.told.items():
            self.send_header(name, value)
        self.end_headers()
        if body is not None and not closed:
            self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def registry() -> Iterator[str]:
    Pages.pages = {
        "/token?service=s&scope=repository%3Ac%3Apull": b'{"token": "for-everybody"}',
        "/v2/charts/mesh/manifests/1.2.3": MANIFEST,
        "/repo/index.yaml": index(sha(ARCHIVE)),
        "/repo/files/agent-0.5.0.tgz": ARCHIVE,
    }
    Pages.told, Pages.asked = {}, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def index(digest: str) -> bytes:
    entry = {
        "name": "agent",
        "version": "0.5.0",
        "digest": digest.removeprefix("sha256:"),
        "urls": ["files/agent-0.5.0.tgz"],
    }
    return json.dumps({"entries": {"agent": [{"version": "0.4.0", "urls": []}, entry]}}).encode()


def written(folder: Path, host: str, **changes: str) -> Path:
    both = {"app": "1", "digest": "unresolved", "rendered": "unresolved", "licence": "Apache-2.0"}
    mesh = {"chart": "mesh", "version": "1.2.3", "repository": "", "oci": f"oci://{host}/charts/mesh"}
    agent = {"chart": "agent", "version": "0.5.0", "repository": f"http://{host}/repo", "oci": ""}
    file = folder / "charts.lock"
    charts = {"mesh": [{**mesh, **both, **changes}], "agent": [{**agent, **both}]}
    file.write_text(json.dumps({"charts": charts}), encoding="utf-8")
    return file


def digests(file: Path) -> dict[str, str]:
    return {name: each[0]["digest"] for name, each in json.loads(file.read_text("utf-8"))["charts"].items()}


def test_digests_are_those_of_what_was_fetched(tmp_path: Path, registry: str) -> None:
    file = written(tmp_path, registry)
    assert [each.state for each in fill((), file)] == ["done", "done"]
    assert digests(file) == {"mesh": sha(MANIFEST), "agent": sha(ARCHIVE)}
    first = file.read_bytes()
    assert [each.state for each in fill((), file)] == ["kept", "kept"]
    assert file.read_bytes() == first


def test_only_what_was_asked_for_is_looked_up(tmp_path: Path, registry: str) -> None:
    file = written(tmp_path, registry)
    fill(("agent",), file)
    assert digests(file) == {"mesh": "unresolved", "agent": sha(ARCHIVE)}
    assert not any(path.startswith("/v2") for path in Pages.asked)


def test_a_version_that_was_published_anew_is_refused(tmp_path: Path, registry: str) -> None:
    file = written(tmp_path, registry, digest=sha(b"another"))
    before = file.read_bytes()
    with pytest.raises(Ending) as refused:
        fill((), file)
    assert refused.value.code is Exit.REFUSED
    assert sha(MANIFEST) in refused.value.details[0]
    assert file.read_bytes() == before


def test_an_index_that_lies_about_its_archive_is_not_believed(tmp_path: Path, registry: str) -> None:
    Pages.pages["/repo/index.yaml"] = index(sha(b"something else"))
    file = written(tmp_path, registry)
    states = {each.chart: each for each in fill((), file)}
    assert states["agent"].state == "failed"
    assert "the index says" in states["agent"].text
    assert digests(file)["agent"] == "unresolved"


def test_a_registry_that_lies_about_its_digest_is_not_believed(tmp_path: Path, registry: str) -> None:
    Pages.told = {"Docker-Content-Digest": sha(b"something else")}
    states = {each.chart: each.state for each in fill((), written(tmp_path, registry))}
    assert states == {"mesh": "failed", "agent": "done"}


@pytest.mark.parametrize(
    ("page", "body", "said"),
    [
        ("/v2/charts/mesh/manifests/1.2.3", b"{}", "is no chart"),
        ("/v2/charts/mesh/manifests/1.2.3", b"<html>", "is no JSON"),
        ("/repo/index.yaml", b"entries: {agent: [{version: 9.9.9}]}", "has no agent 0.5.0"),
        ("/repo/index.yaml", b"{", "is not YAML"),
    ],
)
def test_what_is_no_chart_is_told(tmp_path: Path, registry: str, page: str, body: bytes, said: str) -> None:
    Pages.pages[page] = body
    assert any(said in each.text for each in fill((), written(tmp_path, registry)) if each.state == "failed")


def test_without_a_network_nothing_is_written(tmp_path: Path) -> None:
    file = written(tmp_path, "127.0.0.1:9")
    before = file.read_bytes()
    with pytest.raises(Ending) as ended:
        fill((), file)
    assert (ended.value.code, ended.value.reason) == (Exit.FAILED, "offline")
    assert "cannot be reached" in ended.value.details[0]
    assert file.read_bytes() == before


def test_a_name_that_is_not_locked_is_refused_with_a_hint(tmp_path: Path, registry: str) -> None:
    with pytest.raises(Ending) as refused:
        fill(("mehs",), written(tmp_path, registry))
    assert refused.value.code is Exit.WRONG_INPUT
    assert "did you mean `mesh`?" in refused.value.sentence


def test_offline_it_says_what_is_open() -> None:
    told = CliRunner().invoke(app, ["lock", "--offline"])
    assert told.exit_code == Exit.WRONG_INPUT
    assert "unresolved" in offline()


INDEX = json.dumps({"manifests": [{"digest": "sha256:1", "platform": {"architecture": "arm64"}}]}).encode()


def pictured(folder: Path, host: str, **changes: str) -> Path:
    """A lock with an image too."""
    file = written(folder, host)
    document = json.loads(file.read_text("utf-8"))
    entry = {"image": f"{host}/tools/kubectl:v1", "digest": "unresolved", "licence": "Apache-2.0", **changes}
    file.write_text(json.dumps({**document, "images": {"kubectl": entry}}), encoding="utf-8")
    Pages.pages["/v2/tools/kubectl/manifests/v1"] = INDEX
    return file


def test_a_tag_of_an_image_is_what_its_registry_has(tmp_path: Path, registry: str) -> None:
    file = pictured(tmp_path, registry)
    (found,) = fill(("kubectl",), file)
    assert (found.state, found.chart, found.version, found.text) == ("done", "kubectl", "v1", sha(INDEX))
    assert json.loads(file.read_text("utf-8"))["images"]["kubectl"]["digest"] == sha(INDEX)
    assert images(file)["kubectl"].reference == f"{registry}/tools/kubectl@{sha(INDEX)}"
    assert digests(file) == {"mesh": "unresolved", "agent": "unresolved"}
    assert "kubectl" not in offline(file)


def test_a_tag_that_was_moved_is_refused(tmp_path: Path, registry: str) -> None:
    with pytest.raises(Ending) as refused:
        fill((), pictured(tmp_path, registry, digest=sha(b"another")))
    assert refused.value.code is Exit.REFUSED
    assert sha(INDEX) in refused.value.details[0]


def test_what_is_no_image_is_not_locked(tmp_path: Path, registry: str) -> None:
    file = pictured(tmp_path, registry)
    Pages.pages["/v2/tools/kubectl/manifests/v1"] = b'{"errors": []}'
    states = {each.chart: each for each in fill((), file)}
    assert (states["kubectl"].state, states["mesh"].state) == ("failed", "done")
    assert "is no image" in states["kubectl"].text
    assert images(file)["kubectl"].reference.endswith(":v1")
    assert "kubectl" in offline(file)


def test_a_number_that_a_chart_s_source_fills_in_later_is_no_version_of_its_application() -> None:
    for versions in charts().values():
        for locked in versions:
            assert locked.app.removeprefix("v") not in {"0.0.0", "0.0.1", "1.0.0", ""}, locked.name
