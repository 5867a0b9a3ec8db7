"""Certificates: cert-manager, an authority of the cluster's own, and Let's Encrypt where a contact is given."""

from __future__ import annotations

from typing import Any, ClassVar, Final

import pulumi

from components.kubernetes.crds.cert_manager import (
    Certificate,
    CertificateSpec,
    CertificateSpecIssuerRef,
    CertificateSpecPrivateKey,
    ClusterIssuer,
    ClusterIssuerSpec,
    ClusterIssuerSpecAcme,
    ClusterIssuerSpecAcmePrivateKeySecretRef,
    ClusterIssuerSpecAcmeSolvers,
    ClusterIssuerSpecAcmeSolversHttp01,
    ClusterIssuerSpecAcmeSolversHttp01GatewayHTTPRoute,
    ClusterIssuerSpecAcmeSolversHttp01GatewayHTTPRouteParentRefs,
    ClusterIssuerSpecCa,
    ClusterIssuerSpecSelfSigned,
)
from components.kubernetes.service import Ground, Service, resources, spread
from stacks.services.settings import CertManager

LETS_ENCRYPT: Final = "https://acme-v02.api.letsencrypt.org/directory"
OWN: Final = "own"
PUBLIC: Final = "public"
YEARS: Final = "43800h"
RENEW: Final = "8760h"
OUT: Final = {"istio.io/dataplane-mode": "none", "sidecar.istio.io/inject": "false"}
"""Labels of pods that the API server calls: it speaks no mesh, so they stay out and keep TLS of their own."""


class Certificates(Service):
    """cert-manager with its definitions, the issuer `own` and, with a contact, the issuer `public`."""

    SERVICE: ClassVar[str] = "cert_manager"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.cert_manager
        assert wish is not None  # noqa: S101 - only made when it is on
        namespace = self.facts.namespace
        self.namespace()
        self.release("cert-manager", values(ground), name="cert-manager")
        root = self.custom(
            "bootstrap", ClusterIssuer(spec=ClusterIssuerSpec(self_signed=ClusterIssuerSpecSelfSigned()))
        )
        authority = self.custom(
            "authority",
            Certificate(
                spec=CertificateSpec(
                    is_ca=True,
                    common_name=f"{ground.environment} {ground.cluster.name}",
                    secret_name="authority",  # noqa: S106 - a name
                    duration=YEARS,
                    renew_before=RENEW,
                    private_key=CertificateSpecPrivateKey(algorithm="ECDSA", size=384, rotation_policy="Always"),
                    issuer_ref=CertificateSpecIssuerRef(name="bootstrap", kind="ClusterIssuer"),
                )
            ),
            namespace=namespace,
            after=[*self.last, root],
        )
        self.custom(
            OWN,
            ClusterIssuer(spec=ClusterIssuerSpec(ca=ClusterIssuerSpecCa(secret_name="authority"))),  # noqa: S106
            after=[*self.last, authority],
        )
        if wish.email is not None:
            self.custom(PUBLIC, _public(wish, gateway=ground.services.mesh is not None))
        self.done()


def values(ground: Ground) -> dict[str, Any]:
    """Values of the chart."""
    room = ground.room("cert_manager")

    def pods(name: str, component: str) -> dict[str, Any]:
        return {
            "replicaCount": room[name].replicas,
            "resources": resources(room[name]),
            "podDisruptionBudget": {"enabled": True, "maxUnavailable": 1},
            "topologySpreadConstraints": spread({"app.kubernetes.io/component": component}),
        }

    return {
        "crds": {"enabled": True, "keep": False},
        "global": {"leaderElection": {"namespace": "cert-manager"}, "priorityClassName": "system-cluster-critical"},
        "config": {
            "apiVersion": "controller.config.cert-manager.io/v1alpha1",
            "kind": "ControllerConfiguration",
            "enableGatewayAPI": ground.services.mesh is not None,
        },
        **pods("controller", "controller"),
        "webhook": {**pods("webhook", "webhook"), "podLabels": OUT},
        "cainjector": pods("cainjector", "cainjector"),
        "startupapicheck": {"enabled": True, "podLabels": OUT},
        "prometheus": {"enabled": True},
    }


def _public(wish: CertManager, *, gateway: bool) -> ClusterIssuer:
    """Let's Encrypt, answered through the mesh's gateway where there is one."""
    parent = ClusterIssuerSpecAcmeSolversHttp01GatewayHTTPRouteParentRefs(
        name="gateway", namespace="istio-system", kind="Gateway", group="gateway.networking.k8s.io"
    )
    route = ClusterIssuerSpecAcmeSolversHttp01GatewayHTTPRoute(parent_refs=[parent])
    http = ClusterIssuerSpecAcmeSolversHttp01(gateway_http_route=route)
    return ClusterIssuer(
        spec=ClusterIssuerSpec(
            acme=ClusterIssuerSpecAcme(
                email=wish.email,
                server=LETS_ENCRYPT,
                private_key_secret_ref=ClusterIssuerSpecAcmePrivateKeySecretRef(name="lets-encrypt"),
                solvers=[ClusterIssuerSpecAcmeSolvers(http01=http)] if gateway else None,
            )
        )
    )
