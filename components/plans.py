"""Plans that were made before: the same problem is not solved twice by the same solver on the same machine.

A store beside the project, in the user's cache folder. What is read back counts only where its seal and the verifier
accept it, and the bytes of the evidence are the same with and without it: whoever deletes it loses time, nothing else.
"""

from __future__ import annotations

import json
import os
import platform
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from sizing.canonical import canonical, sha256_hex
from sizing.evidence import code_hash
from sizing.plan import Plan
from sizing.problem import Problem

VARIABLE: Final = "ECOSYSTEM_PLANS"
OFF: Final = "off"
"""What the variable says so that every plan is solved anew; anything else is the folder of the store."""
PROJECT: Final = Path(__file__).resolve().parents[1]
FORMAT: Final = 1
MOST_BYTES: Final = 64 * 2**20
MOST_PLANS: Final = 512
SUFFIX: Final = ".plan.json"
LIBRARIES: Final = ("highspy", "numba", "numpy", "qiskit", "qiskit-aer", "scipy")
"""What a plan's numbers come from, beside the sources of the room and the interpreter."""

Warn = Callable[[str], object]


@dataclass(frozen=True)
class PlanStore:
    """Plans by the hash of everything that they depend on; the least recently used go first."""

    folder: Path
    warn: Warn
    most_bytes: int = MOST_BYTES
    most_plans: int = MOST_PLANS

    def recall(self, problem: Problem, previous: Plan | None) -> Plan | None:
        """Return the plan that the solver would make, or None when it is not there or not to be trusted."""
        key = address(problem, previous)
        path = self._path(key)
        try:
            text = path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            self._distrust(path, f"it cannot be read: {error}")
            return None
        try:
            plan = opened(text, key, problem)
        except Exception as wrong:  # noqa: BLE001  whatever a foreign file makes of the verifier, it is not trusted
            self._distrust(path, f"{type(wrong).__name__}: {wrong}")
            return None
        with suppress(OSError):
            os.utime(path)
        return plan

    def keep(self, problem: Problem, previous: Plan | None, plan: Plan) -> None:
        """Write a plan whole or not at all; a folder that cannot be written costs a warning and no plan."""
        key = address(problem, previous)
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle, name = tempfile.mkstemp(prefix=".", suffix=SUFFIX, dir=self.folder)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(sealed(key, plan))
                Path(name).replace(self._path(key))
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
            self._bound()
        except OSError as error:
            self.warn(
                f"the plan of {problem.cluster} was not kept in {self.folder} ({error}): the next run solves it anew; "
                f"set {VARIABLE} to another folder, or to {OFF}"
            )

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}{SUFFIX}"

    def _distrust(self, path: Path, why: str) -> None:
        self.warn(f"{path} is not used, the plan is solved anew: {why}")
        with suppress(OSError):
            path.unlink()

    def _bound(self) -> None:
        """Delete the least recently used until number and size are within their limits; others may delete too."""
        found = []
        for path in self.folder.glob(f"*{SUFFIX}"):
            with suppress(OSError):
                status = path.stat()
                found.append((status.st_mtime_ns, status.st_size, path))
        total, number = sum(size for _, size, _ in found), len(found)
        for _, size, path in sorted(found):
            if total <= self.most_bytes and number <= self.most_plans:
                return
            with suppress(OSError):
                path.unlink(missing_ok=True)
            total, number = total - size, number - 1


def of_environment(environ: Mapping[str, str], warn: Warn) -> PlanStore | None:
    """Return the user's store, or None where it is switched off."""
    given = environ.get(VARIABLE, "")
    if given.lower() == OFF:
        return None
    if given:
        folder = Path(given).expanduser()
    else:
        import platformdirs  # noqa: PLC0415 - a provider that has a folder given needs none

        folder = Path(platformdirs.user_cache_dir("cloud-ecosystem")) / "plans"
    if folder.is_absolute() and not folder.resolve().is_relative_to(PROJECT):
        return PlanStore(folder, warn)
    warn(f"{VARIABLE}: {folder} is no absolute path outside the project, plans are solved anew: name another, or {OFF}")
    return None


def address(problem: Problem, previous: Plan | None) -> str:
    """Sha256 of the problem, the plan that runs, and the solver with its libraries."""
    before = None if previous is None else sha256_hex(canonical(previous.to_object()))
    made = {"format": FORMAT, "problem": problem.input_hash, "previous": before, "solver": solver()}
    return sha256_hex(canonical(made))


@cache
def solver() -> str:
    """Sha256 of what solves: the room's sources, the libraries' versions, the interpreter, the kind of machine."""
    libraries = {name: _version(name) for name in LIBRARIES}
    made = {"code": code_hash(), "libraries": libraries, "python": platform.python_version()}
    return sha256_hex(canonical({**made, "machine": platform.machine(), "system": platform.system()}))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def sealed(key: str, plan: Plan) -> str:
    """Return the file of a plan: canonical, with the key that it answers and the hash of both."""
    body: dict[str, Any] = {"key": key, "plan": plan.to_object()}
    return canonical({**body, "sha256": sha256_hex(canonical(body))})


def opened(text: str, key: str, problem: Problem) -> Plan:
    """Return the plan of a file; an exception, most often a ValueError, says why it is not to be trusted."""
    from sizing.verify import verify  # noqa: PLC0415

    made = json.loads(text)
    if not isinstance(made, dict) or not isinstance(made.get("plan"), dict):
        raise ValueError("it holds no plan")  # noqa: TRY004 - what is wrong is the file
    body = {"key": made.get("key"), "plan": made["plan"]}
    if made.get("sha256") != sha256_hex(canonical(body)):
        raise ValueError("its sha256 is not that of what it holds")
    if made["key"] != key:
        raise ValueError("it answers another problem than its name says")
    if made["plan"].get("input_hash") != problem.input_hash:
        raise ValueError("its plan was made for another problem")
    wrong = verify(problem.to_object(), made["plan"])
    if wrong:
        raise ValueError(f"the verifier refuses its plan: {wrong[0]}")
    return Plan.from_object(made["plan"])
