"""Writes docs/policies: rules with examples, and the matrix of controls. Run `python policies/pages.py`."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from inspect import cleandoc
from pathlib import Path
from typing import Any

import charter.rules  # noqa: F401  registers every rule
from charter.admission.render import DIFFERENCES, EXEMPT, WANTED, beyond
from charter.examples import SINGLE, Case, cases, written
from charter.remedies import REMEDIES
from charter.rule import RULES, Rule
from charter.values import Unknown

TARGET = Path(__file__).parents[1] / "docs" / "policies"
FAMILIES = {
    "AWS": "Amazon Web Services",
    "GCP": "Google Cloud",
    "AZ": "Microsoft Azure",
    "CF": "Cloudflare",
    "K8S": "Kubernetes",
    "CH": "The charter over the whole stack",
}
HEAD = "<!-- written by policies/pages.py from the rules; edit the rules -->\n"


def pages() -> dict[str, str]:
    """Return every page by file name."""
    made = {f"{family.lower()}.md": "".join(_family(family)) for family in FAMILIES}
    made["README.md"] = "".join(_index())
    made["clusters.md"] = "".join(_clusters())
    made["remedies.md"] = "".join(_remedies())
    made["controls.md"] = "".join(_matrix())
    return made


def _rules(family: str) -> list[Rule]:
    return [RULES[name] for name in sorted(RULES) if name.partition("-")[0] == family]


def _index() -> Iterator[str]:
    yield f"{HEAD}# The law\n\n"
    yield f"{len(RULES)} rules. Critical and high ones are mandatory, medium ones advisory. "
    yield "What a preview cannot know is listed as undetermined, never passed. "
    yield "The [charter](../charter.md) says in sentences what they say in code; "
    yield "[controls](controls.md) maps them to published standards.\n\n"
    yield "A preview through `automation` is judged always. Plain `pulumi` judges with `--policy-pack policies`. "
    yield "A state that `pulumi stack export` wrote is judged by `python -m automation law FILE --stack STACK`, "
    yield "so is a preview that `pulumi preview --save-plan FILE` saved (with `--base STATE` for a change), "
    yield "and `charter.mocked.judged` judges a program in a unit test: all of them find the same. "
    yield "Add `--offline` when stand-in clouds answered. Without `--stack` or `--config` it is judged as "
    yield "no production. "
    yield "A cluster judges by [its own door](clusters.md). "
    yield "Outside of production the law [puts right](remedies.md) what it safely can. "
    yield "`make bench-law` measures the law itself.\n\n"
    for family, title in FAMILIES.items():
        yield f"\n## [{title}]({family.lower()}.md)\n\n| rule | severity | what must hold |\n|---|---|---|\n"
        for rule in _rules(family):
            link = f"[{rule.id}]({family.lower()}.md#{rule.id.lower()})"
            yield f"| {link} | {rule.severity} | {rule.title} |\n"


def _family(family: str) -> Iterator[str]:
    yield f"{HEAD}# {FAMILIES[family]}\n"
    for rule in _rules(family):
        yield f"\n## {rule.id}\n\n**{rule.title}**\n\n{_explained(rule)}\n\n"
        scope = ", over the whole stack" if rule.stack_check else ""
        yield f"- Severity: {rule.severity} ({rule.severity.level}){scope}\n"
        yield f"- Judged: {', '.join(f'`{kind}`' for kind in rule.types) or 'the configuration of the pack'}\n"
        yield f"- What to do: {rule.remediation}\n"
        yield f"- Controls: {'; '.join(rule.controls) or 'none of a published standard'}\n"
        if rule.implies:
            yield f"- Implies: {', '.join(rule.implies)}\n"
        yield from _examples(rule)


def _explained(rule: Rule) -> str:
    """Return why a rule is there, and what it looks at in detail, as its checks say it."""
    told = [rule.purpose]
    for check in (rule.check, rule.stack_check):
        told += [each for each in cleandoc((check and check.__doc__) or "").split("\n\n") if each and each not in told]
    return "\n\n".join(dict.fromkeys(" ".join(each.split()) for each in told))


def _examples(rule: Rule) -> Iterator[str]:
    if rule.id not in written():
        return
    known = list(cases(rule.id))
    good = known[0]
    bad = next((case for case in known if case.finds), None)
    yield f"\nGood:\n\n{_shown(good, good)}"
    if bad is not None:
        yield f"\nBad{f', found at `{bad.at}`' if bad.at else ''}:\n\n{_shown(bad, good)}"


def _shown(case: Case, base: Case) -> str:
    """Write a graph; of a bad one only the resources that differ, so that the fault stands out."""
    changed = {name: each for name, each in case.resources.items() if case is base or base.resources.get(name) != each}
    gone = [name for name in base.resources if name not in case.resources]
    told = {name: _plain(each) for name, each in changed.items()}
    text = json.dumps(told.get(SINGLE, told) if list(told) == [SINGLE] else told, indent=2)
    note = f"Without {', '.join(gone)}.\n" if gone else ""
    facts = f"Facts: `{json.dumps(_plain(case.facts))}`\n" if case.facts and case.facts != base.facts else ""
    body = f"```json\n{text}\n```\n" if told else ""
    return f"{note}{facts}{body}" or "(nothing)\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Unknown):
        return repr(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _remedies() -> Iterator[str]:
    yield f"{HEAD}# What the law puts right\n\n"
    yield "A value that lies below a floor is raised to it; one that is stricter, not known yet, or of another shape "
    yield "is left alone. The engine shows each as a remediation of `charter-remediate`, and judges what came of it. "
    yield "`automation` switches it on outside of production; the fact `remediate` says otherwise, either way. Plain "
    yield "`pulumi` puts nothing right unless the policy configuration gives `charter-remediate` its facts.\n\n"
    yield "- Tags that are missing and that the facts tell: `environment`, `owner` when there is one, `managed-by`.\n"
    yield "- Texts whose name calls them secret, where they stand plain, become secrets.\n\n"
    yield "| rule | type | property | floor |\n|---|---|---|---|\n"
    for remedy in REMEDIES:
        yield f"| {remedy.rule} | `{remedy.type}` | `{remedy.path}` | {remedy.floor.told} |\n"


def _clusters() -> Iterator[str]:
    yield f"{HEAD}# The door to clusters\n\n"
    yield "The rules over Kubernetes objects, for a cluster's own admission: `config/admission/cel.yaml` holds "
    yield "ValidatingAdmissionPolicies with their bindings (Kubernetes 1.33 or later), `gatekeeper.yaml` "
    yield "ConstraintTemplates with their constraints (Gatekeeper 3.23). Both hold the same expressions. "
    yield "`python -m automation law render --door cel|gatekeeper --out DIR [--stack STACK | --config FILE]` writes "
    yield "them again, with the registries and namespaces of the facts.\n\n"
    yield "Mandatory rules deny, advisory ones warn. Nothing is judged in "
    yield f"{', '.join(f'`{each}`' for each in EXEMPT)}: what the cluster itself puts there is not ours to refuse.\n\n"
    yield "## Rules at the door\n\n| rule | kinds | what it leaves to the other doors |\n|---|---|---|\n"
    for wanted in sorted(WANTED, key=lambda one: one.rule):
        page = "ch.md" if wanted.rule.startswith("CH-") else "k8s.md"
        kinds = ", ".join(kind.kind for kind in wanted.kinds)
        yield f"| [{wanted.rule}]({page}#{wanted.rule.lower()}) | {kinds} | {wanted.beside or 'nothing'} |\n"
    yield "\n## Rules that cannot stand there\n\n| rule | why |\n|---|---|\n"
    there = {wanted.rule for wanted in WANTED}
    for rule, why in beyond().items():
        if rule not in there:
            yield f"| {rule} | {why} |\n"
    yield "\n## Where a verdict may differ\n\n"
    for line in DIFFERENCES:
        yield f"- {line}\n"


def _matrix() -> Iterator[str]:
    table: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for rule in RULES.values():
        for control in rule.controls:
            standard, _, number = control.removesuffix(" ~").rpartition(" ")
            table[standard][number].append(f"{rule.id}{' ~' if control.endswith('~') else ''}")
    yield f"{HEAD}# Controls and the rules that help with them\n\n"
    yield "A rule helps with a control; it does not meet it. `~` marks our own reading, to be compared with the "
    yield "standard. What is not in a table is a gap: no rule of ours helps with it.\n"
    for standard in sorted(table):
        yield f"\n## {standard}\n\n| control | rules | resources |\n|---|---|---|\n"
        for number in sorted(table[standard]):
            rules = sorted(table[standard][number])
            kinds = sorted({kind for rule in rules for kind in RULES[rule.removesuffix(" ~")].types})
            yield f"| {number} | {', '.join(rules)} | {', '.join(f'`{kind}`' for kind in kinds)} |\n"
    without = sorted(rule.id for rule in RULES.values() if not rule.controls)
    yield f"\n## Rules without a published control\n\n{', '.join(without)}\n"


if __name__ == "__main__":
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (TARGET / name).write_text(text, "utf-8")
    sys.stdout.write(f"{TARGET}: {len(RULES)} rules\n")
