"""The rules over pods in CEL; what they allow comes from the same tables as the rules themselves."""

from __future__ import annotations

from typing import Final

from charter.admission import secret_words
from charter.admission.secret_words import harmless, secret_argument, secret_name, secret_value
from charter.admission.wanted import PODS, Wanted, cel
from charter.pods import AGENT_NAMESPACES, AGENTS, LONG_RUNNING
from charter.rules.charter_images import DIGEST
from charter.rules.pods import (
    APPARMOR,
    CAPABILITIES,
    HANDLERS,
    SECCOMP,
    SELINUX,
    SYSCTLS,
    VOLUMES,
)
from charter.rules.pods_needs import COUNTED, PROBE, RATIO, SHARED

VARIABLES: Final = {
    **secret_words.VARIABLES,
    "template": "object.kind == 'Pod' ? object : object.kind == 'PodTemplate' ? object.?template.orValue({}) : "
    "object.kind == 'CronJob' ? object.?spec.?jobTemplate.?spec.?template.orValue({}) : "
    "object.?spec.?template.orValue({})",
    "pod": "variables.template.?spec.orValue({})",
    "context": "variables.pod.?securityContext.orValue({})",
    "notes": "variables.template.?metadata.?annotations.orValue({})",
    "main": "variables.pod.?containers.orValue([])",
    "counted": "variables.pod.?initContainers.orValue([]) + variables.main",
    "every": "variables.counted + variables.pod.?ephemeralContainers.orValue([])",
    "windows": "variables.pod.?os.?name.orValue('') == 'windows'",
    "agent": (
        f"object.metadata.?namespace.orValue('default') in {cel(AGENT_NAMESPACES)} && ("
        f"(object.kind == 'DaemonSet' && object.metadata.?name.orValue('') in {cel(AGENTS)}) || "
        "(object.kind == 'Pod' && object.metadata.?ownerReferences.orValue([]).exists(o, "
        f"o.?controller.orValue(false) == true && o.?kind.orValue('') == 'DaemonSet' && "
        f"o.?name.orValue('') in {cel(AGENTS)})))"
    ),
}
"""Parts of an object that several expressions read."""


VALUE: Final = "e.?value.orValue('')"


def _each(test: str, among: str = "every") -> str:
    return f"variables.{among}.all(c, {test})"


def _unless_agent(*tests: str) -> tuple[str, ...]:
    return tuple(f"variables.agent || {test}" for test in tests)


def _linux(test: str) -> str:
    return f"(variables.windows || {test})"


def _rooted(test: str) -> str:
    return f"(variables.pod.?hostUsers.orValue(true) == false || {test})"


def _confined(context: str) -> str:
    """Say that a security context asks nothing of the kernel outside the baseline."""
    return (
        f"({context}.?procMount.orValue('Default') == 'Default'"
        f" && {context}.?seLinuxOptions.?type.orValue('') in {cel(SELINUX)}"
        f" && {context}.?seLinuxOptions.?user.orValue('') == '' && {context}.?seLinuxOptions.?role.orValue('') == ''"
        f" && {context}.?appArmorProfile.?type.orValue('RuntimeDefault') in {cel(SECCOMP)})"
    )


def _hosts() -> str:
    parts = [
        f"c.?{'.?'.join(handler.split('.'))}.?{action}.?host.orValue('') == ''"
        for handler in HANDLERS
        for action in ("httpGet", "tcpSocket")
    ]
    return " && ".join(parts)


def _alike() -> str:
    """Say that both probes ask the same with the same patience, written or left to Kubernetes."""
    ready, alive = "c.readinessProbe", "c.livenessProbe"
    same = [f"{ready}.?{key}.orValue({value}) == {alive}.?{key}.orValue({value})" for key, value in PROBE.items()]
    keys = cel(PROBE)
    same += [
        f"{ready}.all(k, k in {keys} || {alive}[?k] == optional.of({ready}[k]))",
        f"{alive}.all(k, k in {keys} || k in {ready})",
    ]
    return " && ".join(same)


def _there(side: str, name: str) -> str:
    """Say that a quantity is told, by the container or for the pod as a whole."""
    places = [f"c.?resources.?{side}[?'{name}']"]
    places += [f"variables.pod.?resources.?{side}[?'{name}']"] if name in SHARED else []
    told = ", ".join(f"{place}.orValue(dyn(''))" for place in places)
    return f"[{told}].exists(q, q != null && q != '')"


def _quantity(value: str) -> str:
    """Return a quantity as text: a manifest may write a whole one as a number, an API server never does."""
    return f"(type({value}) == string ? {value} : type({value}) == null_type ? '' : '%s'.format([{value}]))"


def _bounded(name: str) -> str:
    """Say that a limit is at most RATIO times the request, where both are quantities above nothing."""
    low, high = (_quantity(f"c.?resources.?{side}[?'{name}'].orValue(dyn('0'))") for side in ("requests", "limits"))
    most = f"quantity({low})" + f".add(quantity({low}))" * (RATIO - 1)
    return (
        f"(!isQuantity({low}) || !isQuantity({high}) || !quantity({low}).isGreaterThan(quantity('0')) || "
        f"!quantity({high}).isGreaterThan({most}))"
    )


WANTED: Final = (
    Wanted(
        rule="K8S-POD-01",
        kinds=PODS,
        expressions=_unless_agent(_each("c.?securityContext.?privileged.orValue(false) != true")),
    ),
    Wanted(
        rule="K8S-POD-02",
        kinds=PODS,
        expressions=_unless_agent(
            *(f"variables.pod.?{name}.orValue(false) != true" for name in ("hostPID", "hostIPC", "hostNetwork"))
        ),
    ),
    Wanted(
        rule="K8S-POD-03",
        kinds=PODS,
        expressions=_unless_agent(
            _linux(_each("c.?securityContext.?allowPrivilegeEscalation.orValue(true) == false")),
        ),
    ),
    Wanted(
        rule="K8S-POD-04",
        kinds=PODS,
        expressions=_unless_agent(
            _rooted(
                _each("c.?securityContext.?runAsNonRoot.or(variables.context.?runAsNonRoot).orValue(false) == true")
            ),
            _rooted("variables.context.?runAsNonRoot.orValue(true) == true"),
            _rooted("variables.context.?runAsUser.orValue(1) != 0"),
            _rooted(_each("c.?securityContext.?runAsUser.or(variables.context.?runAsUser).orValue(1) != 0")),
        ),
    ),
    Wanted(
        rule="K8S-POD-05",
        kinds=PODS,
        expressions=_unless_agent(
            _linux(_each("c.?securityContext.?capabilities.?drop.orValue([]).exists(d, d == 'ALL')")),
            _linux(
                _each(f"c.?securityContext.?capabilities.?add.orValue([]).all(a, a in {cel(CAPABILITIES)})"),
            ),
        ),
    ),
    Wanted(
        rule="K8S-POD-06",
        kinds=PODS,
        expressions=_unless_agent(
            f"variables.pod.?volumes.orValue([]).all(v, v.all(k, k == 'name' || v[k] == null || k in {cel(VOLUMES)}))",
            "variables.context.?windowsOptions.?hostProcess.orValue(false) != true",
            _each("c.?securityContext.?windowsOptions.?hostProcess.orValue(false) != true"),
            _each("c.?ports.orValue([]).all(p, p.?hostPort.orValue(0) == 0)"),
        ),
    ),
    Wanted(
        rule="K8S-POD-07",
        kinds=PODS,
        expressions=_unless_agent(
            _linux(
                _each(
                    "c.?securityContext.?seccompProfile.?type.or(variables.context.?seccompProfile.?type)"
                    f".orValue('') in {cel(SECCOMP)}"
                )
            ),
            _linux(f"variables.context.?seccompProfile.?type.orValue('RuntimeDefault') in {cel(SECCOMP)}"),
            _confined("variables.context"),
            _each("c.?securityContext.orValue({}) == {} || " + _confined("c.securityContext")),
            _each(_hosts()),
            f"variables.context.?sysctls.orValue([]).all(s, s.?name.orValue('') in {cel(SYSCTLS)})",
            (
                f"variables.notes.all(k, !k.startsWith({cel(APPARMOR)}) || "
                "variables.notes[k] in ['', 'runtime/default'] || variables.notes[k].startsWith('localhost/'))"
            ),
        ),
    ),
    Wanted(
        rule="K8S-POD-08",
        kinds=PODS,
        expressions=_unless_agent(_linux(_each("c.?securityContext.?readOnlyRootFilesystem.orValue(false) == true"))),
    ),
    Wanted(
        rule="K8S-POD-09",
        kinds=PODS,
        expressions=(
            *(_each(_there(side, name), "counted") for side, name in COUNTED),
            *(_each(_bounded(name), "counted") for name in ("cpu", "memory")),
        ),
    ),
    Wanted(
        rule="K8S-POD-10",
        kinds=tuple(kind for kind in PODS if kind.kind in LONG_RUNNING),
        expressions=(
            _each("c.?readinessProbe.orValue({}) != {}", "main"),
            _each("c.?livenessProbe.orValue({}) != {}", "main"),
            _each(
                f"c.?readinessProbe.orValue({{}}) == {{}} || c.?livenessProbe.orValue({{}}) == {{}} || !({_alike()})",
                "main",
            ),
        ),
    ),
    Wanted(
        rule="K8S-POD-11",
        kinds=PODS,
        expressions=(
            (
                "!(variables.pod.?serviceAccountName.optFlatMap(n, optional.ofNonZeroValue(n))"
                ".or(variables.pod.?serviceAccount).orValue('') in ['', 'default'])"
            ),
        ),
        beside="whether a binding names the account stands in other objects",
        covers=r"serviceAccountName$",
    ),
    Wanted(
        rule="K8S-POD-12",
        kinds=PODS,
        expressions=(
            _each(f"c.?env.orValue([]).all(e, {harmless(VALUE)} || !({secret_name('e.name')}))"),
            _each(f"c.?env.orValue([]).all(e, !({secret_value(VALUE)}))"),
            *(_each(f"[c.?{name}.orValue([])].all(l, {secret_argument('l')})") for name in ("args", "command")),
        ),
    ),
    Wanted(
        rule="CH-01",
        kinds=PODS,
        expressions=(
            _each(f"c.?image.orValue('').matches({cel(DIGEST.pattern)})"),
            (
                "variables.pod.?volumes.orValue([]).all(v, !v.?image.hasValue() || v.image == null || "
                f"v.image.?reference.orValue('').matches({cel(DIGEST.pattern)}))"
            ),
            "variables.registries.size() == 0 || "
            + _each("variables.registries.exists(r, c.?image.orValue('').startsWith(r))"),
        ),
    ),
)
