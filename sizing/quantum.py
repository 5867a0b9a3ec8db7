"""A sampler of low-cost states: QAOA with a fixed linear ramp on Aer, index encoding, three diagonals a layer.

The table of costs already contains the answer, so on a simulator this saves nothing; it is a circuit fit for hardware
(two-body phases only), and every result carries its control run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final

import numpy as np

from sizing.packing import Floats
from sizing.statevector import Statevector

RAMP: Final = 0.6
LAYERS: Final = 16
GROUPS: Final = 3  # of qubits; a diagonal spans two of them
SMALL: Final = 8  # qubits that one diagonal spans at once
MOST_QUBITS: Final = 20
FLAT: Final = 1e-12  # a spread below this is none
RIDGE: Final = 1e-6
DIGITS: Final = 7  # of a coefficient: what linear algebra leaves beyond differs between machines


@dataclass(frozen=True)
class Ramp:
    """Angles of the layers: gamma rises, beta (negative) fades. The wrong sign of beta finds the maximum."""

    gammas: tuple[float, ...]
    betas: tuple[float, ...]

    @classmethod
    def linear(cls, layers: int = LAYERS) -> Ramp:
        """gamma_l = 0.6 (l+1/2)/p on a phase of unit variance, beta_l = -0.6 (1-(l+1/2)/p)."""
        steps = [(layer + 0.5) / layers for layer in range(layers)]
        return cls(tuple(RAMP * s for s in steps), tuple(-RAMP * (1 - s) for s in steps))


def rank(cost: Floats) -> Floats:
    """How many states are cheaper than each one; equal costs (to 1e-6) share a rank."""
    _, level, times = np.unique(np.round(cost, 6), return_inverse=True, return_counts=True)
    cheaper: Floats = (np.cumsum(times) - times).astype(float)[level]
    return cheaper


def log_rank(cost: Floats) -> Floats:
    """log2(1 + how many states are cheaper); zero mean, unit variance; zeros when flat."""
    return _octaves(rank(cost))


def _octaves(cheaper: Floats) -> Floats:
    phase = np.log2(1.0 + cheaper)
    phase = phase - phase.mean()
    spread = float(phase.std())
    return phase / spread if spread > FLAT else np.zeros_like(phase)


def walsh(values: Floats) -> Floats:
    """Walsh-Hadamard coefficients: values[x] = sum_S coefficient[S] * (-1)^|x & S|."""
    out = values.astype(float).copy()
    step = 1
    while step < len(out):
        pairs = out.reshape(-1, 2, step)
        out = np.stack([pairs[:, 0] + pairs[:, 1], pairs[:, 0] - pairs[:, 1]], axis=1).reshape(-1)
        step *= 2
    return out / len(out)


def two_body(phase: Floats, weight: Floats | None = None) -> dict[tuple[int, ...], float]:
    """Coefficients of the one- and two-qubit Walsh functions nearest to the phase, scaled to unit variance.

    `weight` (state) says how much each state's distance counts; by default all count the same (a projection).
    """
    qubits = len(phase).bit_length() - 1
    terms = [(q,) for q in range(qubits)] + list(combinations(range(qubits), 2))
    index = np.array([0, *(sum(1 << q for q in term) for term in terms)])
    if weight is None:
        found = walsh(phase)[index]
    else:  # normal equations: the mean of a product of Walsh functions is again a Walsh coefficient of the weight
        even = weight / weight.mean()
        gram = walsh(even)[index[:, None] ^ index[None, :]]
        found = np.linalg.solve(gram + RIDGE * np.eye(len(index)), walsh(even * phase)[index])
    values = found[1:]
    spread = float(np.sqrt((values * values).sum()))
    if spread < FLAT:
        return {}
    return {term: round(float(value) / spread, DIGITS) for term, value in zip(terms, values, strict=True)}


def terms_of(cost: Floats) -> dict[tuple[int, ...], float]:
    """The two-body phase of a table: its log-rank, fitted so that every octave of rank counts the same.

    All states alike, the projection describes the many dear ones: on hard tables (fewer than 0.2 % of states optimal)
    R^2 is 0.6 and the optimum is met in 256 shots in 45 of 100 cases; with octaves alike in 100 of 100. Like the
    log-rank itself the weights know the whole table.
    """
    cheaper = rank(cost)
    return two_body(_octaves(cheaper), 1 / (1 + cheaper))


def blocks(terms: Mapping[tuple[int, ...], float], qubits: int) -> list[tuple[tuple[int, ...], Floats]]:
    """The phase as three diagonals that together hold every pair: (qubits, phase of each of their states).

    A diagonal of Aer costs about the same from 8 to 13 qubits, so few wide ones win. Its kernel branches on every bit:
    the groups are dealt in turn, because a table over all the low qubits is three times slower (mispredicted).
    """
    groups = [range(first, qubits, GROUPS) for first in range(GROUPS)]
    pairs = [tuple(sorted([*one, *two])) for one, two in combinations(groups, 2)]
    spans = [tuple(range(qubits))] if qubits <= SMALL else pairs
    home = {span: np.zeros(1 << len(span)) for span in spans}
    for term, value in terms.items():
        span = next(span for span in spans if set(term) <= set(span))
        bits = np.arange(len(home[span]))
        sign = np.ones(len(bits))
        for q in term:
            sign *= 1 - 2 * ((bits >> span.index(q)) & 1)
        home[span] += value * sign
    return list(home.items())


def evolve(
    diagonals: Sequence[tuple[tuple[int, ...], Floats]], qubits: int, seed: int, ramp: Ramp | None = None
) -> Statevector:
    """The circuit on Aer, ready to be measured: all states alike, then per layer the phase and RX on every qubit."""
    ramp, state = ramp or Ramp.linear(), Statevector(qubits, seed)
    for gamma, beta in zip(ramp.gammas, ramp.betas, strict=True):
        for inside, table in diagonals:
            state.phase(inside, gamma * table)
        state.rx(2 * beta)
    return state


def rotations(cost: Floats, ramp: Ramp | None = None) -> Any:
    """The same two-body circuit as RZ, RZZ and RX gates: what hardware runs and what OpenQASM can say."""
    from qiskit import QuantumCircuit  # noqa: PLC0415

    qubits = len(cost).bit_length() - 1
    terms, ramp = terms_of(cost), ramp or Ramp.linear()
    made = QuantumCircuit(qubits, qubits)
    made.h(range(qubits))
    for gamma, beta in zip(ramp.gammas, ramp.betas, strict=True):
        for term, value in sorted(terms.items()):
            if len(term) == 1:
                made.rz(2 * gamma * value, term[0])
            else:
                made.rzz(2 * gamma * value, *term)
        made.rx(2 * beta, range(qubits))
    made.measure(range(qubits), range(qubits))
    return made


def openqasm(cost: Floats, ramp: Ramp | None = None) -> str:
    """The circuit of `rotations` as OpenQASM 3 (tables of phases cannot be exported)."""
    from qiskit import qasm3  # noqa: PLC0415

    return str(qasm3.dumps(rotations(cost, ramp)))


def noisy(cost: Floats, shots: int, seed: int, *, one: float = 0.001, two: float = 0.01) -> dict[int, int]:
    """Samples of `rotations` under depolarising noise: error probabilities of one- and two-qubit gates."""
    from qiskit_aer import AerSimulator  # noqa: PLC0415
    from qiskit_aer.noise import NoiseModel, depolarizing_error  # noqa: PLC0415

    model = NoiseModel(basis_gates=["h", "rx", "rz", "rzz"])
    model.add_all_qubit_quantum_error(depolarizing_error(one, 1), ["h", "rx"])
    model.add_all_qubit_quantum_error(depolarizing_error(two, 2), ["rzz"])
    machine = AerSimulator(method="statevector", noise_model=model, seed_simulator=seed, max_parallel_threads=1)
    counts = machine.run(rotations(cost), shots=shots).result().get_counts()
    return {int(bits, 2): int(times) for bits, times in sorted(counts.items())}


def sample(cost: Floats, shots: int, seed: int, *, exact: bool = False, ramp: Ramp | None = None) -> dict[int, int]:
    """Sampled states and how often, by the two-body phase (or the exact diagonal); the same for the same seed."""
    qubits = len(cost).bit_length() - 1
    if 1 << qubits != len(cost) or not 1 <= qubits <= MOST_QUBITS:
        raise ValueError(f"{len(cost)} states: a power of two, at most 2^{MOST_QUBITS}, is needed")
    diagonals = [(tuple(range(qubits)), log_rank(cost))] if exact else blocks(terms_of(cost), qubits)
    return evolve(diagonals, qubits, seed, ramp).samples(shots)


def sample_terms(
    terms: dict[tuple[int, ...], float], qubits: int, shots: int, seed: int, ramp: Ramp | None = None
) -> dict[int, int]:
    """The same from a two-body phase that was written down: what evidence carries of a circuit."""
    return evolve(blocks(terms, qubits), qubits, seed, ramp).samples(shots)


def probabilities(cost: Floats, *, exact: bool = False, ramp: Ramp | None = None) -> Floats:
    """The numpy twin: the probability of every state after the same circuit, without Aer."""
    return evolved(log_rank(cost) if exact else table_of(terms_of(cost), len(cost).bit_length() - 1), ramp)


def table_of(terms: Mapping[tuple[int, ...], float], qubits: int) -> Floats:
    """The two-body phase of every state."""
    coefficients = np.zeros(1 << qubits)
    for term, value in terms.items():
        coefficients[sum(1 << q for q in term)] = value
    return walsh(coefficients) * len(coefficients)


def evolved(phase: Floats, ramp: Ramp | None = None) -> Floats:
    """The probability of every state after the layers of a ramp on this phase."""
    ramp = ramp or Ramp.linear()
    state = np.full(len(phase), 1 / np.sqrt(len(phase)), dtype=complex)
    for gamma, beta in zip(ramp.gammas, ramp.betas, strict=True):
        state = state * np.exp(-1j * gamma * phase)
        for q in range(len(phase).bit_length() - 1):
            pair = state.reshape(-1, 2, 1 << q)
            zero, one = pair[:, 0].copy(), pair[:, 1].copy()
            c, s = np.cos(beta), -1j * np.sin(beta)
            state = np.stack([c * zero + s * one, s * zero + c * one], axis=1).reshape(-1)
    out: Floats = np.abs(state) ** 2
    return out
