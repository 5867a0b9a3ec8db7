"""Rules over what services stand on, of all clouds: identities of workloads, budgets."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

import grpc

from sandbox.behaviour.rules import Moment, check, create
from sandbox.errors import Failure, Refused
from sandbox.wire import is_unknown

CONTACTS: Final = 50
MOST_PERCENT: Final = 1000


@check
def aws_monitor(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """A custom monitor says what it looks at, as JSON."""
    text = inputs.get("monitorSpecification")
    if inputs.get("monitorType") == "CUSTOM" and not text:
        yield Failure("monitorSpecification", "a monitor of type CUSTOM needs a specification")
    if isinstance(text, str) and not is_unknown(text):
        try:
            json.loads(text)
        except ValueError:
            yield Failure("monitorSpecification", '"monitor_specification" contains an invalid JSON')


@check
def aws_subscription(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Mail goes out once a day or a week; only a topic hears at once."""
    kinds = {each.get("type") for each in inputs.get("subscribers") or () if isinstance(each, dict)}
    if inputs.get("frequency") == "IMMEDIATE" and "EMAIL" in kinds:
        yield Failure("frequency", "ValidationException: Email subscribers need the frequency DAILY or WEEKLY")


@check
def gcp_channel(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """A channel for mail has an address."""
    labels = inputs.get("labels")
    if inputs.get("type") == "email" and not (isinstance(labels, dict) and labels.get("email_address")):
        yield Failure("labels", "Error 400: Field \"notification_channel.labels['email_address']\" is required")


@create
def gcp_identity_pool(moment: Moment) -> None:
    """The pool of a project's workloads comes with its first cluster that has workload identity."""
    member = str(moment.inputs.get("member") or "")
    if ".svc.id.goog[" not in member:
        return
    pool = member.removeprefix("serviceAccount:").partition("[")[0]
    for cluster in moment.database.find("type=? AND scope=?", ("gcp:container/cluster:Cluster", moment.scope)):
        config = cluster.inputs.get("workloadIdentityConfig")
        if isinstance(config, dict) and config.get("workloadPool") == pool:
            return
    raise Refused("badRequest", f"Identity Pool does not exist ({pool}).", grpc.StatusCode.INVALID_ARGUMENT)


@check
def azure_budget(inputs: Mapping[str, Any]) -> Iterator[Failure]:
    """Each notification has a share that can be reached, and somebody to tell."""
    notes = inputs.get("notifications")
    for key, note in notes.items() if isinstance(notes, dict) else ():
        if not isinstance(note, dict):
            continue
        share, contacts = note.get("threshold"), note.get("contactEmails")
        if isinstance(share, int | float) and not 0 <= share <= MOST_PERCENT:
            yield Failure(f"notifications.{key}.threshold", f"must be between 0 and {MOST_PERCENT}")
        if isinstance(contacts, list) and not 1 <= len(contacts) <= CONTACTS:
            yield Failure(f"notifications.{key}.contactEmails", f"must name 1 to {CONTACTS} addresses")
