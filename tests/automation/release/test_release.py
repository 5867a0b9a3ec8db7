"""The bill names what the locks name; a changed file, signature, signer or clock is found."""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from automation.exits import Ending
from automation.release import provenance, sbom
from automation.signing import keys
from automation.signing.trust import Signers

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
ADA = keys.generate("ada", NOW - timedelta(days=1))
EVE = keys.generate("eve", NOW - timedelta(days=1))
SIGNERS = Signers({ADA.public.key_id: ADA.public})
SOURCE = provenance.Source("https://forge.example/us/it", "c" * 40, "run/1", "runner", {"requirements.txt": "d" * 64})


@pytest.fixture(scope="module")
def bill() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(sbom.make(ROOT, "1.0"))
    return made


def test_the_bill_has_every_pin_and_its_relations(bill: dict[str, Any]) -> None:
    pins = re.findall(r"^([A-Za-z0-9._-]+)==([^\s\\]+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    listed = {(one["name"], one["version"]) for one in bill["components"]}
    assert {(sbom._plain(name), version) for name, version in pins} <= listed
    purls = {one["purl"].split("/")[0] for one in bill["components"]}
    assert purls == {"pkg:pypi", "pkg:golang", "pkg:helm"}
    edges = {one["ref"]: one.get("dependsOn", []) for one in bill["dependencies"]}
    assert any(ref.startswith("pkg:pypi/pydantic@") for ref in edges["cloud-ecosystem@1.0"])
    (pulumi,) = [ref for ref in edges if ref.startswith("pkg:pypi/pulumi@")]
    assert any(ref.startswith("pkg:pypi/grpcio@") for ref in edges[pulumi])


def test_the_bill_is_valid_and_the_same_again(bill: dict[str, Any]) -> None:
    text = sbom.make(ROOT, "1.0")
    assert json.loads(text) == bill
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert sbom.make(ROOT, "1.1") != text


def test_a_lock_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(Ending):
        sbom.make(tmp_path, "1")
    (tmp_path / "requirements.txt").write_text("-e .\n")
    with pytest.raises(Ending) as caught:
        sbom.make(tmp_path, "1")
    assert caught.value.code == 2


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "release.tar"
    path.write_bytes(b"content")
    return path


def envelope(file: Path, own: keys.PrivateKeys = ADA, at: datetime = NOW) -> str:
    return provenance.sign(provenance.statement([file], SOURCE, at), own)


def test_an_honest_release(file: Path) -> None:
    assert provenance.problems(envelope(file), [file], SIGNERS) == []
    payload = json.loads(base64.b64decode(json.loads(envelope(file))["payload"]))
    assert payload["subject"][0]["name"] == "release.tar"
    assert payload["predicate"]["buildDefinition"]["resolvedDependencies"][0]["digest"] == {"gitCommit": "c" * 40}


def test_what_is_not_what_it_says(file: Path, tmp_path: Path) -> None:
    text = envelope(file)
    other = tmp_path / "other.tar"
    other.write_bytes(b"content")
    assert provenance.problems(text, [other], SIGNERS) == ["other.tar is not among its subjects"]
    file.write_bytes(b"contenu")
    assert provenance.problems(text, [file], SIGNERS) == ["release.tar is not the file that was released"]
    file.write_bytes(b"content")
    assert "nobody who is trusted signed it" in provenance.problems(envelope(file, EVE), [file], SIGNERS)
    late = envelope(file, at=NOW + timedelta(days=800))
    assert any("not in force" in one for one in provenance.problems(late, [file], SIGNERS))


@pytest.mark.parametrize("index", [0, 1])
def test_each_signature_counts(file: Path, index: int) -> None:
    document = json.loads(envelope(file))
    raw = bytearray(base64.b64decode(document["signatures"][index]["sig"]))
    raw[3] ^= 1
    document["signatures"][index]["sig"] = base64.b64encode(raw).decode()
    assert provenance.problems(json.dumps(document), [file], SIGNERS)
    document["signatures"].pop(index)
    assert provenance.problems(json.dumps(document), [file], SIGNERS)


def test_a_changed_payload(file: Path) -> None:
    document = json.loads(envelope(file))
    payload = base64.b64decode(document["payload"]).replace(b"cccc", b"dddd")
    document["payload"] = base64.b64encode(payload).decode()
    found = provenance.problems(json.dumps(document), [file], SIGNERS)
    assert sum("does not hold" in one for one in found) == 2


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"payloadType": "x"}', '{"payloadType": 1, "payloadType": 2}'])
def test_no_envelope(text: str, file: Path) -> None:
    with pytest.raises(Ending) as caught:
        provenance.problems(text, [file], SIGNERS)
    assert caught.value.code == 2


def test_a_statement_needs_files(file: Path, tmp_path: Path) -> None:
    for files in ([], [file, tmp_path / "x" / "release.tar"], [tmp_path / "none"]):
        with pytest.raises(Ending):
            provenance.statement(files, SOURCE, NOW)
