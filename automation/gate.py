"""The gate: what a preview must not contain. Each refusal has a code that machines read and a sentence for people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from automation.events import DELETES, REPLACES, Collected, Step
from automation.exits import Ending, Exit

STATEFUL: Final = (
    "aws:rds/",
    "aws:dynamodb/",
    "aws:s3/bucket:",
    "aws:s3/bucketV2:",
    "aws:efs/fileSystem:",
    "aws:ebs/volume:",
    "aws:kms/key:",
    "aws:elasticache/",
    "aws:secretsmanager/secret:",
    "aws:eks/cluster:",
    "aws:backup/vault:",
    "gcp:sql/",
    "gcp:storage/bucket:",
    "gcp:compute/disk:",
    "gcp:kms/cryptoKey:",
    "gcp:container/cluster:",
    "gcp:redis/",
    "gcp:filestore/",
    "gcp:secretmanager/secret:",
    "azure-native:dbforpostgresql:",
    "azure-native:storage:StorageAccount",
    "azure-native:keyvault:Vault",
    "azure-native:keyvault:Key",
    "azure-native:containerservice:ManagedCluster",
    "azure-native:compute:Disk",
    "azure-native:cache:",
    "azure-native:recoveryservices:Vault",
    "kubernetes:core/v1:PersistentVolumeClaim",
    "kubernetes:core/v1:PersistentVolume",
    "cloudflare:index/zone:Zone",
    "cloudflare:index/r2Bucket:R2Bucket",
)
"""Types whose loss loses data, or everything that runs on them."""

CLUSTER_VERSION: Final[Mapping[str, str]] = {
    "aws:eks/cluster:Cluster": "version",
    "gcp:container/cluster:Cluster": "minMasterVersion",
    "azure-native:containerservice:ManagedCluster": "kubernetesVersion",
}
"""Where a control plane's version stands among its inputs."""

MINOR: Final = re.compile(r"^1\.(\d+)")

ACCOUNT_WORDS: Final = re.compile(
    r"account id not allowed|not in the allowed|allowedAccountIds|account .{0,80}(is not|not) (allowed|the)|"
    r"(project|subscription|tenant|account) .{0,120}(refused|not allowed|does not match)|"
    r"SubscriptionNotFound|subscription .{0,80}could not be found|these credentials (belong|lead) to|"
    r"has the number \d+, the stack file says",
    re.IGNORECASE,
)
CREDENTIAL_WORDS: Final = re.compile(
    r"no valid credential|could not find default credentials|unable to (find|locate) credentials|"
    r"failed to refresh cached credentials|ExpiredToken|InvalidClientTokenId|AuthFailure|please run 'az login'|"
    r"unable to (authenticate|build authorizer)|credentials? (are|is|were) (missing|expired)",
    re.IGNORECASE,
)
SIZING_WORDS: Final = re.compile(r"\bno plan: ")
PASSPHRASE_WORDS: Final = re.compile(r"incorrect passphrase|passphrase must be set", re.IGNORECASE)
LOCK_WORDS: Final = re.compile(r"currently locked by", re.IGNORECASE)


@dataclass(frozen=True)
class Refusal:
    """One reason why the run stops here (exit 4)."""

    code: str
    sentence: str
    details: tuple[str, ...] = ()

    def record(self) -> dict[str, Any]:
        return {"code": self.code, "sentence": self.sentence, "details": list(self.details)}


def is_stateful(step: Step) -> bool:
    return step.protect or step.type.startswith(STATEFUL)


def losses(steps: Iterable[Step]) -> dict[str, str]:
    """URN -> operation of stateful or protected things that would go; what is retained stays."""
    found: dict[str, str] = {}
    for step in steps:
        gone = step.op in DELETES or step.op in REPLACES
        if gone and step.custom and is_stateful(step) and not step.retain:
            found[step.urn] = "replace" if step.op in REPLACES else "delete"
    return found


def budget(after_usd: float, cap_usd: float) -> list[Refusal]:
    """Refuse an estimate above the stack file's cap."""
    if after_usd <= cap_usd:
        return []
    return [
        Refusal(
            "budget",
            f"the estimate of {after_usd:,.2f} USD a month is above stack.budget.monthly_usd = {cap_usd:,.2f}: "
            "ask for less, or raise the budget in the stack file",
        )
    ]


def stateful(steps: Iterable[Step], break_glass: str | None) -> list[Refusal]:
    """Refuse to lose data, unless somebody says why in a break-glass label."""
    lost = losses(steps)
    if not lost or break_glass:
        return []
    return [
        Refusal(
            "stateful",
            f"{len(lost)} stateful or protected resources would be replaced or deleted: "
            "move the data first, or say --break-glass REASON",
            tuple(f"{op} {urn}" for urn, op in sorted(lost.items())),
        )
    ]


def upgrades(steps: Iterable[Step]) -> list[Refusal]:
    """Refuse a control plane that would skip a minor version or go back: each cloud would, after other changes."""
    wrong = [
        f"{step.urn}: {old} -> {new}"
        for step in steps
        if step.op == "update" and (key := CLUSTER_VERSION.get(step.type))
        for old, new in [(str(step.old.get(key) or ""), str(step.new.get(key) or ""))]
        if (was := MINOR.match(old)) and (will := MINOR.match(new)) and int(will[1]) - int(was[1]) not in {0, 1}
    ]
    if not wrong:
        return []
    return [
        Refusal(
            "upgrade",
            "Kubernetes goes up one minor version at a time and never down: write the next one in the stack file, "
            "apply it, then go on",
            tuple(wrong),
        )
    ]


def law(collected: Collected) -> list[Refusal]:
    """Refuse what the mandatory rules found."""
    found = collected.mandatory()
    if not found:
        return []
    return [
        Refusal(
            "policy",
            f"{len(found)} findings of mandatory rules",
            tuple(f"{one.rule} {one.path}: {one.message} [{one.urn}]" for one in found),
        )
    ]


def plan(approved: Mapping[tuple[str, str], Any], now: Mapping[tuple[str, str], Any]) -> list[Refusal]:
    """Refuse when what would be done differs from what was approved."""
    missing = sorted(set(approved) - set(now))
    extra = sorted(set(now) - set(approved))
    other = sorted(key for key in set(approved) & set(now) if approved[key] != now[key])
    if not (missing or extra or other):
        return []
    return [
        Refusal(
            "plan",
            f"the approved plan is stale: {len(missing)} approved steps would not happen, {len(extra)} are new, "
            f"{len(other)} differ; preview again and have that approved",
            (
                *(f"gone: {op} {urn}" for urn, op in missing),
                *(f"new: {op} {urn}" for urn, op in extra),
                *(f"differs: {op} {urn}" for urn, op in other),
            ),
        )
    ]


def failure(operation: str, messages: Iterable[str]) -> Ending:
    """Say how a failed operation ended, by the class of what the engine said."""
    said = list(dict.fromkeys(line.strip() for message in messages for line in message.splitlines() if line.strip()))
    text = "\n".join(said)
    if LOCK_WORDS.search(text):
        return Ending(Exit.FAILED, "locked", f"{operation}: another run holds the stack's lock", tuple(said))
    if PASSPHRASE_WORDS.search(text):
        return Ending(
            Exit.REFUSED,
            "passphrase",
            "the passphrase does not open this stack's secrets: set PULUMI_CONFIG_PASSPHRASE or _FILE to the right one",
            tuple(said),
        )
    if SIZING_WORDS.search(text):
        return Ending(
            Exit.REFUSED,
            "sizing",
            "no plan carries this demand within the stack file's limits; nothing was changed",
            tuple(said),
        )
    if ACCOUNT_WORDS.search(text):
        return Ending(
            Exit.REFUSED,
            "account",
            "the credentials lead to an account, project or subscription that the stack file does not allow; "
            "nothing was made there",
            tuple(said),
        )
    if CREDENTIAL_WORDS.search(text):
        return Ending(Exit.REFUSED, "credentials", "no usable credentials for a cloud of this stack", tuple(said))
    return Ending(Exit.FAILED, "engine", f"{operation} failed", tuple(said))
