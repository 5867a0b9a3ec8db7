"""The ground of one cluster, and what the environment (GROUND_*) asks for besides."""

import os
from types import SimpleNamespace

import pulumi
import pulumi_kubernetes as kubernetes

from components.kubernetes.base import ClusterBase, ClusterBaseArgs
from stacks.model import Namespace

provider = kubernetes.Provider("cluster", kubeconfig=os.environ["GROUND_KUBECONFIG"])
cluster = SimpleNamespace(provider=provider, resource=None, ready=provider)  # None: each object gets its Delete
pods = int(os.environ.get("GROUND_PODS", "50"))
ClusterBase("here", ClusterBaseArgs(namespaces={"ground": Namespace(pods=pods)}, version="1.36"), cluster)
if os.environ.get("GROUND_WRONG"):
    kubernetes.core.v1.ConfigMap(
        "wrong",
        metadata={"name": os.environ["GROUND_WRONG"]},
        data={"a": "b"},
        opts=pulumi.ResourceOptions(provider=provider),
    )
kubernetes.core.v1.Secret(
    "secret",
    string_data={"password": pulumi.Output.secret("canary-4711")},
    opts=pulumi.ResourceOptions(provider=provider),
)
