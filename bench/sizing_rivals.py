"""Side by side with other people's tools, in a virtual environment of their own: QOKit, qiskit-optimization, D-Wave.

They are not among the locked packages (their dependencies clash with ours), so the bench makes `.toolchain/rivals` on
first use and pins them here. What does not install or run is told with its own words. Run inside that environment this
file reads tables of costs (an .npz) and prints one JSON object. Every figure is CPU time of one thread, the two sides
in turn.

QOKit's C simulator can be had in three builds (`BUILDS`). `makefile` is what its users get: its Python loads only a
`libcsim.so`, which no package of 0.1.4 brings (after `pip install` it raises ImportError, "You must compile the C
simulator before running the code"), and the one way to make that is the makefile of its repository
(qokit/fur/c/csim/src/makefile, read 2026-11-22), whose CFLAGS are "-fopenmp -fPIC -Wall": no optimisation. `O2` is the
same source with -O2. `wheel` is the binary that setuptools leaves in the wheel, `simulator.cpython-*.so` (by its debug
information gcc 10.2.1 -O3 -march=x86-64, no OpenMP): nothing of QOKit loads it, in the place of `libcsim.so` it works.
No package brings the headers of the sources: they are written here from the definitions.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
HOME = PROJECT / ".toolchain" / "rivals"
PINS = ("numpy==2.1.3", "qiskit==2.2.3", "qiskit-aer==0.18.2", "qiskit-optimization==0.7.0", "dwave-samplers==1.8.0",
        "qokit==0.1.4")  # fmt: skip
SHOTS = 256
EVALUATED = (16, 18, 20)
LAYERS = 3
REPEATS = 7
SAME = 1e-9
PATIENCE = 900  # seconds for one step of an installation
BUILDS = {"makefile": "-O0", "O2": "-O2", "wheel": ""}
"""Of the C simulator, by name: the flag that it is compiled with, or none for the binary that nothing loads."""
SHIPPED = "makefile"
ITERATIONS = 30  # of qiskit-optimization's search for angles, each with `SHOTS`
SHORT, MANY = 5, 1024
"""Layers and shots of our ramp (gamma to 1.0) beside it: it searches for no angles, so its shots come at the end."""
SOURCES = ("diagonal", "fur", "qaoa_fur")


def environment() -> Path:
    """The interpreter of the rivals' own environment; made on first use (RuntimeError tells what failed)."""
    python = HOME / "bin" / "python"
    done = HOME / "pins.json"
    if done.exists() and json.loads(done.read_text()) == list(PINS):
        return python
    for step in (
        (sys.executable, "-m", "venv", "--clear", str(HOME)),
        (str(python), "-m", "pip", "install", "-q", *PINS),
    ):
        try:
            ran = subprocess.run(step, capture_output=True, text=True, check=False, timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"{' '.join(step[1:3])}: no end after {PATIENCE} s") from None
        if ran.returncode:
            raise RuntimeError(f"{step[2]}: {ran.stderr.strip()[-300:]}")
    done.write_text(json.dumps(PINS))
    return python


def compiled(flag: str) -> str | None:
    """Put QOKit's C simulator in its place, compiled with one flag; None when it went well, else what went wrong."""
    home = next(HOME.glob("lib/python*/site-packages/qokit/fur/c/csim"), None)
    if home is None:
        return "the package brings no C source"
    (home / "libcsim.so").unlink(missing_ok=True)
    if not flag:
        own = next(home.parents[3].glob("simulator.cpython-*.so"), None)
        if own is None:
            return "the wheel brings no binary"
        shutil.copy(own, home / "libcsim.so")
        return None
    heads = HOME / "heads"
    heads.mkdir(exist_ok=True)
    for name in SOURCES:
        text = (home / "src" / f"{name}.c").read_text()
        made = "".join(f"{found};\n" for found in re.findall(r"^void [^{;]*?\)(?=\s*\{)", text, re.MULTILINE))
        (heads / f"{name}.h").write_text(f"#pragma once\n#include <stddef.h>\n{made}")
    sources = [str(home / "src" / f"{name}.c") for name in SOURCES]
    step = [
        "cc",
        flag,
        "-fopenmp",
        "-fPIC",
        "-Wall",
        "-shared",
        "-I",
        str(heads),
        *sources,
        "-lm",
        "-o",
        str(home / "libcsim.so"),
    ]
    ran = subprocess.run(step, capture_output=True, text=True, check=False)
    return ran.stderr.strip()[-200:] if ran.returncode else None


def measured(tables: dict[str, Any]) -> dict[str, Any]:
    """What the rivals and our circuit do on these tables, run in the rivals' environment."""
    import numpy as np  # noqa: PLC0415

    python = str(environment())
    made: dict[str, Any] = {"evaluations": {}}
    for name, flag in BUILDS.items():
        wrong = compiled(flag)
        made["evaluations"][name] = wrong or _inside(python, "evaluations")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tables.npz"
        np.savez(path, **tables)
        return {**made, **_inside(python, "searches", str(path))}


def _inside(python: str, *what: str) -> dict[str, Any]:
    """This file in the rivals' environment, one thread."""
    run = [python, "-W", "ignore", "-m", "bench.sizing_rivals", *what]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    out = subprocess.run(run, cwd=PROJECT, capture_output=True, text=True, check=False, env=env)
    if out.returncode:
        raise RuntimeError(out.stderr.strip()[-300:])
    made: dict[str, Any] = json.loads(out.stdout.splitlines()[-1])
    return made


def _evaluations() -> Iterator[tuple[str, Any]]:
    """Milliseconds of one evaluation, (ours, QOKit's C): the same circuit, from its angles.

    Ours ends with 256 samples, theirs with the state. What a state costs is written down before in both: ours as three
    tables of the two-body phase, theirs as one value for each state.
    """
    import numpy as np  # noqa: PLC0415
    from qokit.fur import choose_simulator  # type: ignore[import-not-found]  # noqa: PLC0415

    from sizing import quantum  # noqa: PLC0415

    for qubits in EVALUATED:
        terms = quantum.two_body(quantum.log_rank(np.random.default_rng(qubits).random(1 << qubits)))
        ramp, spans = quantum.Ramp.linear(LAYERS), quantum.blocks(terms, qubits)
        rival = choose_simulator(name="c")(qubits, costs=2 * quantum.table_of(terms, qubits))  # it halves gamma
        took: list[tuple[float, float]] = []
        for _ in range(REPEATS + 1):  # the first one of each is not measured
            start = time.process_time()
            quantum.evolve(spans, qubits, 1, ramp).samples(SHOTS)
            middle = time.process_time()
            end = rival.simulate_qaoa(list(ramp.gammas), list(ramp.betas))
            took.append((middle - start, time.process_time() - middle))
        apart = np.abs(rival.get_probabilities(end) - quantum.evolve(spans, qubits, 1, ramp).probabilities()).max()
        if apart > SAME:
            raise ArithmeticError(f"{qubits} qubits: the two sides' probabilities are {apart} apart")
        yield str(qubits), [round(1000 * float(np.median(side)), 1) for side in zip(*took[1:], strict=True)]


def _rivals(tables: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Seconds and hits of the optimum of the two-body energy, over the tables."""
    from sizing import quantum  # noqa: PLC0415

    found: dict[str, list[tuple[float, bool]]] = {"ramp on Aer": [], "qiskit-optimization": [], "dwave": []}
    wrong: dict[str, str] = {}
    for number, cost in enumerate(tables.values()):
        qubits = len(cost).bit_length() - 1
        terms = quantum.terms_of(cost)
        energy = quantum.table_of(terms, qubits)
        least = energy.min() + 1e-6
        for name, run in (("ramp on Aer", _ramp), ("qiskit-optimization", _qiskit), ("dwave", _dwave)):
            try:
                if not number:  # what is imported on first use is not measured
                    run(terms, qubits, number)
                start = time.process_time()
                seen = run(terms, qubits, number)
                found[name].append((time.process_time() - start, any(energy[s] <= least for s in seen)))
            except Exception as error:  # noqa: BLE001 - told in its own words
                wrong[name] = f"{type(error).__name__}: {error}"[:200]
    for name, rows in found.items():
        hits = sum(hit for _, hit in rows)
        yield (
            name,
            {
                "seconds": round(sorted(t for t, _ in rows)[len(rows) // 2], 4) if rows else None,
                "hits": hits,
                "of": len(rows),
                "wrong": wrong.get(name),
            },
        )


def _ramp(terms: Any, qubits: int, seed: int) -> list[int]:
    from sizing import quantum  # noqa: PLC0415

    plain = quantum.Ramp.linear(SHORT)
    steep = quantum.Ramp(tuple(gamma / quantum.RAMP for gamma in plain.gammas), plain.betas)
    return list(quantum.sample_terms(terms, qubits, MANY, seed, steep))


def _qiskit(terms: Any, qubits: int, seed: int) -> list[int]:
    from qiskit.quantum_info import SparsePauliOp  # noqa: PLC0415
    from qiskit.transpiler import generate_preset_pass_manager  # noqa: PLC0415
    from qiskit_aer import AerSimulator  # noqa: PLC0415
    from qiskit_aer.primitives import SamplerV2  # noqa: PLC0415
    from qiskit_optimization.minimum_eigensolvers import QAOA  # type: ignore[import-not-found]  # noqa: PLC0415
    from qiskit_optimization.optimizers import COBYLA  # type: ignore[import-not-found]  # noqa: PLC0415
    from qiskit_optimization.utils import algorithm_globals  # type: ignore[import-not-found]  # noqa: PLC0415

    algorithm_globals.random_seed = seed
    operator = SparsePauliOp.from_sparse_list([("Z" * len(t), list(t), v) for t, v in terms.items()], qubits)
    sampler = SamplerV2(default_shots=SHOTS, seed=seed, options={"backend_options": {"max_parallel_threads": 1}})
    passes = generate_preset_pass_manager(optimization_level=1, backend=AerSimulator(method="statevector"))
    solver = QAOA(sampler, COBYLA(maxiter=ITERATIONS), reps=LAYERS, pass_manager=passes)
    result = solver.compute_minimum_eigenvalue(operator)
    return [int(result.best_measurement["bitstring"], 2)]


def _dwave(terms: Any, qubits: int, seed: int) -> list[int]:
    from dwave.samplers import SimulatedAnnealingSampler  # type: ignore[import-not-found]  # noqa: PLC0415

    fields = {t[0]: v for t, v in terms.items() if len(t) == 1}
    pairs = {t: v for t, v in terms.items() if len(t) == 2}
    best = SimulatedAnnealingSampler().sample_ising(fields, pairs, num_reads=32, num_sweeps=100, seed=seed).first.sample
    return [sum((best[q] < 0) << q for q in range(qubits))]


if __name__ == "__main__":
    import numpy as np

    found = _evaluations() if sys.argv[1] == "evaluations" else _rivals(dict(np.load(sys.argv[2])))
    print(json.dumps(dict(found)))
