"""The bill of materials (CycloneDX 1.6): every Python package, Go module and chart that a lock names, and no other."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from automation.exits import Ending, Exit

NAMESPACE: Final = uuid.UUID("6f0d3a52-6a0f-5f7e-9d0c-0d5a1f1c7b1e")
"""Under which the serial numbers of this project's bills are made: the same locks, the same number."""
LOCK: Final = "requirements.txt"
CHARTS: Final = "charts.lock"
_PIN: Final = re.compile(r"(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)(\[[^\]]*\])?==(?P<version>[^\s\\;]+)")
_HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA: Final = re.compile(r"#\s+(?:via\s+)?(.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Package:
    """One package of the Python lock: `asked_by` are packages, or the project where its own list names it."""

    name: str
    version: str
    hashes: tuple[str, ...]
    asked_by: tuple[str, ...]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def python_packages(text: str) -> list[Package]:
    """The packages of a compiled lock; raises ValueError on a line that is no pin."""
    found = []
    for block in re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"(?m)\A(#.*\n|\s*\n)*", "", text)):
        if not block.strip():
            continue
        pin = _PIN.match(block)
        if pin is None:
            raise ValueError(f"{LOCK}: {block.splitlines()[0][:60]} is no pin")
        tail = block[block.find("    #") :] if "    #" in block else ""
        asked = [line.strip() for line in _VIA.findall(tail) if line.strip() != "via"]
        found.append(Package(_plain(pin["name"]), pin["version"], tuple(_HASH.findall(block)), tuple(asked)))
    return found


def _python(project: Path) -> tuple[list[Component], dict[str, tuple[str, ...]]]:
    listed = python_packages((project / LOCK).read_text(encoding="utf-8"))
    components = [
        Component(
            name=one.name,
            version=one.version,
            type=ComponentType.LIBRARY,
            purl=(url := PackageURL("pypi", None, one.name, one.version)),
            bom_ref=url.to_string(),
            properties=[Property(name="lock:sha256", value=text) for text in one.hashes],
        )
        for one in listed
    ]
    return components, {one.name: one.asked_by for one in listed}


def _go(project: Path) -> Iterator[Component]:
    """Modules whose content (not only whose go.mod) a go.sum holds; a module of several tools once."""
    seen: dict[tuple[str, str], list[str]] = {}
    sums: dict[tuple[str, str], str] = {}
    for lock in sorted((project / "toolchain").glob("*/go.sum")):
        for line in lock.read_text(encoding="utf-8").splitlines():
            module, version, checksum = line.split()
            if not version.endswith("/go.mod"):
                seen.setdefault((module, version), []).append(lock.parent.name)
                sums[module, version] = checksum
    for (module, version), tools in sorted(seen.items()):
        space, _, name = module.rpartition("/")
        url = PackageURL("golang", space or None, name, version)
        raw = base64.b64decode(sums[module, version].removeprefix("h1:")).hex()
        yield Component(
            name=module,
            version=version,
            type=ComponentType.LIBRARY,
            purl=url,
            bom_ref=url.to_string(),
            properties=[
                Property(name="lock:h1-sha256", value=raw),
                *(Property(name="lock:tool", value=tool) for tool in tools),
            ],
        )


def _charts(project: Path) -> Iterator[Component]:
    file = project / CHARTS
    if not file.is_file():
        return
    for entries in json.loads(file.read_text(encoding="utf-8"))["charts"].values():
        for one in entries:
            url = PackageURL("helm", None, one["chart"], one["version"], {"repository_url": one["repository"]})
            digest = str(one.get("digest") or "").removeprefix("sha256:")
            known = bool(re.fullmatch(r"[0-9a-f]{64}", digest))
            yield Component(
                name=one["chart"],
                version=one["version"],
                type=ComponentType.APPLICATION,
                purl=url,
                bom_ref=f"{url.to_string()}#{one.get('app', '')}",
                hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)] if known else [],
                properties=[] if known else [Property(name="lock:digest", value="unresolved")],
            )


def _unique(components: Iterator[Component]) -> Iterator[Component]:
    seen = set[str]()
    for one in components:
        if str(one.bom_ref) not in seen:
            seen.add(str(one.bom_ref))
            yield one


def commit_time(project: Path) -> datetime:
    """When the newest commit was made; the epoch outside of git, so that the same tree makes the same bytes."""
    asked = subprocess.run(
        ["git", "log", "-1", "--format=%ct"],  # noqa: S607 - git of the user's PATH
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    return datetime.fromtimestamp(int(asked.stdout.strip() or 0) if asked.returncode == 0 else 0, UTC)


def make(project: Path, version: str) -> str:
    """The bill as JSON. Wrong input (exit 2) when a lock is missing or unreadable."""
    try:
        packages, asked = _python(project)
        rest = list(_unique(iter([*_go(project), *_charts(project)])))
        locks = [project / LOCK, project / CHARTS, *sorted((project / "toolchain").glob("*/go.sum"))]
        digest = hashlib.sha256(b"".join(path.read_bytes() for path in locks if path.is_file())).hexdigest()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Ending(Exit.WRONG_INPUT, "locks", f"the locks cannot be read: {error}") from None
    root = Component(
        name="cloud-ecosystem", version=version, type=ComponentType.APPLICATION, bom_ref=f"cloud-ecosystem@{version}"
    )
    bom = Bom(
        components=[*packages, *rest],
        serial_number=uuid.uuid5(NAMESPACE, f"{version} {digest}"),
        metadata=BomMetaData(component=root, timestamp=commit_time(project), tools=ToolRepository()),
    )
    by_name = {one.name: one for one in packages}
    children: dict[str, list[Component]] = {}
    for name, owners in asked.items():
        for owner in owners:
            children.setdefault(owner if owner in by_name else "", []).append(by_name[name])
    bom.register_dependency(root, [*children.get("", []), *rest])
    for name, component in by_name.items():
        bom.register_dependency(component, children.get(name, []))
    made: dict[str, Any] = json.loads(JsonV1Dot6(bom).output_as_string())
    return json.dumps(made, indent=1, sort_keys=True) + "\n"
