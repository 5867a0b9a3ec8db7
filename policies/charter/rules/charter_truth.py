"""Charter: nothing fictive passes for real, and no code runs that is not known."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import pairwise

from charter.constants import by_hand, constant_probes, measured
from charter.facts import Facts
from charter.leaves import ID_NAMES, PLACEHOLDER, POD, STATUS, STEPS, placeholder
from charter.pods import pods
from charter.rule import CRITICAL, Finding, Found, Open, Resource, apart, over_stack, resource_rule
from charter.rules.charter_sizing import RANDOM
from charter.values import UNKNOWN, Reader, walk

MARK = "ecosystemSandbox"
"""What the stand-in clouds put on every provider they serve."""
SKIPS = (
    "skipCredentialsValidation",
    "skipRequestingAccountId",
    "skipCheck",
    "skipProviderRegistration",
)
"""`skipRegionValidation` and `skipMetadataApiCheck` are not among them: the AWS SDK sets them, or did, by itself."""
TEST_KEYS = re.compile(r"^(test|mock|fake|dummy|local|AKIAIOSFODNN7EXAMPLE)", re.IGNORECASE)
LOCAL = re.compile(r"(localhost|127\.0\.0\.1|\[::1\]|0\.0\.0\.0|localstack|moto|azurite|emulator)", re.IGNORECASE)
PRETENCE = re.compile(r"(^|[^a-z])(mock|fake|stub|simulator|emulator|localstack|dry[_-]?run)([^a-z]|$)", re.IGNORECASE)
EMULATED = ("_EMULATOR_HOST", "_EMULATOR_URL")
"""How the variables end by which Google's libraries are sent to an emulator instead of the cloud."""
ADDRESSES = ("_URL", "_URI", "_HOST", "_ENDPOINT", "_ADDRESS", "_ADDR", "_SERVER")
"""How variables end that say where somebody is."""
VARIABLE = re.compile(r"^[A-Z][A-Z0-9_]*$")
ENDPOINTS = ("endpoints", "endpoint", "customEndpoint", "metadataHost")
SHA256 = re.compile(r"^[0-9a-f]{64}$")
PROVIDER_VARIABLE = re.compile(r"(?i)(LLM|AGENT|MODEL)_(PROVIDER|BACKEND)$")
PROVIDER_FLAG = re.compile(r"^--?(llm|agent|model)[_-](provider|backend)=(echo|mock|fake|stub|dummy)$", re.IGNORECASE)
NO_PROVIDER = (
    "echo",
    "mock",
    "fake",
    "stub",
    "dummy",
)
TOLD_TO_PEOPLE = ("tags.", "labels.", "metadata.labels.", "metadata.annotations.")
"""Where nothing is an id, whatever it is called: a `Name` among tags is for people."""
TOLD = PLACEHOLDER | POD | STEPS | STATUS
STATUS_MAPS = ("cluster-autoscaler-status",)
"""Objects in which a controller writes what it sees: whoever writes them by hand writes fiction."""


@resource_rule(
    "CH-05",
    "No provider is a stand-in, and nothing pretends, outside of the sandbox.",
    CRITICAL,
    ["pulumi:providers:*", "kubernetes:*"],
    remediation="Drop custom endpoints, skipped checks and test credentials; run offline only through the sandbox.",
    needs=lambda kind: POD | STEPS if kind.startswith("kubernetes:") and not kind.endswith(":ConfigMap") else 0,
)
def no_sandbox(resource: Resource, facts: Facts) -> Iterable[Found]:
    """The sandbox marks its providers; the mark is refused wherever the facts do not say sandbox."""
    if resource.package != "kubernetes":
        return _stands_in(resource, facts)
    if not facts.production:
        return ()
    return _settings(resource) if resource.kind == "ConfigMap" else _pretending(resource)


def _stands_in(resource: Resource, facts: Facts) -> Iterator[Found]:
    if not facts.sandbox:
        yield from apart(*_provider(resource.reader))
    elif _is_cloud(resource) and resource.reader.read(MARK) != "offline":
        yield Finding(MARK, "is absent: an offline run reaches a provider that is no stand-in")


def _settings(resource: Resource) -> Iterator[Found]:
    """Judge the settings that pods take from a map: only a value that is nothing but the word pretends."""
    held = resource.props.get("data")
    for key, value in held.items() if isinstance(held, dict) else ():
        if not isinstance(value, str):
            continue
        short = len(value) <= LONGEST and _is_pretence(str(key), value.strip().lower())
        if short or _sends_away(str(key), value):
            yield Finding(f"data.{key}", "pretends (mock, fake, stub, simulator, emulator, dry run)")


def _sends_away(key: str, value: str) -> bool:
    """Say whether a variable names an emulator where the cloud's own address belongs."""
    if not value or not key.endswith((*EMULATED, *ADDRESSES)) or not VARIABLE.match(key):
        return False
    return key.endswith(EMULATED) or PRETENCE.search(value) is not None


def _is_pretence(key: str, value: str) -> bool:
    if value in ("true", "1", "yes", "on"):
        return PRETENCE.search(key) is not None
    return value.isalpha() and CHOICE.search(key) is not None and PRETENCE.search(value) is not None


CHOICE = re.compile(r"(?i)(provider|backend|mode|driver|client|gateway|engine|model|adapter)$")
"""How settings end that choose one of several ways to work."""
LONGEST = 16


def _pretending(resource: Resource) -> Iterator[Found]:
    for pod in pods(resource):
        for container in pod.containers():
            yield from apart(_pretends(container))


def _is_cloud(resource: Resource) -> bool:
    return resource.type.rpartition(":")[2] not in ("pulumi", "pulumi-python")


def _provider(reader: Reader) -> list[Iterator[Found]]:
    return [_marked(reader), _skips(reader), _endpoints(reader), _credentials(reader), _rendered(reader)]


def _marked(reader: Reader) -> Iterator[Found]:
    if reader.raw(MARK) is not None:
        yield Finding(MARK, "is set: this provider is a stand-in of the sandbox")


def _skips(reader: Reader) -> Iterator[Found]:
    for name in SKIPS:
        if reader.flag(name):
            yield Finding(name, "is on: the provider would not look whom it serves")


def _endpoints(reader: Reader) -> Iterator[Found]:
    for name in ENDPOINTS:
        value = reader.read(name)
        if value not in (None, "", [], {}, "[]", "{}"):
            yield Finding(name, "is set: the provider would talk to somebody else")
    for path, leaf in walk(reader.props):
        if isinstance(leaf, str) and path not in ENDPOINTS and path != "kubeconfig" and LOCAL.search(leaf):
            yield Finding(path, "names a local host or an emulator")


def _credentials(reader: Reader) -> Iterator[Found]:
    for name in ("accessKey", "secretKey", "token", "apiToken", "credentials", "clientSecret"):
        value = reader.raw(name)
        if isinstance(value, str) and TEST_KEYS.match(value):
            yield Finding(name, "is a test credential")


def _rendered(reader: Reader) -> Iterator[Found]:
    if reader.has("renderYamlToDirectory"):
        yield Finding("renderYamlToDirectory", "is set: nothing would reach the cluster")


def _pretends(container: Reader) -> Iterator[Found]:
    for variable in container.each("env"):
        name, value = str(variable.raw("name")), variable.raw("value")
        if value is UNKNOWN:
            yield Open(variable.at("value"))
        elif isinstance(value, str) and (
            PRETENCE.search(value)
            or (PRETENCE.search(name) and value.lower() in ("true", "1", "yes", "on"))
            or (value and name.endswith(EMULATED))
        ):
            yield Finding(variable.at("value"), "pretends (mock, fake, stub, simulator, emulator, dry run)")


@resource_rule(
    "CH-06",
    "Code that runs inside the deployment is named and hashed.",
    CRITICAL,
    ["pulumi-python:dynamic*", "pulumi-nodejs:dynamic*"],
    remediation="Use only the allowed dynamic resources; put the hash of the solver's sources among the inputs.",
)
def dynamic(resource: Resource, facts: Facts) -> Iterator[Found]:
    """An edited solver must show in the plan; a mode switch would let another solver run than was judged."""
    reader = resource.reader
    if resource.kind not in facts.dynamic:
        yield Finding("", f"is no allowed dynamic resource; allowed is {', '.join(facts.dynamic) or 'none'}")
    if reader.raw("mode") is not None:
        yield Finding("mode", "is set; a dynamic resource has one way to work")
    code = reader.read("code")
    if not SHA256.match(str(code or "")):
        yield Finding("code", "is no sha256 of the solver's sources")
    elif facts.code and code != facts.code and resource.kind != RANDOM:
        yield Finding("code", "is not the hash of the solver in this checkout")


@resource_rule(
    "CH-18",
    "In production every id is a real one, and no status is written by hand.",
    CRITICAL,
    ["*"],
    remediation="Give the real id, or the Output that knows it; let controllers write their own status.",
    needs=lambda kind: 0 if kind.endswith(":ConfigMap") else TOLD,
)
def no_fiction(resource: Resource, facts: Facts) -> Iterator[Found]:
    """A placeholder that is typed where an id belongs works until somebody needs it; a constant says nothing of health.

    Controllers write the status of objects; a probe asks the program that it is about.
    """
    if resource.kind == "ConfigMap" and resource.reader.raw("metadata.name") in STATUS_MAPS:
        yield Finding(
            "metadata.name", "is a status that the cluster autoscaler writes; its settings are flags of its own"
        )
    if not facts.production or resource.type.startswith("pulumi:pulumi:"):
        return
    if not resource.marks & TOLD:
        yield from _language_model(resource) if resource.kind == "ConfigMap" else ()
        return
    made_up = _ids(resource) if resource.marks & PLACEHOLDER else ()
    yield from apart(made_up, _language_model(resource), by_hand(resource), constant_probes(resource))


def _ids(resource: Resource) -> Iterator[Found]:
    for path, text in resource.texts:
        if not placeholder(text) or path.startswith(TOLD_TO_PEOPLE):
            continue
        if ID_NAMES.search(path.rpartition(".")[2].partition("[")[0]):
            yield Finding(path, "is a placeholder where a real id belongs")


def _language_model(resource: Resource) -> Iterator[Found]:
    if resource.kind == "ConfigMap":
        held = resource.props.get("data")
        for key, value in held.items() if isinstance(held, dict) else ():
            if PROVIDER_VARIABLE.search(str(key)) and str(value).lower() in NO_PROVIDER:
                yield Finding(f"data.{key}", "is no language model")
    for pod in pods(resource):
        for container in pod.containers():
            for variable in container.each("env"):
                value = str(variable.raw("value")).lower()
                if PROVIDER_VARIABLE.search(str(variable.raw("name"))) and value in NO_PROVIDER:
                    yield Finding(variable.at("value"), "is no language model")
            for name in ("command", "args"):
                if any(PROVIDER_FLAG.match(word) for word in _line(container, name)):
                    yield Finding(container.at(name), "names no language model")


def _line(container: Reader, name: str) -> list[str]:
    """Return the words of a command, flags together with what follows them."""
    words = container.texts(name) if container.raw(name) is not None else []
    return [*words, *(f"{first}={second}" for first, second in pairwise(words) if first.startswith("-"))]


over_stack("CH-18")(measured)
