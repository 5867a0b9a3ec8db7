"""Copies of a region's databases beyond RDS itself: each night, under a key of their own, in a second region too."""

from __future__ import annotations

from typing import Final
from weakref import WeakKeyDictionary

import pulumi
import pulumi_aws as aws

from components.aws.account import account_of
from components.aws.cluster import Cluster
from components.aws.documents import trust
from components.aws.identity import Identity, IdentityArgs
from components.aws.key import Key, KeyArgs
from components.aws.names import trial_name
from components.aws.workload_identity import used_through
from components.contracts import StoreArgs

NIGHTLY: Final = "cron(0 2 * * ? *)"
SUNDAYS: Final = "cron(0 5 ? * SUN *)"
KEPT_DAYS: Final = 30
MANAGED: Final = {
    "backup": "service-role/AWSBackupServiceRolePolicyForBackup",
    "restore": "service-role/AWSBackupServiceRolePolicyForRestores",
}
_OF: Final[WeakKeyDictionary[Cluster, Backups]] = WeakKeyDictionary()


class Backups(pulumi.ComponentResource):
    """A vault, a plan and a weekly trial of restoring, shared by the databases beside one cluster.

    Times are UTC. The second vault stands in another region of the stack, where the stack has one.
    """

    def __init__(self, name: str, args: StoreArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("ecosystem:aws:Backups", name, {"copy_region": args.copy_region}, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        lifecycle = aws.backup.PlanRuleLifecycleArgs(delete_after=KEPT_DAYS)
        vault = self._vault("vault", args.region)
        copies = self._vault("copies", args.copy_region) if args.copy_region else None
        self._plan = aws.backup.Plan(
            name,
            rules=[
                aws.backup.PlanRuleArgs(
                    rule_name="nightly",
                    target_vault_name=vault.name,
                    schedule=NIGHTLY,
                    start_window=60,
                    completion_window=480,
                    lifecycle=lifecycle,
                    copy_actions=[
                        aws.backup.PlanRuleCopyActionArgs(
                            destination_vault_arn=copies.arn,
                            lifecycle=aws.backup.PlanRuleCopyActionLifecycleArgs(delete_after=KEPT_DAYS),
                        )
                    ]
                    if copies
                    else None,
                )
            ],
            region=args.region,
            opts=self._child,
        )
        account = account_of(self)
        self._role = Identity(
            f"{name}-keeper",
            IdentityArgs(
                description=f"Copies and restores databases of {args.environment} in {args.region}",
                trust=trust(
                    "backup.amazonaws.com",
                    account_id=account.account_id,
                    source_arn=f"arn:{account.partition}:backup:{args.region}:{account.account_id}:*",
                ),
                managed=MANAGED,
            ),
            self._child,
        )
        self._trial = aws.backup.RestoreTestingPlan(
            name,
            name=trial_name(args.environment, args.region, "restore"),
            schedule_expression=SUNDAYS,
            start_window_hours=4,
            recovery_point_selection={
                "algorithm": "LATEST_WITHIN_WINDOW",
                "include_vaults": [vault.arn],
                "recovery_point_types": ["SNAPSHOT"],
                "selection_window_days": 7,
            },
            region=args.region,
            opts=self._child,
        )
        self.register_outputs({})

    def take(self, key: str, instance: aws.rds.Instance) -> None:
        """Copy a database each night and try each week whether it comes back, beside it and closed like it."""
        after = pulumi.ResourceOptions(parent=self, depends_on=list(self._role.ready))
        aws.backup.Selection(
            f"{self._name}-{key}",
            plan_id=self._plan.id,
            iam_role_arn=self._role.arn,
            resources=[instance.arn],
            region=self._args.region,
            opts=after,
        )
        aws.backup.RestoreTestingSelection(
            f"{self._name}-{key}",
            name=trial_name(self._args.environment, self._args.region, key),
            restore_testing_plan_name=self._trial.name,
            iam_role_arn=self._role.arn,
            protected_resource_type="RDS",
            protected_resource_arns=[instance.arn],
            validation_window_hours=1,
            restore_metadata_overrides={
                "dbSubnetGroupName": instance.db_subnet_group_name,
                "publiclyAccessible": "false",
                "multiAz": "false",
            },
            region=self._args.region,
            opts=after,
        )

    def _vault(self, part: str, region: str) -> aws.backup.Vault:
        args = self._args
        key = Key(
            f"{self._name}-{part}-key",
            KeyArgs(
                description=f"Backups of {args.environment} from {args.region}, {part} in {region}",
                region=region,
                users=[used_through("backup", region, account_of(self))],
                protect=args.protect,
            ),
            self._child,
        )
        return aws.backup.Vault(
            f"{self._name}-{part}",
            kms_key_arn=key.arn,
            region=region,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect or None),
        )


def backups(cluster: Cluster, args: StoreArgs) -> Backups:
    """Return the backups of the databases beside a cluster; the first that asks makes them."""
    if cluster not in _OF:
        _OF[cluster] = Backups(f"{cluster.name}-backups", args, pulumi.ResourceOptions(parent=cluster))
    return _OF[cluster]
