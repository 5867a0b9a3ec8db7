"""Side by side with other people's tools, in a virtual environment of their own: QOKit, qiskit-optimization, D-Wave.

They are not among the locked packages (their dependencies clash with ours), so the bench makes `.toolchain/rivals` on
first use and pins them here. What does not install or run is told with its own words. Run inside that environment this
file reads tables of costs (an .npz) and prints one JSON object.
"""

from __future__ import annotations

import json
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
EVALUATED = (16, 18)
LAYERS = 3


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
        ran = subprocess.run(step, capture_output=True, text=True, check=False)
        if ran.returncode:
            raise RuntimeError(f"{step[2]}: {ran.stderr.strip()[-300:]}")
    done.write_text(json.dumps(PINS))
    return python


def measured(tables: dict[str, Any]) -> dict[str, Any]:
    """What the rivals and our circuit do on these tables, run in the rivals' environment."""
    import numpy as np  # noqa: PLC0415

    python = environment()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "tables.npz"
        np.savez(path, **tables)
        run = [str(python), "-W", "ignore", "-m", "bench.sizing_rivals", str(path)]
        out = subprocess.run(run, cwd=PROJECT, capture_output=True, text=True, check=False)
    if out.returncode:
        raise RuntimeError(out.stderr.strip()[-300:])
    made: dict[str, Any] = json.loads(out.stdout.splitlines()[-1])
    return made


def _evaluations() -> Iterator[tuple[str, Any]]:
    """Seconds of one evaluation: our blocked diagonals on Aer, QOKit's simulators; the least of three."""
    import numpy as np  # noqa: PLC0415

    from sizing import quantum  # noqa: PLC0415

    for qubits in EVALUATED:
        cost = np.random.default_rng(qubits).random(1 << qubits)
        phase = quantum.log_rank(cost)
        diagonals = quantum.blocks(quantum.two_body(phase), qubits)
        ramp = quantum.Ramp.linear(LAYERS)
        ours = []
        for _ in range(3):
            made = quantum.circuit(diagonals, qubits, ramp)
            machine = quantum.simulator(1)
            start = time.process_time()
            machine.run(made, shots=SHOTS).result()
            ours.append(time.process_time() - start)
        yield f"aer_{qubits}", min(ours)
        for name in ("c", "python"):
            try:
                from qokit.fur import choose_simulator  # type: ignore[import-not-found]  # noqa: PLC0415

                simulator = choose_simulator(name=name)(qubits, costs=phase)
                took = []
                for _ in range(3):
                    start = time.process_time()
                    simulator.simulate_qaoa(list(ramp.gammas), list(ramp.betas))
                    took.append(time.process_time() - start)
                yield f"qokit_{name}_{qubits}", min(took)
            except Exception as wrong:  # noqa: BLE001 - told in its own words
                yield f"qokit_{name}_{qubits}", f"{type(wrong).__name__}: {wrong}"[:200]


def _rivals(tables: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Seconds and hits of the optimum of the two-body energy, over the tables."""
    import numpy as np  # noqa: PLC0415

    from sizing import quantum  # noqa: PLC0415

    found: dict[str, list[tuple[float, bool]]] = {"ramp on Aer": [], "qiskit-optimization": [], "dwave": []}
    wrong: dict[str, str] = {}
    for number, cost in enumerate(tables.values()):
        qubits = len(cost).bit_length() - 1
        terms = quantum.two_body(quantum.log_rank(cost))
        states = np.arange(len(cost))
        energy = np.zeros(len(cost))
        for term, value in terms.items():
            energy += value * np.prod([1.0 - 2 * ((states >> q) & 1) for q in term], axis=0)
        least = energy.min() + 1e-6
        for name, run in (("ramp on Aer", _ramp), ("qiskit-optimization", _qiskit), ("dwave", _dwave)):
            try:
                if not number:  # what is imported on first use is not measured
                    run(cost, terms, qubits, number, energy)
                start = time.process_time()
                seen = run(cost, terms, qubits, number, energy)
                found[name].append((time.process_time() - start, any(energy[s] <= least for s in seen)))
            except Exception as error:  # noqa: BLE001 - told in its own words
                wrong[name] = f"{type(error).__name__}: {error}"[:200]
    for name, rows in found.items():
        hits = sum(hit for _, hit in rows)
        yield (
            name,
            {
                "seconds": sorted(t for t, _ in rows)[len(rows) // 2] if rows else None,
                "hits": hits,
                "of": len(rows),
                "wrong": wrong.get(name),
            },
        )


def _ramp(cost: Any, terms: Any, qubits: int, seed: int, energy: Any) -> list[int]:
    from sizing import quantum  # noqa: PLC0415

    _ = cost, terms, qubits
    return list(quantum.sample(energy, SHOTS, seed))


def _qiskit(cost: Any, terms: Any, qubits: int, seed: int, energy: Any) -> list[int]:
    from qiskit.primitives import StatevectorSampler  # noqa: PLC0415
    from qiskit.quantum_info import SparsePauliOp  # noqa: PLC0415
    from qiskit_optimization.minimum_eigensolvers import QAOA  # type: ignore[import-not-found]  # noqa: PLC0415
    from qiskit_optimization.optimizers import COBYLA  # type: ignore[import-not-found]  # noqa: PLC0415

    _ = cost, energy
    operator = SparsePauliOp.from_sparse_list([("Z" * len(t), list(t), v) for t, v in terms.items()], qubits)
    solver = QAOA(StatevectorSampler(default_shots=SHOTS, seed=seed), COBYLA(maxiter=30), reps=LAYERS)
    result = solver.compute_minimum_eigenvalue(operator)
    return [int(result.best_measurement["bitstring"], 2)]


def _dwave(cost: Any, terms: Any, qubits: int, seed: int, energy: Any) -> list[int]:
    from dwave.samplers import SimulatedAnnealingSampler  # type: ignore[import-not-found]  # noqa: PLC0415

    _ = cost, energy
    fields = {t[0]: v for t, v in terms.items() if len(t) == 1}
    pairs = {t: v for t, v in terms.items() if len(t) == 2}
    best = SimulatedAnnealingSampler().sample_ising(fields, pairs, num_reads=32, num_sweeps=100, seed=seed).first.sample
    return [sum((best[q] < 0) << q for q in range(qubits))]


if __name__ == "__main__":
    import numpy as np

    print(json.dumps({**dict(_evaluations()), **dict(_rivals(dict(np.load(sys.argv[1]))))}))
