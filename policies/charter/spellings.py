"""One spelling for types that clouds and clusters know under several: older API versions, renamed resources."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

OLDER: Final = re.compile(r"^v\d+(alpha|beta)\d+$")
STABLE: Final = {
    "apps": "apps/v1",
    "batch": "batch/v1",
    "policy": "policy/v1",
    "autoscaling": "autoscaling/v2",
    "rbac.authorization.k8s.io": "rbac.authorization.k8s.io/v1",
    "networking.k8s.io": "networking.k8s.io/v1",
    "admissionregistration.k8s.io": "admissionregistration.k8s.io/v1",
    "security.istio.io": "security.istio.io/v1",
    "networking.istio.io": "networking.istio.io/v1",
    "external-secrets.io": "external-secrets.io/v1",
    "gateway.networking.k8s.io": "gateway.networking.k8s.io/v1",
    "autoscaling.k8s.io": "autoscaling.k8s.io/v1",
}
"""Groups whose older versions hold the same kinds under the same paths, as far as rules read them.

Source: kubernetes.io/docs/reference/using-api/deprecation-guide, 2026-11.
"""
EXTENSIONS: Final = {"Ingress": "networking.k8s.io/v1", "NetworkPolicy": "networking.k8s.io/v1"}
"""Where the kinds of extensions/v1beta1 went; the others went to apps/v1."""
RENAMED: Final = re.compile(r"^aws:s3/(bucket\w*)V2:(Bucket\w*)V2$")
"""Buckets and their side-cars were called so in the fifth and sixth major versions of the AWS package."""


OTHERWISE: Final = {
    "cloudflare:index/record:Record": "cloudflare:index/dnsRecord:DnsRecord",
    "azure-native:insights:DiagnosticSetting": "azure-native:monitor:DiagnosticSetting",
    "azure-native:costmanagement:Budget": "azure-native:consumption:Budget",
}
"""Kinds that one version of a package calls so and another otherwise."""
PARAMETERISED: Final = re.compile(r"^azure-native_[a-z0-9]+_v\d+$")
"""Packages that are made for one module and one version of Azure's interface."""


@cache
def canonical(resource_type: str) -> str:
    """Return the spelling that rules use; a type that has one spelling is returned as it is."""
    package, _, rest = resource_type.partition(":")
    module, _, kind = rest.rpartition(":")
    if package == "azure-native" or PARAMETERISED.match(package):
        spelt = f"azure-native:{module.partition('/')[0]}:{kind}"
        return OTHERWISE.get(spelt, spelt)
    if resource_type in OTHERWISE:
        return OTHERWISE[resource_type]
    if package == "gcp" and module.startswith("serviceAccount/"):
        return f"gcp:serviceaccount/{module.partition('/')[2]}:{kind}"
    if package == "kubernetes":
        return f"{package}:{_version(module, kind)}:{kind}"
    return RENAMED.sub(r"aws:s3/\1:\2", resource_type)


def _version(module: str, kind: str) -> str:
    group, _, version = module.rpartition("/")
    if module == "v1":
        return "core/v1"
    if group == "extensions":
        return EXTENSIONS.get(kind, "apps/v1")
    if module == "autoscaling/v1" or (group in STABLE and OLDER.match(version)):
        return STABLE[group]
    return module
