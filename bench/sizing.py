"""Measure S1 to S14 of the sizing, print them with their goals and write `bench/sizing.json`: `python -m bench.sizing`.

Nothing here fails by the clock. `--only S2,S3` measures some and keeps the others; `--most 1000` leaves out instances
above so many pods. The instances are those of `bench/sizing_instances.py`.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any, Final

import numpy as np

import sizing
from bench.figure import Figure, rounded, table
from bench.latest import arguments, asked, write
from bench.program import HERE, PROJECT
from bench.sizing_instances import SEEDS, SIZES, TINY_SEEDS, instance, tiny
from sizing.plan import Infeasible, Plan
from sizing.problem import Problem
from sizing.verify import verify

OUTPUT: Final = HERE / "sizing.json"
PROCESSES: Final = 20


Key = tuple[int, int, bool, str]  # pods, seed, heavy tail, quality


def solved(key: Key) -> tuple[Problem, Plan | Infeasible, float]:
    """The problem, its plan and the CPU seconds it took, imports on the first one included."""
    pods, seed, heavy, quality = key
    sys.stderr.write(f"solving {pods} pods, seed {seed}, {'heavy' if heavy else 'light'} tail, {quality}\n")
    problem = instance(pods, seed, heavy=heavy, quality=quality)
    start = time.process_time()
    return problem, sizing.solve(problem), time.process_time() - start


class Bench:
    """All measurements; solved instances are kept for the figures that share them."""

    def __init__(self, most: int, jobs: int = 1) -> None:
        self.jobs = jobs
        self.sizes = [size for size in SIZES if size <= most]
        self.solved: dict[Key, tuple[Problem, Plan | Infeasible, float]] = {}

    def solve(self, pods: int, seed: int, *, heavy: bool = True) -> tuple[Problem, Plan | Infeasible, float]:
        """The plan of an instance and the CPU seconds it took."""
        key = (pods, seed, heavy, "standard")
        if key not in self.solved:
            self.solved[key] = solved(key)
        return self.solved[key]

    def together(self, keys: list[Key]) -> list[tuple[Problem, Plan | Infeasible, float]]:
        """Some instances, as many at once as there are jobs; each measures its own CPU time."""
        left = [key for key in keys if key not in self.solved]
        with ProcessPoolExecutor(self.jobs, mp_context=get_context("spawn")) as pool:
            for key, made in zip(left, pool.map(solved, left), strict=True):
                self.solved[key] = made
        return [self.solved[key] for key in keys]

    def all(self, quality: str = "standard") -> list[tuple[Problem, Plan | Infeasible, float]]:
        """The instances with a heavy tail."""
        return self.together([(pods, seed, True, quality) for pods in self.sizes for seed in SEEDS])

    def s1(self) -> Iterator[Figure]:
        """Plans that the verifier passes, or a typed no."""
        runs = self.all()
        good = sum(isinstance(plan, Infeasible) or not verify(p.to_object(), plan.to_object()) for p, plan, _ in runs)
        no = sum(isinstance(plan, Infeasible) for _, plan, _ in runs)
        yield Figure("S1", ">= 1", rounded(good / len(runs)), f"share of {len(runs)} instances; {no} are infeasible")

    def s2(self) -> Iterator[Figure]:
        """Gap of the instances: the goals are asked of `best`; what the others reach in seconds is beside it."""
        asked = (("best", "S2", "<= 0.02", "<= 0.05"), ("standard", "S2-standard", "", ""), ("fast", "S2-fast", "", ""))
        for quality, name, mean, most in asked:
            runs = [(plan.gap, seconds) for _, plan, seconds in self.all(quality) if isinstance(plan, Plan)]
            gaps, seconds = zip(*runs, strict=True)
            how = (
                f"{len(gaps)} instances of up to {self.sizes[-1]} pods, heavy tail, `{quality}`: "
                f"{min(seconds):.0f} to {max(seconds):.0f} CPU s a plan"
            )
            yield Figure(f"{name}-mean", mean, rounded(float(np.mean(gaps))), how)
            yield Figure(f"{name}-max", most, rounded(max(gaps)), how)

    def s3(self) -> Iterator[Figure]:
        """Against the optimum of small instances; the bound against the cheapest nodes that any packing fills (S4)."""
        over, below, scheduler, proven = [], [], [], 0
        for seed in TINY_SEEDS:
            problem = tiny(seed)
            plan, best = sizing.solve(problem), optimum(problem)
            if isinstance(plan, Plan) and np.isfinite(best):
                over.append(plan.cost_usd_month / best - 1)
                packed = plan.notes["bounds"]["general"]["packed_exactly"]
                proven += packed is not None
                below.append(1 - plan.bound_usd_month / (packed or best))
                scheduler.append(1 - plan.bound_usd_month / best)
        how = f"{len(over)} of {len(TINY_SEEDS)} tiny instances with a plan; every mix of nodes within the slots tried"
        yield Figure("S3-gap", "<= 0.002", rounded(max(0.0, float(np.mean(over)))), how)
        yield Figure("S3-found", ">= 0.9375", rounded(float(np.mean([o <= 1e-6 for o in over]))), how)
        told = (
            f"mean distance of the bound from the optimum where any packing counts, known exactly on {proven} of "
            f"{len(over)}, else from the plan; from the optimum that kube-scheduler accepts: {np.mean(scheduler):.3f}"
        )
        yield Figure("S4", "<= 0.01", rounded(float(np.mean(below))), told)

    def s5(self) -> Iterator[Figure]:
        """CPU seconds."""
        for pods, goal in ((1000, "<= 5"), (2000, "<= 15")):
            if pods in self.sizes:
                took = [self.solve(pods, seed)[2] for seed in SEEDS]
                yield Figure(
                    f"S5-{pods}", goal, rounded(float(np.median(took))), f"CPU s, {pods} pods, 6 pools, median of 3"
                )

    def s6(self) -> Iterator[Figure]:
        """Large instances: gap, and growth of CPU time from 2,000 pods."""
        _, plan, took = self.solve(5000, SEEDS[0])
        gap = plan.gap if isinstance(plan, Plan) else None
        yield Figure("S6-gap-5000", "<= 0.05", gap and rounded(gap), f"one instance, heavy tail; {took:.0f} CPU s")
        _, plan, took = self.solve(20000, SEEDS[0])
        gap = plan.gap if isinstance(plan, Plan) else None
        yield Figure("S6-gap-20000", "<= 0.05", gap and rounded(gap), f"one instance, heavy tail; {took:.0f} CPU s")
        small = self.solve(2000, SEEDS[0])[2]
        yield Figure("S6-growth", "<= 12", rounded(took / small), f"CPU s of 20,000 over 2,000 pods ({small:.0f} s)")

    def s7(self) -> Iterator[Figure]:
        """The same bytes over processes and hash seeds."""
        code = (
            "import json; from bench.sizing_instances import instance; import sizing; "
            "print(json.dumps(sizing.solve(instance(300, 11, quality='fast')).to_object(), sort_keys=True))"
        )
        seen = set()
        for number in range(PROCESSES):
            env = {**os.environ, "PYTHONHASHSEED": str(number), "OMP_NUM_THREADS": str(1 + number % 2)}
            out = subprocess.run([sys.executable, "-c", code], cwd=PROJECT, env=env, capture_output=True, check=True)
            seen.add(hashlib.sha256(out.stdout).hexdigest())
        yield Figure("S7", "= 1", float(len(seen)), f"plans over {PROCESSES} processes, hash seeds, threads")

    def s8(self) -> Iterator[Figure]:
        """Memory of a process that solves."""
        code = (
            "import re, sys; from bench.sizing_instances import instance; import sizing; "
            "sizing.solve(instance(int(sys.argv[1]), 11)); "  # ru_maxrss would begin at what this process has
            "print(int(re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())[1]) / 1024)"
        )
        for pods, goal in ((1000, "<= 256"), (2000, "<= 512")):
            if pods in self.sizes:
                run = [sys.executable, "-c", code, str(pods)]
                out = subprocess.run(run, cwd=PROJECT, capture_output=True, text=True, check=True)
                yield Figure(f"S8-{pods}", goal, rounded(float(out.stdout)), f"MB, whole process, {pods} pods")

    def s9(self) -> Iterator[Figure]:
        """Side by side with QOKit, qiskit-optimization and D-Wave, in an environment of their own."""
        from bench.sizing_hard import tables  # noqa: PLC0415
        from bench.sizing_rivals import EVALUATED, SHIPPED, measured  # noqa: PLC0415

        made = measured({str(seed): cost for seed, cost in tables(16, 6)})
        how = (
            f"CPU ms (ours, theirs), p=3, one thread, median of 7 in turn, n={EVALUATED}; the same circuit from its "
            "angles, ours to 256 samples on Aer, theirs to the state; QOKit 0.1.4 in C"
        )
        for build, rows in made["evaluations"].items():
            most = max(ours / theirs for ours, theirs in rows.values()) if isinstance(rows, dict) else None
            name, goal = ("S9", "<= 1") if build == SHIPPED else (f"S9-{build}", "")
            yield Figure(name, goal, most and rounded(most), f"greatest ratio; {how}, {build}: {rows}")
        ours, theirs = made["ramp on Aer"], made["qiskit-optimization"]
        fair = theirs["seconds"] and ours["hits"] >= theirs["hits"]
        how = (
            f"CPU s per table (median) and hits of the least two-body energy at n=16: ours (ramp to 1.0, 5 "
            f"layers, 1,024 shots) {ours}; theirs (p=3, COBYLA 30, 256 shots each, on Aer) {theirs}; D-Wave's annealer "
            f"{made['dwave']}"
        )
        yield Figure("S10", ">= 50", rounded(theirs["seconds"] / ours["seconds"]) if fair else None, how)

    def s11(self) -> Iterator[Figure]:
        """Chance of the circuit, and of chance alone, on hard tables of the search's own kind."""
        from bench.sizing_hard import hits  # noqa: PLC0415 - loads the simulator
        from bench.sizing_ramps import paired  # noqa: PLC0415

        for qubits, goal in ((16, ">= 0.85"), (20, ">= 0.75")):
            shares, (low, high), count = hits(qubits)
            how = (
                f"share of {count} seeded tables where < 0.2 % of states are optimal, two-body phase on Aer, 256 shots "
                f"[95 %: {low:.2f}, {high:.2f}]; the phase is fitted to the whole table, octaves of rank alike. Beside "
                f"it, 256 evaluations: uniform sampling {shares['uniform']:.2f}, simulated annealing "
                f"{shares['annealing']:.2f}; exhaustive search of the table 1.00"
            )
            yield Figure(f"S11-{qubits}", goal, rounded(shares["circuit"]), how)
        chosen, chance, told = paired()
        how = f"chance of a hit in 256 shots of the ramp chosen on the training seeds ({chosen}), twin; {told}"
        yield Figure("S11-learned", "", rounded(chance), how)

    def s12(self) -> Iterator[Figure]:
        """Saving against the autoscalers: on equal terms, and as published with what such a plan breaks."""
        from sizing.baselines import Rival, rivals  # noqa: PLC0415

        rows: dict[tuple[str, bool], list[tuple[Plan, Rival]]] = {}
        self.together(
            [(pods, seed, heavy, "standard") for heavy in (True, False) for pods in self.sizes for seed in SEEDS]
        )
        for heavy, pods, seed in itertools.product((True, False), self.sizes, SEEDS):
            problem, plan, _ = self.solve(pods, seed, heavy=heavy)
            if isinstance(plan, Plan):
                for rival in rivals(problem):
                    rows.setdefault((rival.name, heavy), []).append((plan, rival))
        goals = {"cluster_autoscaler": (">= 0.28", ">= 0.28"), "karpenter": (">= 0.03", ">= 0.12")}
        hindsight = {
            "karpenter_sized": "the limit on node size that is cheapest in hindsight, pool by pool",
            "cluster_autoscaler_by_pool": "in each pool the cheapest type of that shape, arm64 where it is allowed",
        }
        for (name, heavy), found in sorted(rows.items()):
            tail = "heavy" if heavy else "light"
            equal = [(plan, rival.equal_terms) for plan, rival in found if np.isfinite(rival.equal_terms)]
            fair = [1 - plan.cost_usd_month / cost for plan, cost in equal]
            ceilings = [1 - plan.bound_usd_month / cost for plan, cost in equal]
            plain = [1 - plan.cost_usd_month / rival.published for plan, rival in found]
            broken = sorted({word for _, rival in found for word in rival.breaks})
            mean, least = float(np.mean(fair)), min(fair)
            if name.startswith("cluster_autoscaler"):
                value, told = mean, f"mean saving (least {least:.3f})"
            else:
                value, told = least, f"least saving (mean {mean:.3f})"
            how = (
                f"{told} on equal terms (the verifier accepts the rival's plan) on {len(fair)} instances, "
                f"{tail} tail, 3 slots; no plan of the rival on {len(found) - len(fair)} more; by "
                f"the proven bounds no plan at all saves more than {np.mean(ceilings):.3f} in the mean, "
                f"{min(ceilings):.3f} at the least; "
            )
            how += hindsight.get(
                name, f"as published mean {np.mean(plain):.3f}, least {min(plain):.3f}, breaking {', '.join(broken)}"
            )
            yield Figure(f"S12-{name}-{tail}", goals.get(name, ("", ""))[not heavy], rounded(value), how)

    def s13(self) -> Iterator[Figure]:
        """The real kube-scheduler."""
        from bench.sizing_kube import pending  # noqa: PLC0415
        from sizing import catalogue  # noqa: PLC0415
        from sizing.stack_problem import from_stack  # noqa: PLC0415
        from stacks.load import read_file  # noqa: PLC0415
        from toolchain.cluster import ControlPlane  # noqa: PLC0415

        prod = from_stack(read_file(PROJECT / "Pulumi.prod.yaml"), PROJECT, catalogue.load())
        left, asked = 0, 0
        for problem in (prod["gcp-europe-west1"], prod["aws-eu-west-1"], instance(300, 11)):
            plan = sizing.solve(problem)
            if not isinstance(plan, Plan):
                continue
            with ControlPlane(scheduler=True) as plane:
                one, of = pending(plane, json.loads(problem.to_json()), json.loads(json.dumps(plan.to_object())))
            left, asked = left + one, asked + of
        how = f"pods pending of {asked}, kube-scheduler 1.36.3, largest first: two clusters of prod, one heavy tail"
        yield Figure("S13", "= 0", float(left), how)

    def s14(self) -> Iterator[Figure]:
        """The replayed series."""
        from bench.sizing_replay import figures  # noqa: PLC0415

        yield from figures()


def optimum(problem: Problem) -> float:  # noqa: C901 - one enumeration
    """The cheapest mix of nodes of a problem with one pool that packs and that kube-scheduler takes."""
    from sizing.compiled import compile_problem  # noqa: PLC0415
    from sizing.exactly import exactly  # noqa: PLC0415
    from sizing.pools import FIRST, SPREAD, finish, pack  # noqa: PLC0415

    compiled = compile_problem(problem)
    if isinstance(compiled, Infeasible):
        return float("inf")
    part, volume = compiled.pools[0], compiled.counts @ compiled.classes.sizes
    mixes = []
    for numbers in itertools.product(range(part.wish.max + 1), repeat=len(part.types)):
        used = [t for t, n in enumerate(numbers) if n]
        if used and sum(numbers) < part.wish.max and len(used) <= part.wish.slots:
            room = sum(part.room[t] * numbers[t] for t in used)
            least = float(np.array(numbers) @ part.price) + min(float(part.price[t]) for t in used)
            if (room >= volume).all():
                mixes.append((least, numbers, used))
    best = float("inf")
    for least, numbers, used in sorted(mixes):
        if least >= best:
            break
        for order, manner in itertools.product(itertools.permutations(used), (FIRST, SPREAD)):
            trial = np.array([[numbers[t] for t in order]])
            if not pack(compiled, 0, order, trial, compiled.counts, manner)[1].left.any():
                whole = finish(compiled, 0, order, trial[0], compiled.counts, manner)
                best = min(best, whole.cost if whole else best)
        for order, spare in itertools.product(itertools.permutations(used), used):
            slots = tuple((t, numbers[t], int(t == spare)) for t in order)
            if part.cost(slots) < best:
                exact = exactly(compiled, 0, slots, compiled.counts)
                best = min(best, exact.cost if exact else best)
    return best


def main() -> None:
    """Measure, print, write."""
    parser = arguments(__doc__, OUTPUT)
    parser.add_argument("--most", type=int, default=2000, help="leave out instances above so many pods")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="instances solved at once")
    chosen = parser.parse_args()
    bench = Bench(chosen.most, chosen.jobs)
    known: dict[str, Callable[[], Iterator[Figure]]] = {
        "S1": bench.s1, "S2": bench.s2, "S3": bench.s3, "S5": bench.s5, "S6": bench.s6, "S7": bench.s7, "S8": bench.s8,
        "S9": bench.s9, "S11": bench.s11, "S12": bench.s12, "S13": bench.s13, "S14": bench.s14,
    }  # fmt: skip
    old: list[dict[str, Any]] = json.loads(chosen.output.read_text())["figures"] if chosen.output.exists() else []
    figures: list[Figure] = []
    for name in asked(parser, chosen.only, known):
        sys.stderr.write(f"measuring {name}\n")
        try:
            figures += list(known[name]())
        except Exception as error:  # noqa: BLE001 - one figure must not hide the others
            figures.append(Figure(name, "", None, f"not measured: {type(error).__name__}: {str(error)[:200]}"))
        old = [row for row in old if chosen.only and row["id"].split("-")[0] != name]
        write(figures, chosen.output, old)  # after each: a run that is stopped keeps the rest
    table(figures)


if __name__ == "__main__":
    main()
