"""What helps the circuit on hard tables: how its phase is fitted, ramps, layers, warm start, CVaR, fixing; by its twin.

Every variant spends 256 shots on the same hard tables, one per seed. The twin gives exact probabilities, so a hit's
chance is 1 - (1 - p)^shots; what selects by samples draws them with a seed. Ramps are chosen on `TRAIN` seeds and
judged on `TEST` seeds, paired with the base: the plain projection of the log-rank and the ramp of 16 layers.

`from samples` is the only one that does not know the whole table: half of its 256 evaluations are drawn evenly, a
two-body phase is fitted to them (octaves alike, ridge), and the circuit's samples are fitted again after a quarter.
Beside the circuits: uniform sampling and simulated annealing with 256 evaluations. Exhaustive search of the table finds
every optimum, with 65,536 evaluations.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from bench.sizing_hard import SHOTS, tables
from sizing import quantum
from sizing.packing import Floats
from sizing.pools import Ints
from sizing.subsolvers import annealing

TRAIN = (11, 23, 47)
TEST = (5, 6, 7, 8, 9, 10, 12, 13)
RAMPS = {
    "projection, ramp 0.6, 16 layers": (0.6, 16),
    "projection, gamma 1.0": (1.0, 16),
    "projection, 32 layers": (0.6, 32),
    "projection, gamma 1.0, 32 layers": (1.0, 32),
}
BASE = "projection, ramp 0.6, 16 layers"
DRAWS = 4  # repetitions of what draws samples
SHIFT = 0.5  # of a warm start: how far from even
RIDGE = 0.3
T_95 = {2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365}  # Student's t, two-sided, by degrees of freedom


def ramp(gamma: float, layers: int) -> quantum.Ramp:
    """The linear ramp with another slope of gamma."""
    plain = quantum.Ramp.linear(layers)
    return quantum.Ramp(tuple(g * gamma / quantum.RAMP for g in plain.gammas), plain.betas)


def _chance(found: Floats, best: Floats, shots: int) -> float:
    return float(1 - (1 - min(1.0, float(found[best].sum()))) ** shots)


def _chances(cost: Floats, seed: int) -> dict[str, float]:
    qubits = len(cost).bit_length() - 1
    best = np.asarray(cost <= cost.min() + 1e-6)
    rng = np.random.default_rng(seed)
    plain = quantum.table_of(quantum.two_body(quantum.log_rank(cost)), qubits)
    seen = {name: quantum.evolved(plain, ramp(*of)) for name, of in RAMPS.items()}
    made = {name: _chance(found, best, SHOTS) for name, found in seen.items()}
    half = quantum.two_body(quantum.log_rank(cost), (1 + quantum.rank(cost)) ** -0.5)
    made["half-way weights"] = _chance(quantum.evolved(quantum.table_of(half, qubits)), best, SHOTS)
    made["octaves alike (what runs)"] = _chance(quantum.probabilities(cost), best, SHOTS)
    made["exact diagonal"] = _chance(quantum.probabilities(cost, exact=True), best, SHOTS)
    made["warm start chunk by chunk"] = _chance(_warm(plain, cost), best, SHOTS)
    pilot = SHOTS // (2 * len(seen))  # CVaR: the ramp whose best tenth of a pilot is cheapest gets the other half
    drawn = {name: np.sort(cost[rng.choice(len(cost), pilot, p=p / p.sum())]) for name, p in seen.items()}
    chosen = min(drawn, key=lambda name: float(drawn[name][: max(1, pilot // 10)].mean()))
    missed = np.prod([(1 - min(1.0, float(p[best].sum()))) ** pilot for p in seen.values()])
    made["CVaR selection"] = 1 - float(missed) * (1 - _chance(seen[chosen], best, SHOTS // 2))
    made["recursive fixing"] = _fixing(cost, best, seen[BASE], rng)
    made["from samples"] = float(np.mean([_sampled(cost, best, rng) for _ in range(DRAWS)]))
    made["uniform"] = _chance(np.full(len(cost), 1 / len(cost)), best, SHOTS)
    made["annealing"] = float(np.mean([best[annealing(cost, SHOTS, seed + n).state] for n in range(5 * DRAWS)]))
    return made


def _warm(phase: Floats, cost: Floats) -> Floats:
    """A start drawn to what each chunk would choose alone (two qubits a chunk), and the mixer whose ground it is.

    D. J. Egger, J. Marecek, S. Woerner, Warm-starting quantum optimization, Quantum 5, 479 (2021).
    """
    qubits, level = len(cost).bit_length() - 1, quantum.log_rank(cost)
    states = np.arange(len(cost))
    half = np.full(qubits, 0.5)  # the chance of a one
    for first in range(0, qubits - 1, 2):
        alone = [float(level[((states >> first) & 3) == choice].mean()) for choice in range(4)]
        choice = int(np.argmin(alone))
        for k in (0, 1):
            half[first + k] += SHIFT * (0.5 if (choice >> k) & 1 else -0.5)
    angle = 2 * np.arcsin(np.sqrt(half))
    state = np.ones(1, dtype=complex)
    for q in range(qubits):
        state = np.kron([np.cos(angle[q] / 2), np.sin(angle[q] / 2)], state)
    plain = quantum.Ramp.linear()
    for gamma, beta in zip(plain.gammas, plain.betas, strict=True):
        state = state * np.exp(-1j * gamma * phase)
        for q in range(qubits):
            pair = state.reshape(-1, 2, 1 << q)
            zero, one = pair[:, 0].copy(), pair[:, 1].copy()
            c, s, x, z = np.cos(beta), -1j * np.sin(beta), np.sin(angle[q]), np.cos(angle[q])
            turned = [(c + s * z) * zero + s * x * one, s * x * zero + (c - s * z) * one]
            state = np.stack(turned, axis=1).reshape(-1)
    made: Floats = np.abs(state) ** 2
    return made


def _sampled(cost: Floats, best: Floats, rng: np.random.Generator) -> bool:
    """Whether 256 evaluations meet the optimum when the phase is fitted to what was evaluated before."""
    known = rng.integers(0, len(cost), SHOTS // 2)
    for _ in range(2):
        if best[known].any():
            return True
        found = quantum.evolved(_fitted(np.unique(known), cost), quantum.Ramp.linear(12))
        known = np.concatenate([known, rng.choice(len(cost), SHOTS // 4, p=found / found.sum())])
    return bool(best[known].any())


def _fitted(known: Ints, cost: Floats) -> Floats:
    """The two-body phase of all states from some of them: log-rank among these, octaves alike, ridge."""
    qubits = len(cost).bit_length() - 1
    terms = [(q,) for q in range(qubits)] + list(combinations(range(qubits), 2))
    spin = 1.0 - 2 * ((known[:, None] >> np.arange(qubits)) & 1)
    made = np.stack([spin[:, list(term)].prod(axis=1) for term in terms], axis=1)
    level = np.log2(1 + quantum.rank(cost[known]))
    weight = 1 / (1 + quantum.rank(cost[known]))
    weight /= weight.sum()
    off, mean = made - weight @ made, level - weight @ level
    found = np.linalg.solve(
        (off * weight[:, None]).T @ off + RIDGE * np.eye(len(terms)), (off * weight[:, None]).T @ mean
    )
    spread = float(np.sqrt((found * found).sum())) or 1.0
    return quantum.table_of(dict(zip(terms, (found / spread).tolist(), strict=True)), qubits)


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
    left = cost[rest]
    terms = quantum.two_body(quantum.log_rank(left))
    second = quantum.evolved(quantum.table_of(terms, len(rest).bit_length() - 1))
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
