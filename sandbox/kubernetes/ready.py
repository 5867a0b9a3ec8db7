"""When an object is live, kind by kind; kinds that are not listed are live at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from sandbox.kubernetes.kinds import is_built_in

WAIT_FOR: Final = "pulumi.com/waitFor"
_JSONPATH: Final = re.compile(r"jsonpath=\{\.?(?P<path>[^}]*)\}(?:=(?P<value>.*))?")

Part = Mapping[str, Any]


def reason_not_ready(live: Part) -> str | None:
    """Return what an object still waits for, or None. Raises ValueError for a waitFor that cannot be read."""
    asked = ((live.get("metadata") or {}).get("annotations") or {}).get(WAIT_FOR)
    if asked:
        return _asked_for(live, str(asked))
    kind = str(live.get("kind"))
    check = _CHECKS.get(kind) if is_built_in(str(live.get("apiVersion")), kind) else None
    return check(live, live.get("spec") or {}, live.get("status") or {}) if check else None


def _conditions(status: Part) -> dict[str, str]:
    return {item.get("type"): item.get("status") for item in status.get("conditions") or ()}


def _seen(live: Part, status: Part) -> bool:
    return bool(status.get("observedGeneration", 0) >= (live.get("metadata") or {}).get("generation", 1))


def _quota(_live: Part, spec: Part, status: Part) -> str | None:
    return None if status.get("hard") == spec.get("hard") else "its status does not equal its spec"


def _deployment(live: Part, spec: Part, status: Part) -> str | None:
    wanted = spec.get("replicas", 1)
    if not _seen(live, status):
        return "the controller has not seen it"
    available = status.get("availableReplicas", 0)
    return None if status.get("updatedReplicas", 0) >= wanted <= available else (
        f"{available} of {wanted} replicas are available"
    )  # fmt: skip


def _replicas(live: Part, spec: Part, status: Part) -> str | None:
    if not _seen(live, status):
        return "the controller has not seen it"
    wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    return None if ready >= wanted else f"{ready} of {wanted} replicas are ready"


def _daemons(live: Part, _spec: Part, status: Part) -> str | None:
    if not _seen(live, status):
        return "the controller has not seen it"
    wanted = status.get("desiredNumberScheduled", 0)
    ready = status.get("numberReady", 0)
    return None if ready >= wanted else f"{ready} of {wanted} nodes run its pod"


def _job(_live: Part, _spec: Part, status: Part) -> str | None:
    return None if _conditions(status).get("Complete") == "True" else "it has not completed"


def _pod(_live: Part, _spec: Part, status: Part) -> str | None:
    done = _conditions(status).get("Ready") == "True" or status.get("phase") == "Succeeded"
    return None if done else f"its phase is {status.get('phase')}"


def _volume(_live: Part, _spec: Part, status: Part) -> str | None:
    return None if status.get("phase") in {"Available", "Bound"} else f"its phase is {status.get('phase')}"


def _service(_live: Part, spec: Part, status: Part) -> str | None:
    return _ingress(_live, spec, status) if spec.get("type") == "LoadBalancer" else None


def _ingress(_live: Part, _spec: Part, status: Part) -> str | None:
    return None if (status.get("loadBalancer") or {}).get("ingress") else "no address was assigned"


def _secret(live: Part, _spec: Part, _status: Part) -> str | None:
    waits = live.get("type") == "kubernetes.io/service-account-token" and not live.get("data")
    return "its token was not issued" if waits else None


_CHECKS: Final[dict[str, Callable[[Part, Part, Part], str | None]]] = {
    "ResourceQuota": _quota, "Deployment": _deployment, "StatefulSet": _replicas, "ReplicationController": _replicas,
    "DaemonSet": _daemons, "Job": _job, "Pod": _pod, "PersistentVolume": _volume, "PersistentVolumeClaim": _volume,
    "Service": _service, "Ingress": _ingress, "Secret": _secret,
}  # fmt: skip


def _asked_for(live: Part, asked: str) -> str | None:
    expressions = json.loads(asked) if asked.startswith("[") else [asked]
    return next((f"{one} is not met" for one in expressions if not _met(live, str(one))), None)


def _met(live: Part, expression: str) -> bool:
    if expression.startswith("condition="):
        name, _, wanted = expression.removeprefix("condition=").partition("=")
        return _conditions(live.get("status") or {}).get(name) == (wanted or "True")
    found = _JSONPATH.fullmatch(expression)
    if found is None:
        raise ValueError(f"{WAIT_FOR}: {expression!r} is neither jsonpath={{...}}[=VALUE] nor condition=TYPE[=STATUS]")
    value: Any = live
    for part in re.findall(r"[^.\[\]]+", found["path"]):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            value = None
    if found["value"] is None:
        return value is not None
    return (json.dumps(value) if isinstance(value, bool) else str(value)) == found["value"]
