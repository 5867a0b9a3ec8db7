"""The client layer that stands between the engine and a cloud: identity, faults, bounded retries, look-ups."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import grpc

from sandbox.asked import Asked
from sandbox.cloud import Difference
from sandbox.compare import differences
from sandbox.connection import Connection
from sandbox.errors import Failure, Refused
from sandbox.invokes import answer
from sandbox.kubernetes.kubeconfig import parse
from sandbox.kubernetes.options import refused_options
from sandbox.profiles import PROFILES
from sandbox.stage import Stage
from sandbox.state import Database
from sandbox.wire import Path, is_unknown

_IDENTITY_OPTIONS = {
    "gcp": ("project",),
    "azure-native": ("subscriptionId", "tenantId"),
    "aws": (),  # since 7.0 a region belongs to each resource: github.com/pulumi/pulumi-aws/pull/5656
    "cloudflare": (),
}


class Client:
    """The door of one package."""

    def __init__(self, package: str, database: Database, stage: Stage) -> None:
        """Put every call of a package through the fault plan of the stage."""
        self.package = package
        self.database = database
        self.stage = stage
        self.profile = PROFILES[package]() if package in PROFILES else None

    def connect(self, connection: Connection) -> None:
        """Configure an instance: who am I, and may I."""
        if self.profile is not None:
            self.profile.connect(
                connection, {str(key): item for key, item in self.stage.plan.accounts.items()}.get(self.package)
            )
        elif connection.text("kubeconfig"):
            connection.scope = parse(connection.text("kubeconfig"), connection.text("context")).host

    def call(self, connection: Connection, operation: str, asked: Asked, do: Callable[[], Any]) -> Any:
        """Do one call of the cloud's API, as the fault plan lets it."""
        service = self.profile.service(asked.type) if self.profile else asked.type.split(":")[1]
        return self.stage.call(connection, operation, asked, service, do)

    def invoke(self, connection: Connection, token: str, args: dict[str, Any]) -> dict[str, Any]:
        """Answer a look-up. Raises Refused for one that the stage does not know, naming it."""
        found = answer(token, args, connection, self.database, self.stage.now, self.stage.plan.project_numbers)
        if found is None:
            raise Refused(
                "",
                f"the sandbox does not serve the look-up {token}: add it to sandbox/invokes/",
                grpc.StatusCode.UNIMPLEMENTED,
            )
        return found

    def check_config(self, inputs: dict[str, Any]) -> list[Failure]:
        """Judge a provider's configuration."""
        if self.package == "kubernetes":
            text = inputs.get("kubeconfig")
            if isinstance(text, str) and not is_unknown(text):
                try:
                    parse(text, str(inputs.get("context") or ""), str(inputs.get("cluster") or ""))
                except Refused as refused:
                    return [Failure("", str(refused))]
            return refused_options(inputs)
        return []

    def diff_config(self, olds: dict[str, Any], news: dict[str, Any]) -> Difference | None:
        """Compare configurations: another identity (or cluster) replaces the provider and all it made."""
        changes = {
            path: change for path, change in differences(olds, news) if path[0] not in {"version", "pluginDownloadURL"}
        }
        if not changes:
            return None
        replaces: frozenset[Path] = frozenset()
        if self.package == "kubernetes":
            replaces = self._other_cluster(olds, news, changes)
        else:
            replaces = frozenset(path for path in changes if path[0] in _IDENTITY_OPTIONS[self.package])
        return Difference(changes, replaces, delete_first=False)

    @staticmethod
    def _other_cluster(olds: dict[str, Any], news: dict[str, Any], changes: dict[Path, Any]) -> frozenset[Path]:
        if news.get("clusterIdentifier"):
            return frozenset(path for path in changes if path[0] == "clusterIdentifier")
        replaces = {path for path in changes if path[0] in {"context", "cluster"}}
        if ("kubeconfig",) in changes:
            text = str(news.get("kubeconfig") or "")
            if is_unknown(text) or _server(olds) != _server(news):
                replaces.add(("kubeconfig",))
        return frozenset(replaces)


def _server(inputs: dict[str, Any]) -> str:
    try:
        return parse(
            str(inputs.get("kubeconfig") or ""), str(inputs.get("context") or ""), str(inputs.get("cluster") or "")
        ).server
    except Refused:
        return ""
