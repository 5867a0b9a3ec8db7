"""Rules over what watches an AWS account: trails, detectors, secrets, budgets, logs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from charter.demands import between, demand, either, named, on, one_of
from charter.documents import Malformed, Statement, each_statement, statements
from charter.facts import Facts
from charter.graph import Graph
from charter.rule import CRITICAL, HIGH, MEDIUM, Finding, Found, Open, Resource, apart, located, stack_rule
from charter.rules.aws_buckets import BUCKET, audit_buckets
from charter.rules.charter_origin import PLACELESS
from charter.sidecars import some
from charter.values import UNKNOWN, Reader

TRAIL = "aws:cloudtrail/trail:Trail"
DETECTOR = "aws:guardduty/detector:Detector"
FEATURE = "aws:guardduty/detectorFeature:DetectorFeature"
SECURITY = (
    "aws:accessanalyzer/analyzer:Analyzer",
    "aws:cfg/recorder:Recorder",
    "aws:securityhub/account:Account",
)
HUB, NEWER_HUB = SECURITY[2], "aws:securityhub/accountV2:AccountV2"
RECORDER_STATUS = "aws:cfg/recorderStatus:RecorderStatus"
SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105  a resource type
SECRET_POLICY = "aws:secretsmanager/secretPolicy:SecretPolicy"  # noqa: S105  a resource type
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
BUDGET = "aws:budgets/budget:Budget"
MONITOR = "aws:costexplorer/anomalyMonitor:AnomalyMonitor"
FEATURES = ("EKS_AUDIT_LOGS", "RUNTIME_MONITORING", "S3_DATA_EVENTS")
INLINE_FEATURES = {
    "EKS_AUDIT_LOGS": "datasources.kubernetes.auditLogs.enable",
    "S3_DATA_EVENTS": "datasources.s3Logs.enable",
}
"""Where a detector itself says so, the older way."""
LONGEST_ROTATION = 90
EARLY, FULL = 80, 100


def stack_of(graph: Graph) -> str:
    """Return the URN of the stack itself: what is missing everywhere is missing there."""
    return next((each.urn for each in graph.of("pulumi:pulumi:Stack")), "")


def declared(graph: Graph, kinds: tuple[str, ...]) -> bool:
    """Say whether the stack holds any of these: account-wide things stand in one stack of the account."""
    return any(graph.of(kind) for kind in kinds)


@stack_rule(
    "AWS-TRL-01",
    "Everything that is done in an account is recorded, in every region, and cannot be unwritten.",
    CRITICAL,
    [TRAIL, BUCKET],
    remediation="Set is_multi_region_trail, enable_log_file_validation, kms_key_id and cloud_watch_logs_group_arn.",
)
def trail(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """One trail at least is complete, where the stack declares trails or keeps data in buckets."""
    trails = graph.of(TRAIL)
    if not trails and not graph.of(BUCKET):
        return
    answer = some(trails, _complete, "")
    if isinstance(answer, Open):
        yield answer
    elif not answer:
        for each in trails:
            yield Finding("", "is not complete: multi-region, validated, with a key and a log group", each.urn)
        if not trails:
            yield Finding("", "no complete trail is declared for this account", stack_of(graph))


def _complete(reader: Reader) -> bool:
    chosen = all(reader.flag(name) for name in ("isMultiRegionTrail", "enableLogFileValidation"))
    kept = all(reader.flag(name, default=True) for name in ("enableLogging", "includeGlobalServiceEvents"))
    return chosen and kept and reader.has("kmsKeyId") and reader.has("cloudWatchLogsGroupArn")


@stack_rule(
    "AWS-GDT-01",
    "Somebody watches for intruders, in clusters and buckets too.",
    HIGH,
    [DETECTOR, FEATURE],
    remediation=f"Set enable, and detector features {', '.join(FEATURES)}; one detector per region.",
)
def detector(graph: Graph, facts: Facts) -> Iterator[Found]:
    """Each detector is on and has the features; where one is declared, each region of the stack has one."""
    yield from _regions(graph, facts)
    for each in graph.of(DETECTOR):
        for found in apart(on("enable", default=True)(each.reader, facts)):
            yield located(found, each.urn)
        states = {
            str(one.props.get("name")): one.props.get("status") for one in graph.referrers(each, FEATURE, "detectorId")
        }
        older = states.get("EKS_RUNTIME_MONITORING")  # what RUNTIME_MONITORING was called for clusters alone
        states.setdefault("RUNTIME_MONITORING", older)
        for name, path in INLINE_FEATURES.items():
            if each.reader.raw(path) in (True, "true"):
                states.setdefault(name, "ENABLED")
        missing = [name for name in FEATURES if states.get(name) not in ("ENABLED", UNKNOWN)]
        if str(UNKNOWN) in states or UNKNOWN in states.values():
            yield Open("status", each.urn)
        elif missing:
            yield Finding("", f"the features {', '.join(missing)} are not on", each.urn)


def _regions(graph: Graph, facts: Facts) -> Iterator[Found]:
    """A detector sees its own region; an intruder takes the one in which nobody looks."""
    detectors = graph.of(DETECTOR)
    if not detectors:
        return
    watched = [region_of(each) for each in detectors]
    built = {region_of(each) for each in graph.of("aws:*")} | set(facts.regions.get("aws", ()))
    missing = sorted(each for each in built - set(watched) if isinstance(each, str))
    unclear = next((each.urn for each, region in zip(detectors, watched, strict=True) if region in (None, UNKNOWN)), "")
    if missing and unclear:
        yield Open("region", unclear)
    elif missing:
        yield Finding("", f"no Detector looks at {', '.join(missing)}", detectors[0].urn)


def region_of(resource: Resource) -> Any:
    """Return the region a resource stands in: its own, or its provider's; None where the kind has none."""
    found = resource.reader.raw("region")
    if found is None and not resource.type.startswith(PLACELESS):
        found = Reader(resource.provider_props).raw("region")
    return found if isinstance(found, str) or found is UNKNOWN else None


@stack_rule(
    "AWS-ACC-01",
    "The account's security stack has analyser, recorder and hub.",
    MEDIUM,
    [*SECURITY, TRAIL, DETECTOR, BUCKET],
    remediation="Add an access analyser, a configuration recorder and Security Hub.",
)
def security_stack(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """The stack that declares a trail, a detector or one of the three is the security stack, and has all three.

    A stack that keeps data in buckets has to have a trail (AWS-TRL-01); that alone makes it no security stack.
    """
    records = {bucket.urn for bucket in audit_buckets(graph)}
    keeps_data = any(bucket.urn not in records for bucket in graph.of(BUCKET))
    if not declared(graph, (*SECURITY, DETECTOR, *(() if keeps_data else (TRAIL,)))):
        return
    for kind in SECURITY:
        if not graph.of(kind) and not (kind == HUB and graph.of(NEWER_HUB)):
            yield Finding("", f"the security stack has no {kind.rpartition(':')[2]}", stack_of(graph))
    for status in graph.of(RECORDER_STATUS):
        for found in apart(_recording(status.reader)):
            yield located(found, status.urn)


def _recording(status: Reader) -> Iterator[Found]:
    if not status.flag("isEnabled"):
        yield Finding("isEnabled", "is off: the recorder writes nothing")


@stack_rule(
    "AWS-SEC-01",
    "Secrets have a key of their own and change every quarter.",
    HIGH,
    [SECRET, ROTATION, SECRET_POLICY],
    remediation="Set kms_key_id; add a SecretRotation of at most 90 days; no public policy.",
)
def secrets(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """A secret that never changes is known to everybody who ever left."""
    for policy in graph.of(SECRET_POLICY):
        yield from _public(policy)
    for secret in graph.of(SECRET):
        if not secret.reader.has("kmsKeyId") or "alias/aws/" in str(secret.props.get("kmsKeyId")):
            yield Finding("kmsKeyId", "no key of one's own", secret.urn)
        yield from _public(secret)
        answer = some([*graph.referrers(secret, ROTATION, "secretId"), secret], _often, "rotationRules")
        if isinstance(answer, Open):
            yield answer
        elif not answer:
            yield Finding("", f"no SecretRotation of at most {LONGEST_ROTATION} days names this secret", secret.urn)


def _often(reader: Reader) -> bool:
    schedule = reader.text("rotationRules.scheduleExpression")
    rate = re.fullmatch(r"rate\((\d+) (hour|day)s?\)", schedule)
    if rate:
        return int(rate[1]) <= LONGEST_ROTATION * (1 if rate[2] == "day" else 24)
    if schedule.startswith("cron("):
        return schedule.removeprefix("cron(").split()[3:4] == ["*"]  # every month
    days = reader.number("rotationRules.automaticallyAfterDays")
    return 0 < days <= LONGEST_ROTATION


def _public(secret: Resource) -> Iterator[Found]:
    try:
        for found in each_statement(statements(secret.reader.raw("policy"), "policy"), _lets_everybody):
            yield located(found, secret.urn)
    except Malformed:
        yield Finding("policy", "is no JSON document", secret.urn)


def _lets_everybody(statement: Statement) -> Iterator[Found]:
    if statement.allows and "*" in statement.principals and not statement.bound:
        yield Finding(f"{statement.path}.Principal", "everybody may read the secret")


@stack_rule(
    "AWS-BUD-01",
    "Somebody hears of costs before the month is over.",
    HIGH,
    [BUDGET, MONITOR],
    remediation="Add notifications ACTUAL <= 80 % and FORECASTED <= 100 % with subscribers, and an anomaly monitor.",
)
def budget(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """Where budgets are declared, one of them warns early and by forecast."""
    budgets = graph.of(BUDGET)
    for kind, most in (("ACTUAL", EARLY), ("FORECASTED", FULL)):
        answer = some(budgets, lambda reader, kind=kind, most=most: _warns(reader, kind, most), "notifications")  # type: ignore[misc]
        if isinstance(answer, Open):
            yield answer
        elif not answer and budgets:
            yield Finding("notifications", f"no {kind} notification at {most} % or less", budgets[0].urn)
    if budgets and not graph.of(MONITOR):
        yield Finding("", "no AnomalyMonitor beside the budget", budgets[0].urn)


def _warns(reader: Reader, kind: str, most: float) -> bool:
    return any(
        one.text("notificationType") == kind
        and one.text("comparisonOperator", "GREATER_THAN") == "GREATER_THAN"
        and 0 < _share(reader, one) <= most
        and (one.has("subscriberEmailAddresses") or one.has("subscriberSnsTopicArns"))
        for one in reader.each("notifications")
    )


def _share(budget: Reader, note: Reader) -> float:
    """Return a notification's threshold as a share of the budget in percent."""
    limit = budget.number("limitAmount")
    if note.text("thresholdType", "PERCENTAGE") != "ABSOLUTE_VALUE" or not limit:
        return note.number("threshold")
    return 100 * note.number("threshold") / limit


demand(
    "AWS-LOG-01",
    "Logs are kept for a year and encrypted.",
    MEDIUM,
    ["aws:cloudwatch/logGroup:LogGroup"],
    "An intrusion is found after months, on average.",
    either(
        "retentionInDays: is shorter than a year",
        between("retentionInDays", 365),
        one_of("retentionInDays", (0,)),  # for ever
    ),
    named("kmsKeyId", "a key of one's own"),
    remediation="Set retention_in_days 365 or more and kms_key_id.",
)
