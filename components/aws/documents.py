"""IAM documents as texts: who may assume a role, and what a policy allows. Pure where their inputs are."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

VERSION = "2012-10-17"

Statement = Mapping[str, Any]


def document(*statements: Statement) -> str:
    """Write statements that hold plain values only."""
    return json.dumps({"Version": VERSION, "Statement": list(statements)})


def document_output(*statements: Statement) -> pulumi.Output[str]:
    """Write statements that hold Outputs, an ARN for example."""
    return pulumi.Output.json_dumps({"Version": VERSION, "Statement": list(statements)})


def allow(
    sid: str,
    actions: Sequence[str],
    resources: pulumi.Input[Any] = "*",
    condition: Mapping[str, Any] | None = None,
    principal: Mapping[str, Any] | None = None,
) -> Statement:
    """Allow actions; `principal` only in policies that hang on a resource."""
    statement: dict[str, Any] = {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": resources}
    if principal is not None:
        statement["Principal"] = principal
    if condition is not None:
        statement["Condition"] = condition
    return statement


def deny(
    sid: str,
    actions: Sequence[str],
    resources: pulumi.Input[Any],
    condition: Mapping[str, Any] | None,
    principal: Mapping[str, Any],
) -> Statement:
    """Deny actions to somebody, whatever else allows them."""
    return {**allow(sid, actions, resources, condition, principal), "Effect": "Deny"}


def trust(
    service: str,
    *,
    actions: Sequence[str] = ("sts:AssumeRole",),
    account_id: str | None = None,
    source_arn: str | None = None,
) -> str:
    """Let a service assume a role, only on behalf of `account_id` and `source_arn` where the service says for whom.

    EC2 never sends these keys for instance roles, so a node's role has none.
    Source: docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html and
    docs.aws.amazon.com/eks/latest/userguide/cross-service-confused-deputy-prevention.html, 2026-11.
    """
    condition: dict[str, dict[str, str]] = {}
    if account_id is not None:
        condition["StringEquals"] = {"aws:SourceAccount": account_id}
    if source_arn is not None:
        condition["ArnLike"] = {"aws:SourceArn": source_arn}
    statement: dict[str, Any] = {
        "Sid": "ServiceAssumes",
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": list(actions) if len(actions) > 1 else actions[0],
    }
    return document({**statement, "Condition": condition} if condition else statement)
