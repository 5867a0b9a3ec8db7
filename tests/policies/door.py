"""The engine's side of the pack's protocol: real protobuf messages to the real servicer, no engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from charter.example_states import urn
from charter.examples import Case
from charter.judge import Judge
from charter.pack import MANDATORY, Dispatcher, policies
from charter.values import UNKNOWN
from google.protobuf import struct_pb2
from pulumi.runtime.proto import analyzer_pb2
from pulumi_policy import EnforcementLevel
from pulumi_policy.policy import _PolicyAnalyzerServicer
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

FACTS = {"production": False, "sandbox": False}
STACK = "pulumi:pulumi:Stack"


@dataclass(frozen=True)
class Told:
    """One finding as the engine gets it."""

    rule: str
    path: str
    text: str
    level: str
    urn: str


def wire(value: Any) -> Any:
    """Write a value as the engine does: unknowns as sentinels."""
    if value is UNKNOWN:
        return UNKNOWN_STRING_VALUE
    if isinstance(value, Mapping):
        return {key: wire(item) for key, item in value.items() if item is not None}
    if isinstance(value, list | tuple):
        return [wire(item) for item in value]
    return value


def struct(props: Mapping[str, Any]) -> struct_pb2.Struct:
    made = struct_pb2.Struct()
    made.update(wire(props))
    return made


class Door:
    """A pack of its own behind the servicer that the engine would talk to."""

    def __init__(self, facts: Mapping[str, Any] | None = None, judge: Judge | None = None) -> None:
        self.dispatcher = Dispatcher(judge)
        self.servicer = _PolicyAnalyzerServicer(
            "integrity-charter", "0.1.0", policies(self.dispatcher), EnforcementLevel.ADVISORY
        )
        told = struct({**FACTS, **(facts or {})})
        request = analyzer_pb2.ConfigureAnalyzerRequest(
            policyConfig={
                MANDATORY: analyzer_pb2.PolicyConfig(enforcementLevel=analyzer_pb2.MANDATORY, properties=told)
            }
        )
        self.servicer.Configure(request, None)

    def resource(self, kind: str, props: Mapping[str, Any], name: str = "it", **options: Any) -> list[Told]:
        """Analyse one resource."""
        request = analyzer_pb2.AnalyzeRequest(
            type=kind, properties=struct(props), urn=options.get("urn") or urn(kind, name), name=name
        )
        request.options.protect = bool(options.get("protect"))
        request.options.ignoreChanges.extend(options.get("ignore_changes", ()))
        provider = options.get("provider")
        if provider:
            request.provider.CopyFrom(self._provider(provider))
        return told(self.servicer.Analyze(request, None))

    @staticmethod
    def _provider(provider: Mapping[str, Any]) -> analyzer_pb2.AnalyzerProviderResource:
        kind = provider["type"]
        return analyzer_pb2.AnalyzerProviderResource(
            type=kind,
            name=provider["name"],
            urn=urn(kind, provider["name"]),
            properties=struct(provider.get("props", {})),
        )

    def stack(self, resources: Iterable[analyzer_pb2.AnalyzerResource]) -> list[Told]:
        return told(self.servicer.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=list(resources)), None))

    def graph(self, resources: Mapping[str, Mapping[str, Any]]) -> list[Told]:
        """Analyse each resource and then the stack, as a run does."""
        found: list[Told] = []
        messages = []
        urns = {name: each.get("urn") or urn(each["type"], each.get("name", name)) for name, each in resources.items()}
        for name, each in resources.items():
            provider = _provider_of(each, resources)
            options = {
                "urn": urns[name],
                "provider": provider,
                "protect": each.get("protect"),
                "ignore_changes": each.get("ignore_changes", ()),
            }
            props = {**dict.fromkeys(each.get("refs", {}), UNKNOWN), **each.get("props", {})}
            found += self.resource(each["type"], props, each.get("name", name), **options)
            message = analyzer_pb2.AnalyzerResource(
                type=each["type"],
                properties=struct({}),  # at a first preview the stack call carries none: what was analysed counts
                urn=urns[name],
                name=each.get("name", name),
                parent=urns.get(each.get("parent", ""), ""),
                dependencies=[urns[one] for one in each.get("depends", ())],
            )
            if provider:
                message.provider.CopyFrom(self._provider(provider))
            for prop, sources in each.get("refs", {}).items():
                targets = [sources] if isinstance(sources, str) else sources
                message.propertyDependencies[prop].urns.extend(urns[one] for one in targets if one in urns)
            messages.append(message)
        return found + self.stack(messages)

    def judge(self, case: Case) -> list[Told]:
        """Judge a case and return what its own rule found."""
        return [each for each in self.graph(case.resources) if each.rule == case.rule]

    def open_pairs(self, rule: str) -> list[str]:
        """Return the paths that a rule left open."""
        return [path for (name, _), path in self.dispatcher.judge.tally.undetermined.items() if name == rule]


def _provider_of(each: Mapping[str, Any], resources: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any] | None:
    named = each.get("provider")
    if named in resources:
        return {**resources[named], "name": resources[named].get("name", named)}
    if each["type"].startswith(("kubernetes:", "aws:", "gcp:", "azure-native:", "cloudflare:")):
        package = each["type"].partition(":")[0]
        return {
            "type": f"pulumi:providers:{package}",
            "name": named or package,
            "props": each.get("provider_props", {}),
        }
    return None


def told(response: analyzer_pb2.AnalyzeResponse) -> list[Told]:
    found = []
    for each in response.diagnostics:
        message = each.message.partition("\n")[2]
        head, _, text = message.partition(": ")
        rule, _, path = head.partition(" ")
        level = analyzer_pb2.EnforcementLevel.Name(each.enforcementLevel).lower()
        found.append(Told(rule, "" if path == "(resource)" else path, text, level, each.urn))
    return found
