"""What the control plane's folder is made of: etcd, the Kubernetes programs, kubectl, kwok."""

from __future__ import annotations

from pathlib import Path

from toolchain.build import Recipe, content_hash, go_programs

MODULE = Path(__file__).resolve().parent
VERSION = "1.36.3"
PROGRAMS = {
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "kwok": "sigs.k8s.io/kwok/cmd/kwok",
    "etcd": "go.etcd.io/etcd/server/v3",
}
_VERSION_PACKAGE = "k8s.io/component-base/version"
_MAJOR, _MINOR, _ = VERSION.split(".")
LINK_FLAGS = (
    f"-X {_VERSION_PACKAGE}.gitVersion=v{VERSION} -X {_VERSION_PACKAGE}.gitMajor={_MAJOR} "
    f"-X {_VERSION_PACKAGE}.gitMinor={_MINOR}"
)


def recipe() -> Recipe:
    """Return the recipe of the control plane for the sources as they are now."""
    key = content_hash([MODULE / "go.mod", MODULE / "go.sum"], LINK_FLAGS, *PROGRAMS)
    return Recipe(name="cluster", key=key, make=go_programs(MODULE, PROGRAMS, LINK_FLAGS))
