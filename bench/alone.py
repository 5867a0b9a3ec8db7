"""Figures of the program alone, against the stand-in engine: P1 to P7, the program's part of P9, and P11."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from typing import Any, Final

from bench.figure import Figure, rounded
from bench.program import HERE, PROJECT, Engine, Run, configuration

KEY: Final = "cloud-ecosystem:stack"
THOUSAND: Final = HERE / "stacks" / "thousand.yaml"
SLOW: Final = 0.1
TIMES: Final = 5
SDKS: Final = {
    "aws": "pulumi_aws",
    "gcp": "pulumi_gcp",
    "azure": "pulumi_azure_native",
    "kubernetes": "pulumi_kubernetes",
    "cloudflare": "pulumi_cloudflare",
}
NAIVE: Final = HERE / "naive"


def lowest(runs: Iterable[Run]) -> float:
    """Return the least CPU of several equal runs: what others took of the machine is no cost of ours."""
    return min(run.checked().cpu for run in runs)


class Alone:
    """Runs what several figures need once; `config` is the thousand stack."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.config = configuration(THOUSAND)

    def changed(self, change: Callable[[dict[str, Any]], Any]) -> dict[str, str]:
        """Return the configuration of the thousand stack with a change."""
        stack = json.loads(self.config[KEY])
        change(stack)
        return {**self.config, KEY: json.dumps(stack)}

    def ours(self, config: Mapping[str, str] | None = None, latency: float = 0.0) -> Run:
        """Run our program."""
        return self.engine.run(PROJECT, self.config if config is None else config, latency=latency).checked()

    def only(self, *clouds: str, regions: int = 3) -> dict[str, str]:
        """Return a stack of some clouds, with the first regions of each."""

        def fewer(stack: dict[str, Any]) -> None:
            stack["clouds"] = {name: part for name, part in stack["clouds"].items() if name in clouds}
            for part in stack["clouds"].values():
                part["regions"] = dict(list(part["regions"].items())[:regions])

        return self.changed(fewer)

    @cached_property
    def interleaved(self) -> dict[str, list[Run]]:
        """Runs of the flat program, of ours with a slow engine, and of ours with a quick one."""
        runs: dict[str, list[Run]] = {"naive": [], "slow": [], "quick": []}
        for _ in range(TIMES):
            runs["naive"].append(self.engine.run(NAIVE, latency=SLOW).checked())
            runs["slow"].append(self.ours(latency=SLOW))
            runs["quick"].append(self.ours())
        return runs

    @cached_property
    def one_region(self) -> Run:
        """One region of each cloud."""
        return self.ours(self.only("aws", "gcp", "azure", regions=1))

    def p1(self) -> Iterable[Figure]:
        """CPU against the flat program."""
        runs = self.interleaved
        naive, ours = lowest(runs["naive"]), lowest(runs["slow"])
        counts = f"{runs['slow'][0].registrations} registrations against {runs['naive'][0].registrations}"
        yield Figure(
            "P1", "<= 0.40", rounded(ours / naive),
            f"program CPU {ours:.2f} s / {naive:.2f} s of bench/naive; {counts}; 100 ms a call; "
            f"least of {TIMES} runs in turn",
        )  # fmt: skip

    def p2(self) -> Iterable[Figure]:
        """CPU with a slow engine against a quick one."""
        slow, quick = lowest(self.interleaved["slow"]), lowest(self.interleaved["quick"])
        how = f"program CPU {slow:.2f} s at 100 ms / {quick:.2f} s at 0 ms; least of {TIMES} runs in turn"
        yield Figure("P2", "<= 1.4", rounded(slow / quick), how)

    def p3(self) -> Iterable[Figure]:
        """CPU growth in regions (each with its cluster), node pools, and tenant namespaces."""
        nothing = lowest(self.imports("imports_ours") for _ in range(3))
        one, three = (lowest(self.ours(self.only(*SDKS, regions=n)) for _ in range(3)) for n in (1, 3))
        power = math.log((three - nothing) / (one - nothing)) / math.log(3)
        regions = 4**power

        def grown(change: Callable[..., Any], sizes: tuple[int, int, int]) -> float:
            configs = [self.changed(functools.partial(change, count=count)) for count in sizes]
            none, some, many = (lowest(self.ours(config) for _ in range(3)) for config in configs)
            return (many - none) / (some - none)

        pools = grown(_pools, (1, 5, 17))
        spaces = grown(_namespaces, (0, 6, 24))
        yield Figure(
            "P3", "<= 4.4", rounded(max(regions, pools, spaces)),
            f"CPU growth for four times as many: regions and clusters {regions:.2f} (from 3 and 9, all that have "
            f"prices, raised to four), node pools {pools:.2f} (4 and 16 a cluster), resources {spaces:.2f} (6 and 24 "
            "namespaces a cluster); least of 3 runs each",
        )  # fmt: skip

    def p4(self) -> Iterable[Figure]:
        """Modules of clouds that a stack does not use."""
        found = {}
        for cloud in ("aws", "gcp", "azure"):
            others = {sdk for name, sdk in SDKS.items() if name not in {cloud, "kubernetes"}}
            loaded = self.ours(self.only(cloud, regions=1)).modules
            if not loaded:
                raise RuntimeError("the hook listed no modules")
            found[cloud] = sum(name.partition(".")[0] in others for name in loaded)
        listed = ", ".join(f"{cloud} {count}" for cloud, count in found.items())
        yield Figure(
            "P4", "= 0", sum(found.values()), f"modules of other clouds' SDKs in sys.modules at exit: {listed}"
        )

    def imports(self, program: str) -> Run:
        """Import what the all-cloud stack uses of the SDKs, plainly or as we do."""
        names = [name for name in self.one_region.modules if name.partition(".")[0] in SDKS.values()]
        listed = {"BENCH_IMPORTS": " ".join(sorted(names))}
        return self.engine.run(HERE / "programs" / f"{program}.py", environment=listed).checked()

    def p5(self) -> Iterable[Figure]:
        """Import CPU against plain imports of the same modules."""
        runs = [(self.imports("imports_naive"), self.imports("imports_ours")) for _ in range(TIMES)]
        naive, ours = (lowest(pair[side] for pair in runs) for side in (0, 1))
        yield Figure(
            "P5", "<= 0.55", rounded(ours / naive),
            f"process CPU {ours:.2f} s with our own rooms / {naive:.2f} s plain imports of the same SDK modules (no "
            f"Cloudflare); least of {TIMES} runs in turn",
        )  # fmt: skip

    def p6(self) -> Iterable[Figure]:
        """Messages to the engine."""
        run = self.ours()
        logs = run.counted["logs"]
        how = f"{logs} Engine.Log / {run.registrations} resources"
        yield Figure("P6", "<= 0.1", rounded(logs / run.registrations), how)

    def p7(self) -> Iterable[Figure]:
        """Peak memory of 1,200 resources, MB."""
        run = self.ours(self.changed(lambda stack: _namespaces(stack, 9)), latency=SLOW)
        how = f"MB, largest resident set of the program, {run.registrations} registrations, three clouds; one run"
        yield Figure("P7", "< 600", rounded(run.peak), how)

    def p9(self) -> Iterable[Figure]:
        """A wrong stack file, given to the program directly."""
        wrong = self.changed(lambda stack: stack["clouds"]["aws"]["regions"]["eu-west-1"].update(zones=9))
        runs = []
        for _ in range(TIMES):
            runs.append(self.engine.run(PROJECT, wrong))
            if runs[-1].code != 1:
                raise RuntimeError(f"a wrong stack file ended with {runs[-1].code}")
        bad, good = min(run.cpu for run in runs), self.one_region.cpu
        yield Figure(
            "P9", "<= 0.10", rounded(bad / good),
            f"program CPU {bad:.2f} s / {good:.2f} s of a good run, one region per cloud; least of {TIMES} / one run",
        )  # fmt: skip
        made = max(run.registrations for run in runs) - 1
        yield Figure("P9-registrations", "= 0", made, "resources registered beside the root stack, plain program")

    def p11(self) -> Iterable[Figure]:
        """Providers per cloud with more regions."""
        many = self.ours()
        counts = [
            {cloud: sum(one.startswith(f"{cloud} ") for one in run.counted["providers"]) for cloud in PROVIDERS}
            for run in (self.one_region, many)
        ]
        worst = max(counts[1][cloud] / counts[0][cloud] for cloud in PROVIDERS)
        how = f"providers with three regions against one (three have prices): {counts[1]} against {counts[0]}"
        yield Figure("P11", "= 1.0", rounded(worst), how)


PROVIDERS: Final = ("aws", "gcp", "azure-native")


def _namespaces(stack: dict[str, Any], count: int) -> None:
    stack["namespaces"] = {f"team-{number}": {} for number in range(count)}


def _pools(stack: dict[str, Any], count: int) -> None:
    names = [f"general{number}" for number in range(count - 1)]
    pools = {name: {"purpose": "general", "spot": "never", "min": 0, "max": 10, "slots": 1} for name in names}
    stack["clusters"]["pools"] = {"system": stack["clusters"]["pools"]["system"], **pools}
    stack["workloads"] = []
