"""The step `verify-clusters`: nodes, pods and the endpoints behind services, asked from each cluster of a stack."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from automation.exits import Ending, Exit

PROVIDER: Final = "pulumi:providers:kubernetes"
SECONDS: Final = 30
SECRET_MARK: Final = "4dabf18193072939515e22adb298388d"  # noqa: S105 - the engine's mark of special values in a state
Thing = Mapping[str, Any]


@dataclass(frozen=True)
class Shown:
    """What a cluster answers."""

    nodes: Sequence[Thing]
    pods: Sequence[Thing]
    services: Sequence[Thing]
    slices: Sequence[Thing]


def _name(thing: Thing) -> str:
    meta = thing.get("metadata") or {}
    return f"{meta.get('namespace')}/{meta.get('name')}" if meta.get("namespace") else str(meta.get("name"))


def _ready(thing: Thing) -> bool:
    conditions = (thing.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions)


def _pods(pods: Sequence[Thing]) -> Iterator[str]:
    for pod in pods:
        status = pod.get("status") or {}
        if (pod.get("metadata") or {}).get("deletionTimestamp") or status.get("phase") == "Succeeded":
            continue
        waits = [
            (one.get("state") or {}).get("waiting", {}).get("reason")
            for one in (*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ()))
        ]
        why = next((reason for reason in waits if reason), None) or status.get("reason") or status.get("phase")
        if not _ready(pod):
            yield f"pod {_name(pod)} is not ready: {why or 'no status'}"


def _services(services: Sequence[Thing], slices: Sequence[Thing]) -> Iterator[str]:
    ready: dict[str, int] = {}
    for part in slices:
        meta = part.get("metadata") or {}
        owner = f"{meta.get('namespace')}/{(meta.get('labels') or {}).get('kubernetes.io/service-name')}"
        good = [one for one in part.get("endpoints") or () if (one.get("conditions") or {}).get("ready") is not False]
        ready[owner] = ready.get(owner, 0) + sum(len(one.get("addresses") or ()) for one in good)
    for service in services:
        spec = service.get("spec") or {}
        if not spec.get("selector") or spec.get("type") == "ExternalName":
            continue  # nobody but its owner knows what is behind it
        if not ready.get(_name(service)):
            yield f"service {_name(service)} has no ready endpoint"
        entry = ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress")
        if spec.get("type") == "LoadBalancer" and not entry:
            yield f"service {_name(service)} has no address of a load balancer"


def judge(shown: Shown) -> list[str]:
    """What is wrong; [] when every node and pod is ready and each service with a selector has somebody behind it."""
    found = [f"node {_name(node)} is not ready" for node in shown.nodes if not _ready(node)]
    if not shown.nodes:
        found.append("there is no node")
    return [*found, *_pods(shown.pods), *_services(shown.services, shown.slices)]


def ask(kubeconfig: Path) -> Shown:
    """Ask one cluster, read-only. Raises whatever the client raises when it does not answer."""
    from kubernetes import client, config  # noqa: PLC0415 - slow to load, only this step needs it

    made: Any = config.new_client_from_config(config_file=str(kubeconfig))  # type: ignore[no-untyped-call]
    with made as api:
        core, discovery = client.CoreV1Api(api), client.DiscoveryV1Api(api)

        def listed(answer: Any) -> list[Thing]:
            made: list[Thing] = [api.sanitize_for_serialization(one) for one in answer.items]
            return made

        return Shown(
            listed(core.list_node(_request_timeout=SECONDS)),
            listed(core.list_pod_for_all_namespaces(_request_timeout=SECONDS)),
            listed(core.list_service_for_all_namespaces(_request_timeout=SECONDS)),
            listed(discovery.list_endpoint_slice_for_all_namespaces(_request_timeout=SECONDS)),
        )


def kubeconfigs(state: Mapping[str, Any]) -> dict[str, str]:
    """Cluster -> kubeconfig, from the Kubernetes providers of a state that was exported with its secrets."""
    found = {}
    for one in (state.get("deployment") or {}).get("resources") or ():
        if one.get("type") == PROVIDER:
            held = (one.get("inputs") or {}).get("kubeconfig")
            if isinstance(held, Mapping) and SECRET_MARK in held:
                held = json.loads(str(held.get("plaintext") or "null"))
            if held:
                found[str(one["urn"]).rsplit("::", 1)[-1]] = str(held)
    return found


def verify(clusters: Mapping[str, str]) -> dict[str, list[str]]:
    """Cluster -> findings; a cluster that does not answer is a finding. Without any cluster: wrong input (exit 2)."""
    if not clusters:
        raise Ending(Exit.WRONG_INPUT, "clusters", "the stack's state has no Kubernetes provider: nothing to verify")
    made: dict[str, list[str]] = {}
    for name, text in sorted(clusters.items()):
        with tempfile.TemporaryDirectory(prefix="ecosystem-verify-") as folder:
            file = Path(folder) / "kubeconfig"
            file.touch(mode=0o600)
            file.write_text(text, encoding="utf-8")
            try:
                made[name] = judge(ask(file))
            except Exception as error:  # noqa: BLE001 - whatever the client raises: the cluster did not answer
                made[name] = [f"does not answer: {type(error).__name__}"]
    return made
