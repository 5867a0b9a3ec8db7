"""What helps the circuit: other ramps, more layers, CVaR selection, recursive fixing; paired over seeds, by its twin.

Every variant spends 256 shots on the same hard tables (one per seed). The twin gives exact probabilities, so a hit's
chance is 1 - (1 - p)^shots; what selects by samples draws them with a seed. The ramps are chosen on `TRAIN` seeds and
judged on `TEST` seeds.
"""

from __future__ import annotations

import numpy as np

from bench.sizing_hard import SHOTS, tables
from sizing import quantum
from sizing.packing import Floats

TRAIN = (11, 23, 47)
TEST = (5, 6, 7, 8, 9, 10)
RAMPS = {
    "ramp 0.6, 16 layers": (0.6, 16),
    "gamma 1.0": (1.0, 16),
    "32 layers": (0.6, 32),
    "gamma 1.0, 32 layers": (1.0, 32),
}
BASE = "ramp 0.6, 16 layers"
T_95 = {2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571}  # Student's t, two-sided, by degrees of freedom


def ramp(gamma: float, layers: int) -> quantum.Ramp:
    """The linear ramp with another slope of gamma."""
    plain = quantum.Ramp.linear(layers)
    return quantum.Ramp(tuple(g * gamma / quantum.RAMP for g in plain.gammas), plain.betas)


def _chance(found: Floats, best: Floats, shots: int) -> float:
    return float(1 - (1 - min(1.0, float(found[best].sum()))) ** shots)


def _chances(cost: Floats, seed: int) -> dict[str, float]:
    best = np.asarray(cost <= cost.min() + 1e-6)
    rng = np.random.default_rng(seed)
    seen = {name: quantum.probabilities(cost, ramp=ramp(*of)) for name, of in RAMPS.items()}
    made = {name: _chance(found, best, SHOTS) for name, found in seen.items()}
    made["uniform"] = _chance(np.full(len(cost), 1 / len(cost)), best, SHOTS)
    pilot = SHOTS // (2 * len(seen))  # CVaR: the ramp whose best tenth of a pilot is cheapest gets the other half
    drawn = {name: np.sort(cost[rng.choice(len(cost), pilot, p=p / p.sum())]) for name, p in seen.items()}
    chosen = min(drawn, key=lambda name: float(drawn[name][: max(1, pilot // 10)].mean()))
    missed = np.prod([(1 - min(1.0, float(p[best].sum()))) ** pilot for p in seen.values()])
    made["CVaR selection"] = 1 - float(missed) * (1 - _chance(seen[chosen], best, SHOTS // 2))
    made["recursive fixing"] = _fixing(cost, best, seen[BASE], rng)
    return made


def _fixing(cost: Floats, best: Floats, found: Floats, rng: np.random.Generator) -> float:
    """Half the shots show which half of the qubits is most settled; the circuit of the others gets the other half."""
    qubits = len(cost).bit_length() - 1
    states = rng.choice(len(cost), SHOTS // 2, p=found / found.sum())
    cheap = states[np.argsort(cost[states], kind="stable")[: SHOTS // 8]]
    ones = np.array([((cheap >> q) & 1).mean() for q in range(qubits)])
    settled = np.argsort(-np.abs(ones - 0.5), kind="stable")[: qubits // 2]
    every = np.arange(len(cost))
    inside = np.ones(len(cost), dtype=bool)
    for q in settled:
        inside &= ((every >> q) & 1) == (ones[q] > 0.5)
    rest = every[inside]
    second = quantum.probabilities(cost[rest]) if np.ptp(cost[rest]) > 0 else np.full(len(rest), 1 / len(rest))
    return 1 - (1 - _chance(found, best, SHOTS // 2)) * (1 - _chance(second, best[rest], SHOTS // 2))


def paired(qubits: int = 16) -> tuple[str, float, str]:
    """(the ramp chosen on the training seeds, its chance on the test seeds, what each variant gained over the base)."""
    rows: dict[int, dict[str, float]] = {}
    for number, cost in tables(qubits, len(TRAIN) + len(TEST), (*TRAIN, *TEST), each=1):
        rows[number // 100] = _chances(cost, number)
    train = [rows[s] for s in TRAIN if s in rows]
    test = [rows[s] for s in TEST if s in rows]
    chosen = max(RAMPS, key=lambda name: float(np.mean([row[name] for row in train])))
    told = []
    for name in test[0]:
        gain = np.array([row[name] - row[BASE] for row in test])
        half = T_95.get(len(gain) - 1, 2.6) * float(gain.std(ddof=1)) / len(gain) ** 0.5
        told.append(f"{name} {np.mean([row[name] for row in test]):.2f} ({gain.mean():+.2f} +- {half:.2f})")
    return chosen, float(np.mean([row[chosen] for row in test])), f"{len(test)} test seeds: {'; '.join(told)}"
