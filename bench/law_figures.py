"""Measure the law, print a table and write `bench/law.json`: `python -m bench.law_figures [--fuzz N] [--preview FILE]`.

`--preview` takes what `python -m automation preview prod --offline --json` wrote; without it that is run, because only
the engine knows what a preview leaves unknown. Nothing here fails by the clock: a missed goal is printed and recorded.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from bench import law_doors
from bench.figure import Figure, rounded
from bench.latest import arguments, asked, publish, taken
from bench.processes import Used
from bench.program import HERE, PROJECT

TARGET: Final = HERE / "law.json"
THOUSAND: Final = 1000
TIMES: Final = 5
REGISTRIES: Final = frozenset({"CH-01", "CH-02", "CH-03", "K8S-HLM-01"})
"""Rules that ask for digests of images and charts, for what charts render and for signatures: `lock` asks registries.

Offline a pair of theirs stays undetermined; on real accounts it is a finding.
"""
IMPORT: Final = "import time; t = time.process_time(); import charter.pack; print(time.process_time() - t)"


class Law:
    """The good stacks, recorded once, and the pack's own package."""

    def __init__(self, fuzz: int, preview: Path | None) -> None:
        sys.path.insert(0, str(PROJECT / "policies"))
        import_module("charter.rules")  # registers every rule, whichever figure is asked for
        self.fuzz = fuzz
        self.preview = preview

    @cached_property
    def stacks(self) -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
        """Return state and facts of each good stack."""
        from bench import law_stack  # noqa: PLC0415 - reaches into other rooms

        with law_stack.Recorder() as recorder:
            names = (*law_stack.STACKS, law_stack.SERVED)
            return {name: (law_stack.state(recorder, name), law_stack.facts(name)) for name in names}

    @cached_property
    def previewed(self) -> tuple[dict[str, Any], Used | None]:
        """Return what a preview of prod says, and what its processes used when it is run here."""
        return (json.loads(self.preview.read_text("utf-8")), None) if self.preview else law_doors.previewed()

    def judged(self, name: str) -> tuple[list[Any], Any]:
        """Judge a good stack as a state."""
        from charter.facts import read_facts  # noqa: PLC0415 - the pack's own package
        from charter.offline import judge  # noqa: PLC0415

        state, facts = self.stacks[name]
        return judge(state, read_facts(facts))

    def resources(self, name: str) -> list[Any]:
        """Return a good stack's resources as rules see them."""
        from charter.states import resources  # noqa: PLC0415

        return resources(self.stacks[name][0])

    def facts(self, name: str) -> Any:
        """Return a good stack's facts as rules see them."""
        from charter.facts import read_facts  # noqa: PLC0415

        return read_facts(self.stacks[name][1])

    def l1(self) -> Iterable[Figure]:
        """Yield how many rules say everything about themselves."""
        import charter.rules  # noqa: F401, PLC0415 - registers every rule
        from charter.examples import written  # noqa: PLC0415
        from charter.rule import RULES  # noqa: PLC0415

        by_other = {"CH-14", "CH-30"}  # they judge configuration and counts, which no example of resources holds
        whole = [
            rule
            for rule in RULES.values()
            if rule.purpose and rule.remediation and (rule.id in by_other or written().get(rule.id, {}).get("wrong"))
        ]
        mapped = sum(bool(rule.controls) for rule in RULES.values())
        yield Figure(
            "L1", ">= 149", len(whole),
            f"rules with severity, purpose, remediation and executed examples; {mapped} map to controls of published "
            "standards, the checks of the charter have none there",
        )  # fmt: skip

    def l2(self) -> Iterable[Figure]:
        """Yield how many rules kill a mutant that no other rule finds."""
        import charter.rules  # noqa: F401, PLC0415 - registers every rule
        from charter.example_states import exported  # noqa: PLC0415

        from bench import law_stack  # noqa: PLC0415
        from bench.law_mutants import mutants  # noqa: PLC0415
        from tests.policies import estate  # noqa: PLC0415

        stacks = ("dev", "prod", law_stack.SERVED)
        made, inside = list(mutants(*self.stacks["dev"])), set[str]()
        for name in stacks:
            made += mutants(*self.stacks[name], without=inside) if name != "dev" else ()
            inside |= {mutant.rule for mutant in made if mutant.exactly and mutant.in_stack}
        made += mutants(exported(estate.good(cells=1, size=0)), estate.FACTS, without=inside)
        exact = {mutant.rule for mutant in made if mutant.exactly}
        written = {mutant.rule for mutant in made if mutant.exactly and mutant.in_stack} - inside
        own = sorted(exact - inside - written)
        yield Figure(
            "L2", ">= 149", len(exact),
            f"rules with a mutant that they alone find; {len(inside)} of them planted in resources of dev, prod or dev "
            f"with services, {len(written)} more in the written estate, as the program makes no such thing; "
            f"the others in the rule's own good graph: {', '.join(own) or 'none'}; of {len(made)} mutants "
            f"{sum(m.killed for m in made)} killed, {sum(m.exactly for m in made)} by exactly their rule",
        )  # fmt: skip

    def l3(self) -> Iterable[Figure]:
        """Yield the findings on the good stacks."""
        found = {name: self.judged(name)[0] for name in self.stacks}
        told = "; ".join(
            f"{name}: {len(verdicts)} of {len(self.stacks[name][0]['deployment']['resources'])} resources"
            + (f" ({', '.join(sorted({each.rule.id for each in verdicts}))})" if verdicts else "")
            for name, verdicts in found.items()
        )
        yield Figure("L3", "<= 0", sum(map(len, found.values())), f"findings on the good stacks, no waivers; {told}")

    @staticmethod
    def l4() -> Iterable[Figure]:
        """Yield what the rules of the restricted standard find in their corpus."""
        yield from law_doors.labelled()

    def l5(self) -> Iterable[Figure]:
        """Yield what goes wrong when each leaf of a good stack is not known, one after the other."""
        from charter.judge import Judge  # noqa: PLC0415
        from charter.values import UNKNOWN, walk  # noqa: PLC0415

        facts, good = self.facts("dev"), self.resources("dev")
        sure = facts.model_copy(update={"secrets_visible": True})
        leaves = wrong = opened = 0
        for resource in good:
            for path, _ in walk(resource.props):
                judge = Judge()
                verdicts = judge.resource(replace(resource, props=_without(resource.props, path, UNKNOWN)), sure)
                leaves += 1
                wrong += len(verdicts)
                opened += bool(judge.tally.undetermined)
        yield Figure(
            "L5", "<= 0", wrong,
            f"findings and failures of the resource rules with each of {leaves} leaves of dev unknown in turn; "
            f"{opened} leaves are read by a rule and listed as undetermined; stack rules: tests/policies, on examples",
        )  # fmt: skip

    def l6(self) -> Iterable[Figure]:
        """Yield how many odd inputs the servicer took without an exception."""
        import random  # noqa: PLC0415

        from hypothesis import HealthCheck, given, settings  # noqa: PLC0415
        from hypothesis import strategies as st  # noqa: PLC0415

        from tests.policies import fuzz  # noqa: PLC0415
        from tests.policies.door import Door  # noqa: PLC0415

        door, taken_in = Door({"production": True}), 0

        @settings(
            max_examples=-(-self.fuzz // fuzz.BATCH),
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(seed=st.integers(0, 2**63))
        def feed(seed: int) -> None:
            nonlocal taken_in
            chance = random.Random(seed)
            for number in range(fuzz.BATCH):
                kind, props = fuzz.odd(chance)
                found = door.resource(kind, props, f"it{number}")
                assert not [each for each in found if "the rule itself failed" in each.text], (kind, props)
                taken_in += 1

        feed()
        yield Figure(
            "L6", ">= 100000", taken_in,
            "inputs through the real servicer, 0 exceptions: good examples with parts replaced, taken away or wrapped, "
            f"and shapes that no example has; Hypothesis chooses seeds of {fuzz.BATCH}",
        )  # fmt: skip

    def l7(self) -> Iterable[Figure]:
        """Yield how the doors of a stack differ."""
        yield from law_doors.four_doors(*self.stacks["dev"])

    @staticmethod
    def l8() -> Iterable[Figure]:
        """Yield how a cluster's own door differs."""
        yield from law_doors.clusters()

    def l9(self) -> Iterable[Figure]:
        """Yield what all resource rules cost as a library."""
        from charter.judge import Judge  # noqa: PLC0415

        facts = self.facts("prod")

        def cost() -> tuple[float, float]:
            good: list[Any] = []
            decoding, judge = _seconds(lambda: good.extend(self.resources("prod"))), Judge()
            return _seconds(lambda: [judge.resource(each, facts) for each in good]) / len(good), decoding / len(good)

        judging, decoding = (min(each) * 1e6 for each in zip(*(cost() for _ in range(TIMES)), strict=True))
        yield Figure(
            "L9", "<= 10", rounded(judging),
            f"us of CPU per resource of prod, least of {TIMES} runs; {decoding:.0f} more to read the state, where all "
            "leaves are looked at once",
        )  # fmt: skip

    def l10(self) -> Iterable[Figure]:
        """Yield what judging costs through the engine's protocol."""
        from charter.judge import Judge  # noqa: PLC0415
        from charter.rule import RULES  # noqa: PLC0415
        from google.protobuf import json_format, struct_pb2  # noqa: PLC0415
        from pulumi.runtime.proto import analyzer_pb2  # noqa: PLC0415

        from tests.policies.door import Door  # noqa: PLC0415

        sent = [
            analyzer_pb2.AnalyzeRequest(
                type=each["type"], urn=each["urn"], name=each["urn"].rpartition("::")[2],
                properties=json_format.ParseDict(each["inputs"], struct_pb2.Struct()),
            )
            for each in self.stacks["prod"][0]["deployment"]["resources"]
        ]  # fmt: skip
        single = [rule for rule in RULES.values() if rule.check]

        def cost(judge: Judge) -> float:
            door = Door(self.stacks["prod"][1], judge)
            return _seconds(lambda: [door.servicer.Analyze(each, None) for each in sent]) / len(sent) * 1e3

        def some(count: int) -> Judge:
            return Judge({f"B-{n}": replace(single[n % len(single)], id=f"B-{n}") for n in range(count)})

        runs = [(cost(Judge()), cost(some(10)), cost(some(100))) for _ in range(TIMES)]
        every, few, many = (min(run[side] for run in runs) for side in range(3))
        yield Figure("L10", "<= 1.5", rounded(every), f"ms of CPU per resource of prod, least of {TIMES} runs")
        yield Figure("L10-ratio", "<= 2.0", rounded(many / few), "CPU with 100 rules / with 10, repeated to the number")
        yield self._share()

    def _share(self) -> Figure:
        said, used = self.previewed
        if used is None:
            return Figure("L10-share", "<= 0.15", None, "CPU of a preview: not told by the file of --preview")
        law = used.of("-m pulumi.policy")
        return Figure(
            "L10-share", "<= 0.15", rounded(law / used.total),
            f"CPU of the policy process {law:.1f} s of {used.total:.1f} s of all processes of a preview of prod, "
            f"{said['resources']} resources",
        )  # fmt: skip

    def l11(self) -> Iterable[Figure]:
        """Yield what all stack rules cost on a thousand resources."""
        from charter.judge import Judge  # noqa: PLC0415

        facts, good = self.facts("prod"), self.resources("prod")
        many = [
            replace(each, urn=f"{each.urn}-{copy}") if copy else each
            for copy in range(THOUSAND // len(good) + 1)
            for each in good
        ][:THOUSAND]
        judge = Judge()
        for each in many:
            judge.resource(each, facts)
        spent = min(_seconds(lambda: judge.stack(many, facts)) for _ in range(3))
        count = sum(bool(rule.stack_check) for rule in _rules().values())
        yield Figure("L11", "<= 2.5", rounded(spent), f"s of CPU: {count} stack rules on {len(many)} resources of prod")

    @staticmethod
    def l12() -> Iterable[Figure]:
        """Yield what importing the pack costs."""
        command = [sys.executable, "-c", IMPORT]
        spent = [
            float(subprocess.run(command, cwd=PROJECT / "policies", capture_output=True, text=True, check=True).stdout)
            for _ in range(TIMES)
        ]
        yield Figure("L12", "<= 1", rounded(min(spent)), f"s of CPU: import of the whole pack, least of {TIMES}")

    def l13(self) -> Iterable[Figure]:
        """Yield what stays open in a preview and in a state."""
        law = self.previewed[0]["policy"]
        share = law["undetermined"] / law["evaluated"]
        waiting = sum(each["rule"] in REGISTRIES for each in law["undetermined_list"])
        yield Figure(
            "L13", "<= 0.05", rounded(share),
            f"{law['undetermined']} of {law['evaluated']} pairs undetermined in a preview of prod, {waiting} of them "
            "for want of what registries answer",
        )  # fmt: skip
        tally = self.judged("prod")[1].tally
        rest = sorted(rule for rule, _ in tally.undetermined if rule not in REGISTRIES)
        yield Figure(
            "L13-state", "<= 0", len(rest),
            f"of {tally.evaluated} pairs undetermined in the state of prod: {', '.join(sorted(set(rest))) or 'none'}; "
            f"besides {len(tally.undetermined) - len(rest)} for want of what registries answer, which nobody does "
            f"offline (digests and signatures: {', '.join(sorted(REGISTRIES))})",
        )  # fmt: skip

    @staticmethod
    def l14() -> Iterable[Figure]:
        """Yield how many of sixty faults in a state of a thousand resources are found, and what is said besides."""
        from charter.example_states import exported  # noqa: PLC0415
        from charter.facts import read_facts  # noqa: PLC0415
        from charter.offline import judge  # noqa: PLC0415

        from tests.policies import estate, faults  # noqa: PLC0415

        graph = estate.good()
        clean, _ = judge(exported(graph), read_facts(estate.FACTS))
        labels = faults.plant(graph)
        verdicts, _ = judge(exported(graph), read_facts(estate.FACTS))
        result = faults.score(labels, {(each.rule.id, each.urn.rpartition("::")[2]) for each in verdicts})
        yield Figure(
            "L14", ">= 60", len(result.found),
            f"of {len(faults.FAULTS)} faults planted in a state of {estate.SIZE} resources found by their rule, where "
            f"they are; missed: {', '.join(result.missed) or 'none'}",
        )  # fmt: skip
        alarms = len(result.alarms) + len(clean)
        yield Figure("L14-alarms", "<= 0", alarms, "findings that are no planted fault, in it and in the good state")


def _rules() -> Mapping[str, Any]:
    from charter.rule import RULES  # noqa: PLC0415

    return RULES


def _seconds(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _without(value: Any, path: str, unknown: Any, here: str = "") -> Any:
    """Return a copy in which the leaf at a path is not known."""
    if here == path and here:
        return unknown
    if isinstance(value, dict):
        return {k: _without(v, path, unknown, f"{here}.{k}" if here else str(k)) for k, v in value.items()}
    if isinstance(value, list):
        return [_without(v, path, unknown, f"{here}[{n}]") for n, v in enumerate(value)]
    return value


def main() -> None:
    """Measure, print, write."""
    parser = arguments(__doc__, TARGET)
    parser.add_argument("--fuzz", type=int, default=100_000, help="inputs of L6")
    parser.add_argument("--preview", type=Path, help="a preview of prod as JSON, for L13")
    chosen = parser.parse_args()
    law = Law(chosen.fuzz, chosen.preview)
    known = {f"L{number}": getattr(law, f"l{number}") for number in range(1, 15)}
    publish([one for name in asked(parser, chosen.only, known) for one in taken(name, known[name])], chosen)


if __name__ == "__main__":
    main()
