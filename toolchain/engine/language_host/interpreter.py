"""Which Python runs the project, and in which environment."""

from __future__ import annotations

import os
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .failure import HostError
from .options import Options


@dataclass(frozen=True)
class Interpreter:
    """A Python to start; `venv` is its virtual environment, None for the ambient one."""

    command: str
    venv: Path | None

    def environment(self, outer: Mapping[str, str]) -> dict[str, str]:
        """Return the environment of a child: the outer one, with the virtual environment switched on."""
        inner = dict(outer)
        if self.venv is not None:
            inner["VIRTUAL_ENV"] = str(self.venv)
            inner["PATH"] = os.pathsep.join(filter(None, [str(self.venv / "bin"), outer.get("PATH", "")]))
            inner.pop("PYTHONHOME", None)
        return inner


def venv_folder(options: Options, default: str = "") -> Path | None:
    """Return the absolute folder of the virtual environment, if the project has one."""
    name = options.virtualenv or default
    return Path(os.path.normpath(options.root.absolute() / name)) if name else None


def find(options: Options, outer: Mapping[str, str], default: str = "") -> Interpreter:
    """Return the project's interpreter; raises `HostError` with the commands that make a missing one."""
    venv = venv_folder(options, default)
    if venv is None:
        return Interpreter(ambient(outer), None)
    python = venv / "bin" / "python"
    if not python.exists():
        raise HostError(_why_not(venv, options))
    return Interpreter(str(python), venv)


def ambient(outer: Mapping[str, str]) -> str:
    """Return the Python of PULUMI_PYTHON_CMD or of PATH; raises `HostError` when there is none."""
    asked = outer.get("PULUMI_PYTHON_CMD")
    for name in [asked] if asked else ["python3", "python"]:
        found = shutil.which(name, path=outer.get("PATH"))
        if found:
            return found
    if asked:
        raise HostError(f"PULUMI_PYTHON_CMD is {asked}, which is no program on PATH: correct or unset it")
    raise HostError("no python3 or python is on PATH: install one, or name a virtualenv under runtime.options")


def _why_not(venv: Path, options: Options) -> str:
    if venv.is_dir():
        state = "has no bin/python" if any(venv.iterdir()) else "is empty"
        if (venv / "bin" / "python").is_symlink():
            state = f"is broken: bin/python points to {(venv / 'bin' / 'python').readlink()}, which is gone"
    elif venv.exists():
        return (
            f"the virtual environment {venv} is not a directory: correct runtime.options.virtualenv or remove that file"
        )
    else:
        state = "does not exist"
    return f"the virtual environment {venv} {state}. Make it with:\n{commands(venv, options)}"


def commands(venv: Path, options: Options) -> str:
    """Return the two commands that make a virtual environment and fill it."""
    requirements = options.program.absolute() / "requirements.txt"
    wanted = f"-r {shlex.quote(str(requirements))}" if requirements.is_file() else "pulumi"
    folder = shlex.quote(str(venv))
    fresh = "--clear " if venv.is_dir() and any(venv.iterdir()) else ""
    return f"    python3 -m venv {fresh}{folder}\n    {folder}/bin/python -m pip install {wanted}"
