"""The circuit samples low costs, agrees with its numpy twin, and never decides alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sizing
from sizing import quantum, subsolvers
from sizing.neighbourhood import Budget, _compare
from sizing.plan import Plan
from sizing.verify import verify
from tests.sizing.factory import problem

ROOT = Path(__file__).parents[2]


def landscape(qubits: int, seed: int = 3) -> np.ndarray:
    """A rough two-body landscape with noise."""
    rng = np.random.default_rng(seed)
    states = np.arange(1 << qubits)
    spin = 1 - 2 * ((states[:, None] >> np.arange(qubits)) & 1)
    pairs = rng.normal(size=(qubits, qubits))
    return spin @ rng.normal(size=qubits) + ((spin @ pairs) * spin).sum(axis=1) + rng.normal(size=len(states))


@pytest.mark.parametrize("exact", [False, True])
def test_aer_and_its_numpy_twin_agree(exact: bool) -> None:  # noqa: FBT001
    cost = landscape(6)
    shots = 20_000
    counts = quantum.sample(cost, shots, seed=5, exact=exact)
    measured = np.array([counts.get(s, 0) / shots for s in range(64)])
    assert np.abs(measured - quantum.probabilities(cost, exact=exact)).max() < 0.015


@pytest.mark.parametrize("qubits", [1, 2, 8, 9, 13])
def test_aers_state_is_the_twins(qubits: int) -> None:
    cost = landscape(qubits)
    state = quantum.evolve(quantum.blocks(quantum.terms_of(cost), qubits), qubits, 1)
    assert np.abs(state.probabilities() - quantum.probabilities(cost)).max() < 1e-9


@pytest.mark.parametrize("qubits", [4, 10])
def test_the_exported_gates_draw_the_same_samples_on_aers_simulator(qubits: int) -> None:
    from qiskit_aer import AerSimulator  # noqa: PLC0415 - slow to import

    cost, seed = landscape(qubits), 11
    machine = AerSimulator(method="statevector", seed_simulator=seed, max_parallel_threads=1)
    counts = machine.run(quantum.rotations(cost), shots=256).result().get_counts()
    assert {int(bits, 2): times for bits, times in counts.items()} == quantum.sample(cost, 256, seed)


def test_sampling_loads_aer_alone_and_leaves_the_package_usable() -> None:
    code = (
        "import sys; import numpy as np; from sizing import quantum; cost = np.arange(16.0)\n"
        "one = quantum.sample(cost, 64, 5); assert 'qiskit' not in sys.modules\n"
        "import qiskit_aer; quantum.noisy(cost, 8, 1); assert quantum.sample(cost, 64, 5) == one"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_the_ramp_finds_the_minimum_and_the_wrong_sign_the_maximum() -> None:
    cost = landscape(8)
    right = quantum.probabilities(cost, exact=True)
    ramp = quantum.Ramp.linear()
    wrong = quantum.probabilities(cost, exact=True, ramp=quantum.Ramp(ramp.gammas, tuple(-b for b in ramp.betas)))
    assert right[cost.argmin()] > 20 / 256
    assert right @ cost < cost.mean() < wrong @ cost
    assert wrong[cost.argmin()] < 1 / 256


def test_the_sum_of_the_blocks_is_the_two_body_phase() -> None:
    phase = quantum.log_rank(landscape(9))
    terms = quantum.two_body(phase)
    states = np.arange(1 << 9)
    expected = sum(
        value * np.prod([1 - 2 * ((states >> q) & 1) for q in term], axis=0) for term, value in terms.items()
    )
    found = np.zeros(1 << 9)
    spans = quantum.blocks(terms, 9)
    assert len(spans) == 3
    for inside, table in spans:
        index = sum(((states >> q) & 1) << k for k, q in enumerate(inside))
        found += table[index]
    assert np.allclose(found, expected)
    assert np.isclose(np.std(expected), 1)


def test_the_exported_circuit_is_the_one_that_runs() -> None:
    from qiskit.quantum_info import Statevector  # noqa: PLC0415 - slow to import

    cost = landscape(5)
    gates = quantum.rotations(cost).remove_final_measurements(inplace=False)
    assert np.abs(np.abs(Statevector(gates).data) ** 2 - quantum.probabilities(cost)).max() < 1e-9
    text = quantum.openqasm(cost)
    assert text.startswith("OPENQASM 3")
    assert "rzz(" in text
    assert "diagonal" not in text


def test_noise_spoils_the_sampling() -> None:
    cost = landscape(6)
    clean, spoilt = quantum.noisy(cost, 512, 3, one=0.0, two=0.0), quantum.noisy(cost, 512, 3, one=0.02, two=0.1)
    mean = [sum(cost[s] * n for s, n in counts.items()) / 512 for counts in (clean, spoilt)]
    assert mean[0] < mean[1]


def test_a_weight_draws_the_fit_to_the_states_that_count() -> None:
    cost = np.exp(landscape(8) / 4)
    cost[200] = cost.min() - 1  # one cheap state among dear ones
    plain, drawn = quantum.two_body(quantum.log_rank(cost)), quantum.terms_of(cost)
    phase = {name: quantum.table_of(terms, 8) for name, terms in (("plain", plain), ("drawn", drawn))}
    assert all(np.isclose(one.std(), 1, atol=1e-5) for one in phase.values())
    assert phase["drawn"][200] < phase["plain"][200]
    assert quantum.evolved(phase["drawn"])[200] > quantum.evolved(phase["plain"])[200]


def test_a_fit_finds_a_two_body_phase_again_whatever_the_weight() -> None:
    terms = quantum.two_body(quantum.log_rank(landscape(7)))
    again = quantum.two_body(quantum.table_of(terms, 7), np.random.default_rng(1).random(128) + 0.01)
    assert all(abs(again[term] - value) < 1e-4 for term, value in terms.items())


def test_a_rank_counts_the_states_that_are_cheaper() -> None:
    assert quantum.rank(np.array([5.0, 1.0, 1.0, 7.0])).tolist() == [2, 0, 0, 3]


def test_a_flat_landscape_divides_by_nothing() -> None:
    assert not quantum.log_rank(np.ones(16)).any()
    assert quantum.two_body(np.zeros(16)) == {}
    assert quantum.terms_of(np.ones(16)) == {}
    assert sum(quantum.sample(np.ones(16), 64, seed=1).values()) == 64


def test_too_many_states_are_refused() -> None:
    with pytest.raises(ValueError, match="power of two"):
        quantum.sample(np.ones(12), 8, seed=1)


@pytest.mark.parametrize("name", sorted(subsolvers.REGISTRY))
def test_every_subsolver_is_seeded_and_picks_a_state_it_saw(name: str) -> None:
    cost = landscape(8)
    one, two = (subsolvers.REGISTRY[name](cost, 64, 9) for _ in range(2))
    assert one == two
    assert one.state in one.histogram
    assert cost[one.state] >= cost.min()


def test_every_run_carries_its_control_run() -> None:
    plan = sizing.solve(problem())
    assert isinstance(plan, Plan)
    assert plan.quantum["status"] == "ran"
    assert plan.quantum["runs"]
    for run in plan.quantum["runs"]:
        assert {"found", "control_found", "optimum", "optimum_shots", "control_optimum_shots"} <= set(run)
        assert run["optimum"] <= run["found"]
        assert run["optimum"] <= run["control_found"]


def test_the_comparison_counts_both_sides_shots() -> None:
    cost = landscape(8)
    picked = subsolvers.qaoa(cost, 256, 1)
    run = _compare(cost, picked.state, picked.histogram, Budget(1, 4), 1, 0)
    assert run["optimum_shots"] > run["control_optimum_shots"]


@pytest.mark.parametrize("wrong", [RuntimeError("Aer gave up"), MemoryError("2^40 amplitudes")])
def test_without_the_circuit_the_classical_plan_stands(monkeypatch: pytest.MonkeyPatch, wrong: BaseException) -> None:
    def fails(*_: object) -> subsolvers.Picked:
        raise wrong

    with_circuit = sizing.solve(problem())
    monkeypatch.setitem(subsolvers.REGISTRY, "qaoa", fails)
    without = sizing.solve(problem())
    assert isinstance(with_circuit, Plan)
    assert isinstance(without, Plan)
    assert without.quantum["status"] == "failed"
    assert str(wrong) in without.quantum["reason"]
    assert verify(problem().to_object(), without.to_object()) == []
    assert without.cost_usd_month >= with_circuit.cost_usd_month - 1e-6
    assert without == type(without).from_object(sizing.solve(problem()).to_object())
