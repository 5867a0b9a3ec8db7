"""What a workload may do outside its cluster, in words that every cloud understands, and as whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi


@dataclass(frozen=True, kw_only=True)
class ReadSecrets:
    """Read the secrets that the cloud's manager holds for this stack; changes none of them.

    `extra` are secrets that the cloud made itself and nobody could tag: ids on AWS.
    """

    extra: tuple[pulumi.Input[str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReadPrices:
    """Read price lists, and what is ordered beside the cluster."""


@dataclass(frozen=True, kw_only=True)
class ChangeNames:
    """Change the records of one public zone, by its id (AWS), its name (Google) or its resource id (Azure)."""

    zone: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class UseBucket:
    """Read, write and delete what is in one bucket, but not the bucket."""

    name: pulumi.Input[str]
    resource: pulumi.Input[str]
    """ARN (AWS), name (Google), resource id of the storage account (Azure)."""
    key: str = "bucket"
    """Short name of it among the grants of one identity."""
    read_only: bool = False


@dataclass(frozen=True, kw_only=True)
class UseDatabase:
    """Log in to one database; `secret` is where AWS keeps the password that it makes and changes itself."""

    secret: pulumi.Input[str] = ""


@dataclass(frozen=True, kw_only=True)
class UseCache:
    """Connect to one cache; AWS wants to know it and its user by ARN."""

    resource: pulumi.Input[str] = ""
    user: pulumi.Input[str] = ""


@dataclass(frozen=True, kw_only=True)
class ScaleNodes:
    """Change how many nodes the cluster's own pools have; nothing to grant where the cloud scales by itself."""


Grant = ReadSecrets | ReadPrices | ChangeNames | UseBucket | UseDatabase | UseCache | ScaleNodes


@dataclass(frozen=True)
class Holder:
    """The service account whose pods get an identity."""

    namespace: str
    account: str

    @property
    def key(self) -> str:
        """Name of it within a cluster, short where both are called alike."""
        return self.account if self.namespace in self.account else f"{self.namespace}-{self.account}"


@dataclass(frozen=True, kw_only=True)
class PodIdentity:
    """What the pods of one service account are outside the cluster.

    `annotations` belong on the service account, `labels` on its pods; `ready` stands once everything is granted.
    """

    principal: pulumi.Output[str]
    """Role ARN, e-mail of a service account, client id."""
    subject: pulumi.Output[str]
    """What rights are given to: role ARN, e-mail, object id."""
    login: pulumi.Output[str]
    """Name under which a database knows it."""
    annotations: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    ready: tuple[pulumi.Resource, ...] = ()
