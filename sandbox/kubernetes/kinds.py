"""Tables of kinds: which are cluster-scoped, and which changed fields replace an object.

Source: design/kubernetes-provider.md (observed on a 1.36 API server and pulumi-kubernetes of mid 2026).
"""

from __future__ import annotations

from typing import Final

CLUSTER_SCOPED: Final = frozenset(
    """APIService CSIDriver CSINode CertificateSigningRequest ClusterRole ClusterRoleBinding ClusterTrustBundle
    ComponentStatus CustomResourceDefinition DeviceClass FlowSchema IngressClass IPAddress MutatingAdmissionPolicy
    MutatingAdmissionPolicyBinding MutatingWebhookConfiguration Namespace Node PersistentVolume
    PriorityClass PriorityLevelConfiguration ResourceSlice RuntimeClass SelfSubjectReview ServiceCIDR StorageClass
    StorageVersion StorageVersionMigration ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding
    ValidatingWebhookConfiguration VolumeAttachment VolumeAttributesClass""".split()
)

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


def replaces(kind: str, inputs: dict[str, object], *, secrets_mutable: bool, maps_mutable: bool) -> tuple[str, ...]:
    """List the paths whose change replaces an object of a kind."""
    found = ("metadata.name", "metadata.namespace", *REPLACES.get(kind, ()))
    if kind == "Secret" and not (secrets_mutable and not inputs.get("immutable")):
        found += ("type", "data", "stringData")
    if kind == "ConfigMap" and not (maps_mutable and not inputs.get("immutable")):
        found += ("data", "binaryData")
    return found
