"""Where a release comes from: an in-toto statement with SLSA provenance, in a DSSE envelope signed by both kinds.

Statement v1: https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md, provenance v1:
https://slsa.dev/spec/v1.1/provenance, DSSE: https://github.com/secure-systems-lab/dsse/blob/master/protocol.md, all
2026-11-21.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from automation.exits import Ending, Exit
from automation.signing import canonical
from automation.signing.keys import PrivateKeys, moment, stamp
from automation.signing.trust import Signers

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
STATEMENT: Final = "https://in-toto.io/Statement/v1"
PREDICATE: Final = "https://slsa.dev/provenance/v1"
BUILD_TYPE: Final = "https://example.org/cloud-ecosystem/release/v1"


@dataclass(frozen=True)
class Source:
    """What a release was made from and where."""

    repository: str
    commit: str
    run: str
    builder: str
    locks: Mapping[str, str]  # file -> sha256


def file_digest(path: Path) -> str:
    """Hash of a file, sha256 in hexadecimal; wrong input (exit 2) when it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise Ending(Exit.WRONG_INPUT, "file", f"{path}: {error.strerror}") from None


def statement(files: Sequence[Path], source: Source, at: datetime) -> dict[str, Any]:
    """The statement about some files; two of the same name are wrong input (exit 2)."""
    names = [path.name for path in files]
    if not files or len(set(names)) != len(names):
        raise Ending(Exit.WRONG_INPUT, "file", "give the files of the release, each name once")
    commit = [{"uri": f"git+{source.repository}", "digest": {"gitCommit": source.commit}}]
    locks = [{"uri": name, "digest": {"sha256": digest}} for name, digest in sorted(source.locks.items())]
    return {
        "_type": STATEMENT,
        "subject": [{"name": path.name, "digest": {"sha256": file_digest(path)}} for path in sorted(files)],
        "predicateType": PREDICATE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {"repository": source.repository, "ref": source.commit},
                "resolvedDependencies": commit + locks,
            },
            "runDetails": {
                "builder": {"id": source.builder},
                "metadata": {"invocationId": source.run, "finishedOn": stamp(at)},
            },
        },
    }


def encoded(payload: bytes) -> bytes:
    """What is signed: the pre-authentication encoding of DSSE."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def sign(made: Mapping[str, Any], own: PrivateKeys) -> str:
    """The envelope; each signature names its key and its kind."""
    payload = canonical.dumps(made).encode()
    short, lattice = own.sign(encoded(payload))
    name = own.public.key_id
    signatures = [{"keyid": f"{name}:ed25519", "sig": short}, {"keyid": f"{name}:ml-dsa-65", "sig": lattice}]
    text = base64.b64encode(payload).decode()
    return json.dumps({"payloadType": PAYLOAD_TYPE, "payload": text, "signatures": signatures}, indent=1) + "\n"


def _opened(text: str) -> tuple[bytes, dict[str, str], dict[str, Any]]:
    try:
        document = canonical.loads(text)
        if document["payloadType"] != PAYLOAD_TYPE:
            raise ValueError(f"payloadType is not {PAYLOAD_TYPE}")  # noqa: TRY301 - one sentence for all
        payload = base64.b64decode(document["payload"], validate=True)
        signatures = {str(one["keyid"]): str(one["sig"]) for one in document["signatures"]}
        return payload, signatures, dict(canonical.loads(payload.decode()))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Ending(Exit.WRONG_INPUT, "provenance", f"no signed provenance: {error}") from None


def problems(text: str, files: Sequence[Path], signers: Signers) -> list[str]:
    """What speaks against it: signatures, who signed when, and each file; [] when everything holds."""
    payload, signatures, made = _opened(text)
    found = []
    names = {name.rpartition(":")[0] for name in signatures}
    good = False
    for name in sorted(names):
        key = signers.keys.get(name)
        if key is None:
            found.append(f"key {name} is not in config/signers.json")
            continue
        short, lattice = signatures.get(f"{name}:ed25519", ""), signatures.get(f"{name}:ml-dsa-65", "")
        broken = key.verify(encoded(payload), short, lattice)
        found += [f"the {kind} signature of {key.owner} does not hold" for kind in broken]
        try:
            at = moment(str(made["predicate"]["runDetails"]["metadata"]["finishedOn"]))
            in_force = key.usable(at)
        except (KeyError, TypeError, ValueError):
            in_force = False
        if not in_force:
            found.append(f"key {name} of {key.owner} was not in force when it was signed")
        good = good or not broken
    if not good:
        found.append("nobody who is trusted signed it")
    said = {one.get("name"): (one.get("digest") or {}).get("sha256") for one in made.get("subject") or ()}
    if made.get("_type") != STATEMENT or made.get("predicateType") != PREDICATE:
        found.append("it is no SLSA provenance v1")
    for path in files:
        if path.name not in said:
            found.append(f"{path.name} is not among its subjects")
        elif said[path.name] != file_digest(path):
            found.append(f"{path.name} is not the file that was released")
    return found
