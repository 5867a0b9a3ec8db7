"""Rules over what watches an AWS account: trails, detectors, secrets, budgets, logs."""

from __future__ import annotations

from collections.abc import Iterator

from charter.demands import between, demand, named, on
from charter.documents import Malformed, statements
from charter.facts import Facts
from charter.graph import Graph
from charter.rule import CRITICAL, HIGH, MEDIUM, Finding, Found, Open, Resource, apart, located, stack_rule
from charter.rules.aws_storage import BUCKET, some
from charter.values import UNKNOWN, Reader, Undetermined

TRAIL = "aws:cloudtrail/trail:Trail"
DETECTOR = "aws:guardduty/detector:Detector"
FEATURE = "aws:guardduty/detectorFeature:DetectorFeature"
SECURITY = (
    "aws:accessanalyzer/analyzer:Analyzer",
    "aws:cfg/recorder:Recorder",
    "aws:securityhub/account:Account",
)
SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105  a resource type
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
BUDGET = "aws:budgets/budget:Budget"
MONITOR = "aws:costexplorer/anomalyMonitor:AnomalyMonitor"
FEATURES = ("EKS_AUDIT_LOGS", "RUNTIME_MONITORING", "S3_DATA_EVENTS")
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
    flags = reader.flag("isMultiRegionTrail") and reader.flag("enableLogFileValidation")
    return flags and reader.has("kmsKeyId") and reader.has("cloudWatchLogsGroupArn")


@stack_rule(
    "AWS-GDT-01",
    "Somebody watches for intruders, in clusters and buckets too.",
    HIGH,
    [DETECTOR, FEATURE],
    remediation=f"Set enable, and detector features {', '.join(FEATURES)}.",
)
def detector(graph: Graph, facts: Facts) -> Iterator[Found]:
    """Each detector is on and has the features."""
    for each in graph.of(DETECTOR):
        for found in apart(on("enable", default=True)(each.reader, facts)):
            yield located(found, each.urn)
        states = {
            str(one.props.get("name")): one.props.get("status") for one in graph.referrers(each, FEATURE, "detectorId")
        }
        missing = [name for name in FEATURES if states.get(name) not in ("ENABLED", UNKNOWN)]
        if str(UNKNOWN) in states or UNKNOWN in states.values():
            yield Open("status", each.urn)
        elif missing:
            yield Finding("", f"the features {', '.join(missing)} are not on", each.urn)


@stack_rule(
    "AWS-ACC-01",
    "The account's security stack has analyser, recorder and hub.",
    MEDIUM,
    [*SECURITY, TRAIL, DETECTOR],
    remediation="Add an access analyser, a configuration recorder and Security Hub.",
)
def security_stack(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """The stack that declares a trail, a detector or one of the three is the security stack, and has all three."""
    if not declared(graph, (*SECURITY, TRAIL, DETECTOR)):
        return
    for kind in SECURITY:
        if not graph.of(kind):
            yield Finding("", f"the security stack has no {kind.rpartition(':')[2]}", stack_of(graph))


@stack_rule(
    "AWS-SEC-01",
    "Secrets have a key of their own and change every quarter.",
    HIGH,
    [SECRET, ROTATION],
    remediation="Set kms_key_id; add a SecretRotation of at most 90 days; no public policy.",
)
def secrets(graph: Graph, _facts: Facts) -> Iterator[Found]:
    """A secret that never changes is known to everybody who ever left."""
    for secret in graph.of(SECRET):
        if not secret.reader.has("kmsKeyId"):
            yield Finding("kmsKeyId", "no key of one's own", secret.urn)
        yield from _public(secret)
        answer = some(graph.referrers(secret, ROTATION, "secretId"), _often, "rotationRules")
        if isinstance(answer, Open):
            yield answer
        elif not answer:
            yield Finding("", f"no SecretRotation of at most {LONGEST_ROTATION} days names this secret", secret.urn)


def _often(reader: Reader) -> bool:
    days = reader.number("rotationRules.automaticallyAfterDays")
    return 0 < days <= LONGEST_ROTATION


def _public(secret: Resource) -> Iterator[Found]:
    try:
        for statement in statements(secret.reader.raw("policy"), "policy"):
            if statement.allows and "*" in statement.principals and not statement.condition:
                yield Finding(f"{statement.path}.Principal", "everybody may read the secret", secret.urn)
    except Undetermined as unknown:
        yield Open(unknown.path, secret.urn)
    except Malformed:
        yield Finding("policy", "is no JSON document", secret.urn)


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
        and 0 < one.number("threshold") <= most
        and (one.has("subscriberEmailAddresses") or one.has("subscriberSnsTopicArns"))
        for one in reader.each("notifications")
    )


demand(
    "AWS-LOG-01",
    "Logs are kept for a year and encrypted.",
    MEDIUM,
    ["aws:cloudwatch/logGroup:LogGroup"],
    "An intrusion is found after months, on average.",
    between("retentionInDays", 365, default=0),
    named("kmsKeyId", "a key of one's own"),
    remediation="Set retention_in_days 365 or more and kms_key_id.",
)
