"""Every object of every service, made on a real API server with the definitions of the charts, and removed again."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import Any

import grpc
import kubernetes
import pytest
import yaml
from pulumi.runtime.mocks import MockResourceArgs

from components.kubernetes.propagation import objects
from sandbox.kubernetes.api_server import ApiServers, equip
from sandbox.kubernetes.kubeconfig import parse
from sandbox.kubernetes.releases import RELEASE
from sandbox.kubernetes.rest import Rest
from sandbox.kubernetes.snapshots import SNAPSHOTS
from sandbox.state import Database, count_left
from stacks.services.table import TABLE
from tests.components.kubernetes.services.built import ALL, KYVERNO, SHARED, build, needs_shared
from tests.components.kubernetes.services.planted import KYVERNO as MISTAKES_OF_KYVERNO
from tests.components.kubernetes.services.planted import MISTAKES, plant
from tests.components.kubernetes.test_propagation import MISTAKES as POLICIES
from tests.components.kubernetes.test_propagation import WISHES, wish
from tests.components.mock_cloud import Cloud
from tests.sandbox.engine import Made
from tests.sandbox.kubernetes.port import Port
from tests.sandbox.kubernetes.served import served
from tests.toolchain.plane import control_plane
from toolchain.cluster import ControlPlane

__all__ = ["control_plane"]
Mistake = tuple[str, tuple[str | int, ...], Any]
GONE = "gatekeeper"
AT_ONCE = 8
ORDER = {"Namespace": 0, "CustomResourceDefinition": 1, "Release": 2}
pytestmark = [pytest.mark.cluster, needs_shared]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    found = Database(tmp_path / "clouds.sqlite")
    yield found
    found.close()


@pytest.fixture
def port(control_plane: ControlPlane, tmp_path: Path, database: Database) -> Iterator[Port]:
    with served(ApiServers(tmp_path, database), database) as address:
        found = Port(address, {"kubeconfig": control_plane.kubeconfig.read_text(encoding="utf-8")}, "default")
        yield found
        found.close()


def whole(value: Any) -> Any:
    """Numbers as the engine sends them: what is whole is an integer."""
    if isinstance(value, dict):
        return {key: whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def planted(inputs: dict[str, Any], path: tuple[str | int, ...], wrong: Any) -> dict[str, Any]:
    """The same object with one mistake."""
    changed: dict[str, Any] = whole(inputs)
    plant(changed, path, wrong)
    changed["metadata"]["name"] = "planted"
    return changed


def test_everything_is_accepted_mistakes_are_not_and_nothing_is_left(
    port: Port, cloud: Cloud, tmp_path: Path, control_plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then one service goes, with exactly what is its own, and at last everything, definitions included."""
    monkeypatch.setattr("sandbox.kubernetes.live.LiveCluster.pauses", (0.5, 1, 2, 4, 8, 16, 32))
    target = parse(control_plane.kubeconfig.read_text(encoding="utf-8"))
    equip(Rest(target.server, target.credentials), SNAPSHOTS)  # what a cloud brings, and keeps
    before = standing(control_plane)
    wished = ranked(build(cloud, ALL))
    made = installed(port, wished)
    assert sum(each.typ == RELEASE for each in wished) >= 10
    assert len(made) > 150
    assert taken(port, wished, MISTAKES) == []

    whole_set = standing(control_plane)
    cloud.asked.clear()
    kept = {key(each) for each in ranked(build(cloud, {key: wish for key, wish in ALL.items() if key != GONE}))}
    gone = [each for each in wished if key(each) not in kept]
    assert removed(port, {key(each): made.pop(key(each)) for each in gone}, gone) > 0
    groups = TABLE[GONE].definitions
    lost = whole_set - standing(control_plane)
    assert {"Namespace " + TABLE[GONE].namespace} < lost
    assert all(
        each.startswith("Namespace ") or each.endswith(tuple(f".{group}" for group in groups)) for each in lost
    ), lost

    removed(port, made, [each for each in wished if key(each) in made])
    assert count_left(tmp_path / "clouds.sqlite") == 0
    assert standing(control_plane) == before


def test_what_stands_instead_is_accepted_too(
    port: Port, cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other policy engine, cost and logs the other way, with what they stand on: the rest was judged above."""
    monkeypatch.setattr("sandbox.kubernetes.live.LiveCluster.pauses", (0.5, 1, 2, 4, 8, 16, 32))
    names = ("cert_manager", "external_secrets", "monitoring", "elk", "kubecost", "kyverno")
    wished = ranked(build(cloud, {name: KYVERNO[name] for name in names}))
    made = installed(port, wished)
    assert taken(port, wished, MISTAKES_OF_KYVERNO) == []
    removed(port, made, wished)
    assert count_left(tmp_path / "clouds.sqlite") == 0


def standing(plane: ControlPlane) -> set[str]:
    """Namespaces and definitions that the server itself has."""
    found = set()
    for kind in ("Namespace", "CustomResourceDefinition"):
        told = json.loads(plane.kubectl("get", kind, "-o", "json"))
        found |= {f"{kind} {each['metadata']['name']}" for each in told["items"]}
    return found


def key(asked: MockResourceArgs) -> tuple[str, str]:
    """What tells a resource from all others: its URN has type and name."""
    return asked.typ, asked.name


def rank(asked: MockResourceArgs) -> int:
    """Say what comes before what: a template makes the kind of its constraints."""
    last = 4 if asked.typ.startswith("kubernetes:constraints.") else 3
    return ORDER.get(asked.typ.rpartition(":")[2], last)


def ranked(cloud: Cloud) -> list[MockResourceArgs]:
    return sorted((each for each in cloud.asked if each.typ.startswith("kubernetes:")), key=rank)


def installed(port: Port, wished: list[MockResourceArgs]) -> dict[tuple[str, str], Made]:
    """Make all of a rank at once, as the engine does."""
    made: dict[tuple[str, str], Made] = {}
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _, group in groupby(wished, rank):
            several = list(group)
            answers = pool.map(lambda each: port.create(each.typ, each.name, whole(each.inputs)), several)
            made.update(zip(map(key, several), answers, strict=True))
    return made


def removed(port: Port, made: dict[tuple[str, str], Made], wished: list[MockResourceArgs]) -> int:
    """Remove in reverse, all of a rank at once."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _, group in groupby(reversed(wished), rank):
            list(pool.map(lambda each: port.remove(made[key(each)]), group))
    return len(wished)


def test_there_are_sixty_mistakes_and_more() -> None:
    objects = {(kind, path, str(wrong)) for kind, path, wrong in (*MISTAKES, *MISTAKES_OF_KYVERNO)}
    assert len(objects) >= 60


def taken(port: Port, wished: list[MockResourceArgs], mistakes: list[Mistake]) -> list[str]:
    """Plant each mistake; name those that the server takes, and those for which we emit nothing to plant them in."""
    found = []
    for kind, path, wrong in mistakes:
        where = f"{kind} {'.'.join(map(str, path))} = {wrong}"
        fitting = next((each for each in wished if each.typ.endswith(f":{kind}") and has(each.inputs, path)), None)
        if fitting is None:
            found.append(f"{where}: there is nothing like it")
            continue
        try:
            port.dry(fitting.typ, "planted", planted(fitting.inputs, path, wrong))
        except grpc.RpcError:
            continue
        found.append(f"{where}: taken")
    return found


def has(value: Any, path: tuple[str | int, ...]) -> bool:
    """Whether an object has something at a path."""
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def test_policies_of_karmada_are_taken_and_mistakes_are_not(control_plane: ControlPlane) -> None:
    """Karmada's own API server is one of Kubernetes with these definitions; here as a dry run."""
    client = kubernetes.config.new_client_from_config(str(control_plane.kubeconfig))
    extensions, custom = kubernetes.client.ApiextensionsV1Api(client), kubernetes.client.CustomObjectsApi(client)
    plurals = {"PropagationPolicy": "propagationpolicies", "OverridePolicy": "overridepolicies"}
    names = []
    for plural in plurals.values():
        text = (SHARED / "crds" / "karmada" / f"{plural}.yaml").read_text(encoding="utf-8")
        names.append(extensions.create_custom_resource_definition(yaml.safe_load(text)).metadata.name)

    def refused(made: dict[str, Any]) -> bool:
        group, version = made["apiVersion"].split("/")
        where = (group, version, "default", plurals[made["kind"]])
        try:
            custom.create_namespaced_custom_object(*where, made, dry_run="All", field_validation="Strict")
        except kubernetes.client.ApiException as problem:
            return problem.status in {400, 422}
        return False

    def ours(name: str) -> list[dict[str, Any]]:
        found = objects(name, wish(name))
        for each in found:
            each["metadata"]["namespace"] = "default"
        return found

    try:
        for _ in range(50):  # a definition is served a moment after it was made
            served = [extensions.read_custom_resource_definition_status(name) for name in names]
            if all(
                any(c.type == "Established" and c.status == "True" for c in (s.status.conditions or ())) for s in served
            ):
                break
            time.sleep(0.2)
        assert [each["metadata"] for name in WISHES for each in ours(name) if refused(each)] == []
        accepted = [path for name, path, wrong in POLICIES if not refused(planted(ours(name)[0], path, wrong))]
        assert accepted == []
    finally:
        for name in names:
            extensions.delete_custom_resource_definition(name)
