"""Signatures of images at the door of clusters: Kyverno; the law's own policies are judged by the API server."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final

import pulumi

from components.kubernetes import rendered
from components.kubernetes.certificates import OUT
from components.kubernetes.crds.kyverno import (
    ImageValidatingPolicy,
    ImageValidatingPolicySpec,
    ImageValidatingPolicySpecAttestors,
    ImageValidatingPolicySpecAttestorsCosign,
    ImageValidatingPolicySpecAttestorsCosignCtlog,
    ImageValidatingPolicySpecAttestorsCosignKeyless,
    ImageValidatingPolicySpecAttestorsCosignKeylessIdentities,
    ImageValidatingPolicySpecMatchConstraints,
    ImageValidatingPolicySpecMatchConstraintsNamespaceSelector,
    ImageValidatingPolicySpecMatchConstraintsNamespaceSelectorMatchExpressions,
    ImageValidatingPolicySpecMatchConstraintsResourceRules,
    ImageValidatingPolicySpecMatchImageReferences,
    ImageValidatingPolicySpecValidationConfigurations,
    ImageValidatingPolicySpecValidations,
    ImageValidatingPolicySpecWebhookConfiguration,
)
from components.kubernetes.service import Ground, Service, resources, spread
from stacks.services.guarding import Kyverno as Wish
from stacks.services.guarding import Signer

LOG: Final = "https://rekor.sigstore.dev"
"""The public log of signatures (docs.sigstore.dev/logging/overview, 2026-11)."""
SYSTEM: Final = ("kube-node-lease", "kube-public", "kube-system", "kyverno")
SECONDS: Final = 15
"""A signature is fetched from the registry while the API server waits."""


class Kyverno(Service):
    """Admission in three replicas, reports, one policy for each signer, and the rules of the law."""

    SERVICE: ClassVar[str] = "kyverno"

    def __init__(self, name: str, ground: Ground, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(name, ground, opts)
        wish = ground.services.kyverno
        assert wish is not None  # noqa: S101 - only made when it is on
        self.namespace()
        self.release("kyverno", values(ground))
        for signer, who in sorted(wish.signers.items()):
            self.custom(f"signed-by-{signer}", signed(signer, who, wish))
        rendered.install(self, ground.rules.get(self.SERVICE, ()), wish.action)
        self.done()


def signed(name: str, who: Signer, wish: Wish) -> ImageValidatingPolicy:
    """Every container of a pod with such an image needs a signature of this identity that stands in the log."""
    attestor = re.sub(r"[^a-zA-Z0-9]", "", name.title())
    attestor = attestor[:1].lower() + attestor[1:]
    expressions = {
        kind: f"images.{kind}.map(image, verifyImageSignatures(image, [attestors.{attestor}])).all(count, count > 0)"
        for kind in ("containers", "initContainers", "ephemeralContainers")
    }
    namespaces = ImageValidatingPolicySpecMatchConstraintsNamespaceSelectorMatchExpressions(
        key="kubernetes.io/metadata.name", operator="NotIn", values=list(SYSTEM)
    )
    return ImageValidatingPolicy(
        spec=ImageValidatingPolicySpec(
            failure_policy="Fail" if wish.action == "deny" else "Ignore",
            webhook_configuration=ImageValidatingPolicySpecWebhookConfiguration(timeout_seconds=SECONDS),
            validation_actions=["Deny" if wish.action == "deny" else "Audit"],
            validation_configurations=ImageValidatingPolicySpecValidationConfigurations(
                mutate_digest=True, required=True, verify_digest=True
            ),
            match_constraints=ImageValidatingPolicySpecMatchConstraints(
                namespace_selector=ImageValidatingPolicySpecMatchConstraintsNamespaceSelector(
                    match_expressions=[namespaces]
                ),
                resource_rules=[
                    ImageValidatingPolicySpecMatchConstraintsResourceRules(
                        api_groups=[""], api_versions=["v1"], operations=["CREATE", "UPDATE"], resources=["pods"]
                    )
                ],
            ),
            match_image_references=[ImageValidatingPolicySpecMatchImageReferences(glob=each) for each in who.images],
            attestors=[
                ImageValidatingPolicySpecAttestors(
                    name=attestor,
                    cosign=ImageValidatingPolicySpecAttestorsCosign(
                        ctlog=ImageValidatingPolicySpecAttestorsCosignCtlog(url=LOG),
                        keyless=ImageValidatingPolicySpecAttestorsCosignKeyless(identities=[identity(who)]),
                    ),
                )
            ],
            validations=[
                ImageValidatingPolicySpecValidations(
                    expression=expression, message=f"{kind}: an image is not signed by {who.subject} ({who.issuer})"
                )
                for kind, expression in expressions.items()
            ],
        )
    )


def identity(who: Signer) -> ImageValidatingPolicySpecAttestorsCosignKeylessIdentities:
    """Name the identity; a * becomes a whole expression, so that nothing else may stand before or behind it."""
    if "*" not in who.subject:
        return ImageValidatingPolicySpecAttestorsCosignKeylessIdentities(issuer=who.issuer, subject=who.subject)
    pattern = ".*".join(map(re.escape, who.subject.split("*")))
    return ImageValidatingPolicySpecAttestorsCosignKeylessIdentities(issuer=who.issuer, subject_reg_exp=f"^{pattern}$")


def values(ground: Ground) -> dict[str, Any]:
    """Values of the chart: what judges and what reports; nothing that generates or cleans up."""
    room = ground.room("kyverno")
    hooked = {"app.kubernetes.io/component": "admission-controller"}
    return {
        "crds": {"install": True, "migration": {"enabled": False}},
        "config": {"preserve": False},
        "webhooksCleanup": {"enabled": True},
        "features": {"policyExceptions": {"enabled": False}, "logging": {"format": "json"}},
        "admissionController": {
            "replicas": room["admission"].replicas,
            "podLabels": OUT,
            "container": {"resources": resources(room["admission"])},
            "podDisruptionBudget": {"enabled": True, "minAvailable": 2},
            "topologySpreadConstraints": spread(hooked),
            "priorityClassName": "system-cluster-critical",
        },
        "reportsController": {
            "replicas": room["reports"].replicas,
            "resources": resources(room["reports"]),
            "podDisruptionBudget": {"enabled": True, "minAvailable": 1},
        },
        "backgroundController": {"enabled": False},
        "cleanupController": {"enabled": False},
    }
