"""Aer's statevector, driven through its native state: phases and rotations go in as they are.

`AerSimulator.run` first turns Qiskit's circuit objects into Aer's own: for tables of phases that takes as long as
applying them, and importing Qiskit takes 0.35 CPU seconds and 60 MB. The native state (`qiskit_aer.AerStatevector`
stands on it) has the same kernels, sampler and seed: its histograms are those of `AerSimulator`, which a test compares.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import sys
import threading
from collections.abc import Sequence
from types import ModuleType
from typing import Any, Final

import numpy as np

from sizing.packing import Floats

NATIVE: Final = "qiskit_aer.backends.controller_wrappers"
OPTIONS: Final = {
    "method": "statevector",
    "device": "CPU",
    "precision": "double",
    "parallel_state_update": "1",
    "max_parallel_threads": "1",
    "fusion_enable": "false",
}
QUARTER: Final = float(np.pi / 2)
_LOADING: Final = threading.Lock()


class Statevector:
    """Qubits in the even superposition of all states (Hadamard on each), to which layers are applied.

    Double precision, one thread, no fusion; the same samples for the same seed.
    """

    def __init__(self, qubits: int, seed: int) -> None:
        self._all = list(range(qubits))
        self._native: Any = _native().AerStateWrapper()
        for key, value in OPTIONS.items():
            self._native.configure(key, value)
        self._native.set_seed(seed)
        even = np.full(1 << qubits, 2 ** (-qubits / 2), dtype=complex)
        self._native.initialize_statevector(qubits, even, True)  # noqa: FBT003 - copied: Aer frees what it holds

    def phase(self, qubits: Sequence[int], angles: Floats) -> None:
        """exp(-i angle) for every state of some qubits (bit k of the index is qubit k of the list)."""
        self._native.apply_diagonal(list(qubits), np.exp(-1j * angles).tolist())

    def rx(self, angle: float) -> None:
        """RX(angle) = U(angle, -pi/2, pi/2) on every qubit."""
        for qubit in self._all:
            self._native.apply_u(qubit, angle, -QUARTER, QUARTER)

    def samples(self, shots: int) -> dict[int, int]:
        """States measured and how often, in order of the state."""
        counts: dict[int, int] = self._native.sample_counts(self._all, shots)
        return dict(sorted(counts.items()))

    def probabilities(self) -> Floats:
        """The probability of every state; ends the use of this object."""
        out: Floats = np.abs(self._native.move_to_ndarray()) ** 2
        return out


def _native() -> ModuleType:
    """Aer's extension module without the packages around it; where that fails, the ordinary import."""
    with _LOADING:  # an extension registers its types once
        if NATIVE not in sys.modules and "qiskit_aer" not in sys.modules:
            _alone()
        return importlib.import_module(NATIVE)


def _alone() -> None:
    package = importlib.util.find_spec("qiskit_aer")  # found, not run
    folders = [f"{home}/backends" for home in (package and package.submodule_search_locations) or ()]
    spec = importlib.machinery.PathFinder.find_spec(NATIVE, folders)
    if spec is None or spec.loader is None:
        return
    try:
        module = importlib.util.module_from_spec(spec)
        sys.modules[NATIVE] = module
        spec.loader.exec_module(module)
    except ImportError:  # its libraries are found by what the package does on import
        sys.modules.pop(NATIVE, None)
