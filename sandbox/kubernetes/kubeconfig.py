"""Read a kubeconfig as the provider gets it: text, or the path of a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import yaml

from sandbox.errors import Refused


@dataclass(frozen=True)
class Target:
    """The active cluster of a kubeconfig."""

    server: str
    namespace: str
    credentials: dict[str, Any]

    @property
    def host(self) -> str:
        """Host of the server in lower case: the key of the cluster on the stage."""
        return self.server.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0].lower()


def parse(text: str, context: str = "", cluster: str = "") -> Target:
    """Find the active cluster. Raises Refused in the provider's words when the text is no kubeconfig."""
    if not text.lstrip().startswith("{") and "\n" not in text and len(text) < 4096 and Path(text).is_file():  # noqa: PLR2004
        text = Path(text).read_text(encoding="utf-8")
    try:
        config = yaml.load(text, yaml.CSafeLoader)
        contexts = {item["name"]: item.get("context") or {} for item in config.get("contexts") or ()}
        active = contexts.get(context or config.get("current-context") or "", {})
        clusters = {item["name"]: item.get("cluster") or {} for item in config.get("clusters") or ()}
        users = {item["name"]: item.get("user") or {} for item in config.get("users") or ()}
        chosen = clusters[cluster or active["cluster"]]
        return Target(
            str(chosen["server"]),
            str(active.get("namespace") or ""),
            {**users.get(active.get("user"), {}), **{key: item for key, item in chosen.items() if key != "server"}},
        )
    except (yaml.YAMLError, AttributeError, KeyError, TypeError) as problem:
        raise Refused(
            "",
            f"failed to parse kubeconfig data in `kubernetes:config:kubeconfig`: {type(problem).__name__}",
            grpc.StatusCode.INVALID_ARGUMENT,
        ) from None
