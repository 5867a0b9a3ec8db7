"""Tables of kinds: which are cluster-scoped, and which changed fields replace an object.

Source: design/kubernetes-provider.md (observed on a 1.36 API server and pulumi-kubernetes of mid 2026).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.schema.tokens import tokens

CLUSTER_SCOPED: Final = frozenset(
    {
        "APIService",
        "CSIDriver",
        "CSINode",
        "CertificateSigningRequest",
        "ClusterRole",
        "ClusterRoleBinding",
        "ClusterTrustBundle",
        "ComponentStatus",
        "CustomResourceDefinition",
        "DeviceClass",
        "FlowSchema",
        "IngressClass",
        "IPAddress",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "PriorityLevelConfiguration",
        "ResourceSlice",
        "RuntimeClass",
        "SelfSubjectReview",
        "ServiceCIDR",
        "StorageClass",
        "StorageVersion",
        "StorageVersionMigration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "ValidatingWebhookConfiguration",
        "VolumeAttachment",
        "VolumeAttributesClass",
    }
)

CLUSTER_SCOPED_CUSTOM: Final = frozenset(
    {
        "apiextensions.crossplane.io/CompositeResourceDefinition",
        "apiextensions.crossplane.io/Composition",
        "apiextensions.crossplane.io/EnvironmentConfig",
        "aquasecurity.github.io/ClusterComplianceReport",
        "argoproj.io/ClusterAnalysisTemplate",
        "cert-manager.io/ClusterIssuer",
        "cilium.io/CiliumCIDRGroup",
        "cilium.io/CiliumClusterwideNetworkPolicy",
        "cilium.io/CiliumEgressGatewayPolicy",
        "elbv2.k8s.aws/IngressClassParams",
        "expansion.gatekeeper.sh/ExpansionTemplate",
        "external-secrets.io/ClusterExternalSecret",
        "external-secrets.io/ClusterSecretStore",
        "externaldata.gatekeeper.sh/Provider",
        "gateway.networking.k8s.io/GatewayClass",
        "karpenter.azure.com/AKSNodeClass",
        "karpenter.k8s.aws/EC2NodeClass",
        "karpenter.sh/NodeOverlay",
        "karpenter.sh/NodePool",
        "keda.sh/ClusterTriggerAuthentication",
        "kyverno.io/ClusterCleanupPolicy",
        "kyverno.io/ClusterPolicy",
        "mutations.gatekeeper.sh/Assign",
        "mutations.gatekeeper.sh/AssignImage",
        "mutations.gatekeeper.sh/AssignMetadata",
        "mutations.gatekeeper.sh/ModifySet",
        "pkg.crossplane.io/Function",
        "pkg.crossplane.io/Provider",
        "policies.kyverno.io/GeneratingPolicy",
        "policies.kyverno.io/ImageValidatingPolicy",
        "policies.kyverno.io/MutatingPolicy",
        "policies.kyverno.io/ValidatingPolicy",
        "policy.karmada.io/ClusterOverridePolicy",
        "policy.karmada.io/ClusterPropagationPolicy",
        "policy.karmada.io/ClusterTaintPolicy",
        "postgresql.cnpg.io/ClusterImageCatalog",
        "syncset.gatekeeper.sh/SyncSet",
        "templates.gatekeeper.sh/ConstraintTemplate",
    }
)
"""Custom kinds of the whole cluster, for a backend that holds no definitions (each project's own, 2026-11)."""

_CONSTRAINTS: Final = "constraints.gatekeeper.sh"  # its kinds are made by templates; all are of the whole cluster

REPLACES: Final[dict[str, tuple[str, ...]]] = {
    "Deployment": ("spec.selector",),
    "DaemonSet": ("spec.selector",),
    "StatefulSet": (
        "spec.selector", "spec.podManagementPolicy", "spec.revisionHistoryLimit", "spec.serviceName",
        "spec.volumeClaimTemplates",
    ),
    "Job": ("spec.completions", "spec.parallelism", "spec.selector", "spec.template"),
    "Service": ("spec.clusterIP",),
    "ResourceQuota": ("spec.scopes",),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
    "StorageClass": ("parameters", "provisioner"),
    "PersistentVolumeClaim": ("spec.accessModes", "spec.selector", "spec.storageClassName", "spec.volumeName"),
    "PersistentVolume": (
        "spec.awsElasticBlockStore", "spec.azureDisk", "spec.azureFile", "spec.cephfs", "spec.cinder", "spec.csi",
        "spec.fc", "spec.flexVolume", "spec.flocker", "spec.gcePersistentDisk", "spec.glusterfs", "spec.hostPath",
        "spec.iscsi", "spec.local", "spec.nfs", "spec.photonPersistentDisk", "spec.portworxVolume", "spec.quobyte",
        "spec.rbd", "spec.scaleIO", "spec.storageos", "spec.vsphereVolume",
    ),
    "Pod": ("spec",),
}  # fmt: skip

POD_KEEPS: Final = ("spec.tolerations", "spec.activeDeadlineSeconds")


def is_built_in(api_version: str, kind: str) -> bool:
    """Tell whether the SDK knows this kind; everything else is a custom resource."""
    place = api_version if "/" in api_version else f"core/{api_version}"
    return f"kubernetes:{place}:{kind}" in tokens("kubernetes")


def custom_is_namespaced(api_version: str, kind: str) -> bool:
    """Guess where a custom resource without a definition lives."""
    group = api_version.partition("/")[0]
    return group != _CONSTRAINTS and f"{group}/{kind}" not in CLUSTER_SCOPED_CUSTOM


def replaces(inputs: Mapping[str, Any], *, secrets_mutable: bool, maps_mutable: bool) -> tuple[str, ...]:
    """List the paths whose change replaces an object; of custom resources only name and namespace do."""
    kind = str(inputs.get("kind") or "")
    found: tuple[str, ...] = ("metadata.name", "metadata.namespace")
    if not is_built_in(str(inputs.get("apiVersion") or ""), kind):
        return found
    found += REPLACES.get(kind, ())
    if kind == "Secret" and (not secrets_mutable or inputs.get("immutable")):
        found += ("type", "data", "stringData")
    if kind == "ConfigMap" and (not maps_mutable or inputs.get("immutable")):
        found += ("data", "binaryData")
    return found
