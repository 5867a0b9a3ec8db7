"""What the law may put right by itself: floors under single values, missing tags, plain secrets wrapped.

A remedy only ever raises a value: what is stricter already, unknown until an update, or of another shape is left as it
is. Nothing here makes a cloud replace a resource, and nothing touches data or lets anybody in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from charter.facts import Facts
from charter.secrets import harmless, refers, secret_path
from charter.spellings import canonical
from charter.tables import taggable
from charter.values import SENTINELS, Unknown

Wrap = Callable[[str], Any]
"""Makes a secret of a text, in the form of the door that asks."""


@dataclass(frozen=True)
class Scale:
    """Values from weak to strict; absent counts as the weakest, what is not on the scale is left alone."""

    steps: tuple[Any, ...]
    floor: Any

    @property
    def told(self) -> str:
        """Say the floor."""
        return (
            str(self.floor).lower()
            if isinstance(self.floor, bool)
            else f"{self.floor} (of {', '.join(map(str, self.steps))})"
        )

    def raised(self, value: Any) -> Any:
        """Return the floor when a value lies below it, else the value."""
        if value is None:
            return self.floor
        known = [step for step in self.steps if step == value and isinstance(value, bool) == isinstance(step, bool)]
        return self.floor if known and self.steps.index(known[0]) < self.steps.index(self.floor) else value


@dataclass(frozen=True)
class Least:
    """A number that must not be lower; absent counts as too low unless said otherwise."""

    least: int
    absent: bool = True
    endless: int | None = None
    """A number that stands for no end at all, where a kind has one."""

    @property
    def told(self) -> str:
        """Say the floor."""
        return f"at least {self.least}"

    def raised(self, value: Any) -> Any:
        """Return the least number when a value lies below it, else the value."""
        if value is None:
            return self.least if self.absent else None
        counted = isinstance(value, int | float) and not isinstance(value, bool)
        return self.least if counted and value < self.least and value != self.endless else value


@dataclass(frozen=True)
class Most:
    """A number that must not be higher; an absent one is left to the cloud."""

    most: int

    @property
    def told(self) -> str:
        """Say the floor."""
        return f"at most {self.most}"

    def raised(self, value: Any) -> Any:
        """Return the highest number when a value lies above it, else the value."""
        counted = isinstance(value, int | float) and not isinstance(value, bool)
        return self.most if counted and value > self.most else value


@dataclass(frozen=True)
class All:
    """A list that must hold some values; others in it stay."""

    wanted: tuple[str, ...]

    @property
    def told(self) -> str:
        """Say the floor."""
        return f"holds {', '.join(self.wanted)}"

    def raised(self, value: Any) -> Any:
        """Return the list with what it lacks."""
        held = [] if value is None else value
        if not isinstance(held, list) or any(_unknown(each) for each in held):
            return value
        return [*held, *(each for each in self.wanted if each not in held)]


Floor = Scale | Least | Most | All
ON: Final = Scale((False, True), floor=True)
OFF: Final = Scale((True, False), floor=False)
AZURE_TLS: Final = Scale(("TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3"), "TLS1_2")
LOGS: Final = All(("api", "audit", "authenticator", "controllerManager", "scheduler"))


@dataclass(frozen=True)
class Remedy:
    """One value that may be raised: the rule it helps, the type, the path, and how far."""

    rule: str
    type: str
    path: str
    floor: Floor


ONLY: Final[Mapping[str, Mapping[str, tuple[Any, ...]]]] = {
    "aws:kms/key:Key": {"keyUsage": (None, "ENCRYPT_DECRYPT"), "customerMasterKeySpec": (None, "SYMMETRIC_DEFAULT")},
    "gcp:dns/managedZone:ManagedZone": {"visibility": (None, "public")},
}
"""Where a cloud takes the values at all: only symmetric keys rotate, only public zones are signed."""
FLOORS: Final[tuple[tuple[str, str, dict[str, Floor]], ...]] = (
    (
        "AWS-NOD-02",
        "aws:ec2/launchTemplate:LaunchTemplate",
        {
            "metadataOptions.httpTokens": Scale(("optional", "required"), "required"),
            "metadataOptions.httpPutResponseHopLimit": Most(1),
        },
    ),
    (
        "AWS-KMS-01",
        "aws:kms/key:Key",
        {"enableKeyRotation": ON, "rotationPeriodInDays": Most(365), "deletionWindowInDays": Least(30)},
    ),
    (
        "AWS-ECR-01",
        "aws:ecr/repository:Repository",
        {
            "imageTagMutability": Scale(("MUTABLE", "IMMUTABLE"), "IMMUTABLE"),
            "imageScanningConfiguration.scanOnPush": ON,
        },
    ),
    ("AWS-EKS-02", "aws:eks/cluster:Cluster", {"enabledClusterLogTypes": LOGS}),
    (
        "AWS-S3-01",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        dict.fromkeys(("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), ON),
    ),
    ("AWS-RDS-01", "aws:rds/instance:Instance", {"publiclyAccessible": OFF}),
    ("AWS-RDS-02", "aws:rds/instance:Instance", {"deletionProtection": ON, "backupRetentionPeriod": Least(7)}),
    ("AWS-RDS-02", "aws:rds/cluster:Cluster", {"deletionProtection": ON, "backupRetentionPeriod": Least(7)}),
    (
        "AWS-TRL-01",
        "aws:cloudtrail/trail:Trail",
        {"isMultiRegionTrail": ON, "enableLogFileValidation": ON},
    ),
    ("AWS-LOG-01", "aws:cloudwatch/logGroup:LogGroup", {"retentionInDays": Least(365, absent=False, endless=0)}),
    ("GCP-NET-02", "gcp:compute/subnetwork:Subnetwork", {"privateIpGoogleAccess": ON}),
    (
        "GCP-STO-01",
        "gcp:storage/bucket:Bucket",
        {
            "uniformBucketLevelAccess": ON,
            "publicAccessPrevention": Scale(("unspecified", "inherited", "enforced"), "enforced"),
        },
    ),
    (
        "GCP-DNS-01",
        "gcp:dns/managedZone:ManagedZone",
        {"dnssecConfig.state": Scale(("off", "transfer", "on"), "on")},
    ),
    (
        "AZ-STO-01",
        "azure-native:storage:StorageAccount",
        {"enableHttpsTrafficOnly": ON, "minimumTlsVersion": AZURE_TLS, "allowBlobPublicAccess": OFF},
    ),
    ("AZ-STO-02", "azure-native:storage:StorageAccount", {"allowCrossTenantReplication": OFF}),
)
REMEDIES: Final = tuple(
    Remedy(rule, kind, path, floor) for rule, kind, floors in FLOORS for path, floor in floors.items()
)
"""Every value that may be raised; in the order of the rules' families."""
BY_TYPE: Final = {kind: tuple(each for each in REMEDIES if each.type == kind) for kind in {r.type for r in REMEDIES}}


def on(facts: Facts) -> bool:
    """Say whether the law may put things right: where the facts say so, and by default only outside of production."""
    return not facts.production if facts.remediate is None else facts.remediate


def remedied(resource_type: str, props: Mapping[str, Any], facts: Facts, wrap: Wrap) -> dict[str, Any] | None:
    """Return the properties put right, nothing when there is nothing to do; what is passed in is never changed."""
    if resource_type.startswith(("pulumi:", "ecosystem:")):
        return None
    made: dict[str, Any] = dict(props)
    kind = canonical(resource_type)
    if all(_among(made.get(name), allowed) for name, allowed in ONLY.get(kind, {}).items()):
        for remedy in BY_TYPE.get(kind, ()):
            made = _raised(made, remedy.path.split("."), remedy.floor)
    made = _tagged(made, resource_type, facts)
    made = {key: _wrapped(value, key, wrap) for key, value in made.items()}
    return made if made != dict(props) else None


def _raised(props: dict[str, Any], steps: Iterable[str], floor: Floor) -> dict[str, Any]:
    """Return a copy in which the value at a path is raised; a parent that is no map stops it."""
    step, *rest = steps
    held = props.get(step)
    if _unknown(held):
        return props
    if not rest:
        value = floor.raised(held)
        return props if value is held or value is None else {**props, step: value}
    if held is not None and not isinstance(held, dict):
        return props
    inner = _raised(held or {}, rest, floor)
    return {**props, step: inner} if inner else props


def _tagged(props: dict[str, Any], resource_type: str, facts: Facts) -> dict[str, Any]:
    """Return a copy with the tags that the facts know; one that is there is never changed."""
    where = taggable(resource_type)
    held = props.get(where) if where else None
    if not where or _unknown(held) or not isinstance(held, dict | None):
        return props
    known = {"environment": facts.environment, "owner": facts.owners[0] if len(facts.owners) == 1 else ""}
    missing = {
        key: value for key, value in {**known, "managed-by": "pulumi"}.items() if value and key not in (held or {})
    }
    return {**props, where: {**(held or {}), **missing}} if missing else props


def _wrapped(value: Any, path: str, wrap: Wrap) -> Any:
    """Return a copy in which every plain text that its name calls a secret is one."""
    if isinstance(value, dict):
        return {key: _wrapped(item, f"{path}.{key}", wrap) for key, item in value.items()}
    if isinstance(value, list):
        return [_wrapped(item, f"{path}[{index}]", wrap) for index, item in enumerate(value)]
    plain = isinstance(value, str) and value and not _unknown(value)
    return wrap(value) if plain and secret_path(path) and not refers(path) and not harmless(value) else value


def _among(value: Any, allowed: tuple[Any, ...]) -> bool:
    return any(value is each or (isinstance(value, str) and value == each) for each in allowed)


def _unknown(value: Any) -> bool:
    return isinstance(value, Unknown) or (isinstance(value, str) and value in SENTINELS)
