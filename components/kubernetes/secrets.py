"""Secrets from the cloud's own manager: External Secrets, by the identity of its account."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import pulumi

from components.grants import Holder, PodIdentity, ReadSecrets
from components.kubernetes.certificates import OUT
from components.kubernetes.crds.external_secrets import (
    ClusterSecretStore,
    ClusterSecretStoreSpec,
    ClusterSecretStoreSpecConditions,
    ExternalSecret,
    ExternalSecretSpec,
    ExternalSecretSpecData,
    ExternalSecretSpecDataRemoteRef,
    ExternalSecretSpecSecretStoreRef,
    ExternalSecretSpecTarget,
    ExternalSecretSpecTargetTemplate,
)
from components.kubernetes.service import Ground, Service, resources, spread
from stacks.services.databases import DATABASES
from stacks.services.table import TABLE

STORE: Final = "cloud"
"""Name of the one store: the manager of the cloud that the cluster is in."""


class Secrets(Service):
    """External Secrets, an identity that reads the manager of the cloud, and the store `cloud` for the namespaces."""

    SERVICE: ClassVar[str] = "external_secrets"

    def __init__(
        self,
        name: str,
        ground: Ground,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, ground, opts)
        self.namespace()
        reader = ground.cluster.identity_for(Holder("external-secrets", "external-secrets"), [ReadSecrets()])
        self.last = [*self.last, *reader.ready]
        self.release("external-secrets", values(ground, reader))
        readers = {TABLE[each].namespace for each, _ in ground.services.on() if self.SERVICE in TABLE[each].needs}
        readers |= {TABLE[each].namespace for each, wish in ground.services.on() if TABLE[each].reads(wish)}
        readers |= {DATABASES} if ground.services.cloudnative_pg is not None else set()
        mesh = ground.services.mesh
        joined = {TABLE["mesh"].namespace} if mesh is not None and mesh.federation is not None else set()
        open_to = {*ground.tenants, *readers, *joined}
        conditions = [ClusterSecretStoreSpecConditions(namespaces=sorted(open_to))]
        self.custom(
            STORE,
            ClusterSecretStore(
                spec=ClusterSecretStoreSpec(provider=ground.cluster.offer.secrets, conditions=conditions)
            ),
        )
        self.done()


def values(ground: Ground, reader: PodIdentity | None = None) -> dict[str, Any]:
    """Values of the chart."""
    room = ground.room("external_secrets")

    def pods(name: str, label: str) -> dict[str, Any]:
        return {
            "replicaCount": room[name].replicas,
            "resources": resources(room[name]),
            "podDisruptionBudget": {"enabled": True, "minAvailable": 1},
            "topologySpreadConstraints": spread({"app.kubernetes.io/name": label}),
        }

    return {
        "installCRDs": True,
        "leaderElect": True,
        **pods("controller", "external-secrets"),
        "webhook": {**pods("webhook", "external-secrets-webhook"), "podLabels": OUT},
        "certController": pods("cert-controller", "external-secrets-cert-controller"),
        "priorityClassName": "system-cluster-critical",
        "rbac": {"serviceAccountTokenCreate": False},
        "podLabels": dict(reader.labels) if reader else {},
        "serviceAccount": {"annotations": dict(reader.annotations) if reader else {}},
    }


def external(
    ground: Ground, name: str, keys: dict[str, str], template: ExternalSecretSpecTargetTemplate | None = None
) -> ExternalSecret:
    """A secret of the cluster whose keys come from the store: key of the secret to name in the store."""
    minutes = ground.services.external_secrets.refresh_minutes if ground.services.external_secrets else 60
    return ExternalSecret(
        spec=ExternalSecretSpec(
            refresh_interval="1h" if minutes == 60 else f"{minutes}m",  # noqa: PLR2004 - an hour
            secret_store_ref=ExternalSecretSpecSecretStoreRef(name=STORE, kind="ClusterSecretStore"),
            target=ExternalSecretSpecTarget(
                name=name, creation_policy="Owner", deletion_policy="Retain", template=template
            ),
            data=[
                ExternalSecretSpecData(secret_key=key, remote_ref=ExternalSecretSpecDataRemoteRef(key=remote))
                for key, remote in sorted(keys.items())
            ],
        )
    )
