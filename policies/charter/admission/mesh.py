"""The rules over mesh, secrets and experiments in CEL: custom resources, and what they stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from charter.admission.wanted import AUTHORIZATION, CHAOS, DESTINATION, GATEWAY, PEER, SECRET, STORES, Wanted, cel
from charter.rules.charter_chaos import FIXED, GUARDED_NAMESPACES, LONGEST, PERCENT
from charter.rules.mesh import EVERYBODY

DATES: Final = "admission has no clock: the end of the permission is judged by the other doors"
VARIABLES: Final = {
    "stored": "object.kind == 'ClusterExternalSecret' ? object.?spec.?externalSecretSpec.orValue({}) : "
    "object.?spec.orValue({})",
    "told": "object.?spec.?type.orValue('')",
    "steps": "object.kind == 'Workflow' ? object.?spec.?templates.orValue([]) : object.kind == 'Schedule' && "
    "variables.told == 'Workflow' ? object.?spec.?workflow.?templates.orValue([]) : []",
    "experiments": "object.kind == 'Workflow' || (object.kind == 'Schedule' && variables.told == 'Workflow') ? [] : "
    "object.kind != 'Schedule' ? [object.?spec.orValue({})] : [object.?spec[?(variables.told == '' ? 'podChaos' : "
    "variables.told.substring(0, 1).lowerAscii() + variables.told.substring(1))].orValue({})]",
}


def _authorized(side: str, inner: str, *keys: str) -> str:
    """Say that each part of each allowing rule names something, and never everything."""
    values = " + ".join(f"p.?{inner}.?{key}.orValue([])" for key in keys)
    return (
        "object.?spec.?action.orValue('ALLOW') != 'ALLOW' || object.?spec.?rules.orValue([]).all(r, "
        f"r.?{side}.orValue([]).size() > 0 && r.{side}.all(p, ({values}).size() > 0 && "
        f"!({values}).exists(v, v in {cel(EVERYBODY)})))"
    )


def _client(place: str) -> str:
    return (
        f"(!{place}.?tls.hasValue() || ({place}.tls.?mode.orValue('DISABLE') in ['ISTIO_MUTUAL', 'MUTUAL', 'SIMPLE'] "
        f"&& {place}.tls.?insecureSkipVerify.orValue(false) != true && "
        f"({place}.tls.?mode.orValue('') == 'ISTIO_MUTUAL' || "
        "!object.?spec.?host.orValue('').contains('.svc.') || "
        "object.?spec.?host.orValue('').startsWith('kubernetes.default.'))))"
    )


def _clients(place: str) -> str:
    return f"{_client(place)} && {place}.?portLevelSettings.orValue([]).all(l, {_client('l')})"


def _keyless(place: str, depth: int = 0) -> str:
    """Say that nothing below a place refers to a stored key; CEL cannot recur, so it is written out."""
    if depth == DEEPEST:
        return "true"
    key = f"k{depth}"
    inner = f"{place}[{key}]"
    return (
        f"(type({place}) != map || {place}.all({key}, {key}.lowerAscii().endsWith('secretref') ? "
        f"!{_holds_name(inner, depth + 1)} : {_keyless(inner, depth + 1)}))"
    )


def _holds_name(place: str, depth: int) -> str:
    if depth == DEEPEST:
        return "false"
    key = f"k{depth}"
    inner = _holds_name(f"{place}[{key}]", depth + 1)
    return f"(type({place}) == map && ('name' in {place} || {place}.exists({key}, {inner})))"


DEEPEST: Final = 5
"""Levels below the provider at which a store's own definition has references to keys."""


def _experiments(test: Callable[[str, str], str]) -> str:
    """Ask each experiment: the object's own, those of a Workflow's steps, those that a step repeats."""
    whole = test("e", "e.?duration.orValue('')")
    step = test("t[k]", "t[k].?duration.or(t.?deadline).orValue('')")
    again = test("t.schedule[k]", "t.schedule[k].?duration.orValue('')")
    named = "t.schedule.?type.orValue(' ').substring(0, 1).lowerAscii() + t.schedule.?type.orValue(' ').substring(1)"
    return (
        f"variables.experiments.all(e, {whole}) && variables.steps.all(t, "
        f"t.all(k, !k.endsWith('Chaos') || {step}) && (!t.?schedule.hasValue() || ["
        f"{named}].all(k, k in t.schedule && {again})))"
    )


def _small(one: str, _duration: str) -> str:
    mode = f"{one}.?mode.orValue('')"
    return (
        f"({mode} == 'one' || [{one}.?value.orValue('-1')].exists(v, string(v).matches('^[0-9]+$') && "
        f"(({mode} == 'fixed' && int(v) <= {FIXED}) || ({mode} == 'fixed-percent' && int(v) <= {PERCENT}))))"
    )


def _chosen(one: str, _duration: str) -> str:
    names = f"{one}.?selector.?namespaces.orValue([])"
    return (
        f"({names}.size() > 0 && {names}.all(n, !n.matches({cel(GUARDED_NAMESPACES.pattern)}) && "
        f"(variables.allowed.size() == 0 || n in variables.allowed)) && "
        f"{one}.?selector.?labelSelectors.orValue({{}}).size() > 0)"
    )


def _short(_one: str, duration: str) -> str:
    return (
        f"[{duration}.findAll('[0-9]+(?:[.][0-9]+)?(?:ms|h|m|s)')].exists(d, d.size() > 0 && "
        f"[d.map(x, duration(x).getMilliseconds()).sum()].exists(n, n > 0 && n <= {LONGEST * 1000}))"
    )


WANTED: Final = (
    Wanted(
        rule="K8S-IST-01",
        kinds=(PEER,),
        expressions=(
            (
                "object.?spec.?mtls.?mode.orValue('UNSET') == 'STRICT' || (object.?spec.?selector.orValue({}) != {} && "
                "object.?spec.?mtls.orValue({}) == {})"
            ),
            (
                "object.?spec.?portLevelMtls.orValue({}).all(k, object.spec.portLevelMtls[k].?mode.orValue('') "
                "== 'STRICT')"
            ),
        ),
    ),
    Wanted(
        rule="K8S-IST-02",
        kinds=(AUTHORIZATION,),
        expressions=(
            _authorized("from", "source", "principals", "namespaces", "serviceAccounts", "requestPrincipals"),
            _authorized("to", "operation", "methods", "paths", "ports", "hosts"),
        ),
        beside="whether a namespace denies by default stands in other objects",
        covers=r"^spec\.rules",
    ),
    Wanted(
        rule="K8S-IST-03",
        kinds=(DESTINATION, GATEWAY),
        expressions=(
            (
                "object.kind != 'DestinationRule' || ("
                f"[object.?spec.?trafficPolicy.orValue({{}})].all(p, {_clients('p')}))"
            ),
            (
                "object.kind != 'DestinationRule' || object.?spec.?subsets.orValue([]).all(s, "
                f"[s.?trafficPolicy.orValue({{}})].all(p, {_clients('p')}))"
            ),
            (
                "object.kind != 'Gateway' || object.?spec.?servers.orValue([]).all(s, "
                "s.?port.?protocol.orValue('').upperAscii() in ['HTTP', 'HTTP2', 'GRPC', 'GRPC-WEB'] ? "
                "s.?tls.?httpsRedirect.orValue(false) == true : s.?tls.orValue({}) != {} && "
                "!(s.tls.?minProtocolVersion.orValue('TLS_AUTO') in ['TLSV1_0', 'TLSV1_1']))"
            ),
        ),
    ),
    Wanted(
        rule="K8S-EXS-01",
        kinds=(SECRET, *STORES),
        expressions=(
            "object.kind != 'Secret' || (object.?data.orValue({}) == {} && object.?stringData.orValue({}) == {})",
            (
                "!object.kind.endsWith('ExternalSecret') || "
                "[variables.stored.?refreshInterval.orValue('1h').findAll('[0-9]+(?:[.][0-9]+)?(?:h|m|s)')].exists(d, "
                "d.size() > 0 && [d.map(t, duration(t).getMilliseconds()).sum()].exists(n, n > 0 && n <= 3600000))"
            ),
            (
                "!object.kind.endsWith('ExternalSecret') || "
                "variables.stored.?refreshPolicy.orValue('Periodic') == 'Periodic'"
            ),
            "!object.kind.endsWith('Store') || !object.?spec.?provider.?fake.hasValue()",
            "!object.kind.endsWith('Store') || !object.?spec.?provider.hasValue() || "
            + _keyless("object.spec.provider"),
        ),
    ),
    Wanted(
        rule="CH-20",
        kinds=CHAOS,
        expressions=(_experiments(_small), _experiments(_chosen)),
    ),
    Wanted(
        rule="CH-21",
        kinds=CHAOS,
        expressions=(
            _experiments(_short),
            "object.kind != 'Schedule' || object.?spec.?concurrencyPolicy.orValue('Forbid') == 'Forbid'",
        ),
        beside=DATES,
        covers=r"(duration|concurrencyPolicy)$",
    ),
)
