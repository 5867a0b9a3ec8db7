"""The runtime options of Pulumi.yaml and PulumiPolicy.yaml, checked in every call that reads them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .failure import HostError

TOOLCHAINS = ("pip", "poetry", "uv")
TYPECHECKERS = ("mypy", "pyright")
LOCK_FILES = {"uv.lock": "uv", "poetry.lock": "poetry"}


@dataclass(frozen=True)
class Options:
    """What a project says about its Python. `toolchain` is empty when it says nothing."""

    root: Path
    program: Path
    virtualenv: str = ""
    toolchain: str = ""
    typechecker: str = ""


def read(info: Any) -> Options:
    """Read the options of a `ProgramInfo`; raises `HostError` naming the option and its value."""
    root = Path(info.root_directory or ".")
    options = Options(
        root=root,
        program=Path(info.program_directory or root),
        virtualenv=_text(info, "virtualenv", ()),
        toolchain=_text(info, "toolchain", TOOLCHAINS),
        typechecker=_text(info, "typechecker", TYPECHECKERS),
    )
    _refuse_other_toolchains(options)
    return options


def _text(info: Any, name: str, allowed: tuple[str, ...]) -> str:
    if name not in info.options.fields:
        return ""
    value = info.options.fields[name]
    kind = value.WhichOneof("kind")
    if kind == "null_value":
        return ""
    if kind != "string_value":
        shown = f"{value.number_value:g}" if kind == "number_value" else kind.removesuffix("_value")
        raise HostError(f"the runtime option `{name}` must be a string, it is {shown}")
    text = str(value.string_value)
    if allowed and text not in allowed:
        raise HostError(f"the runtime option `{name}` is {text!r}: allowed are {', '.join(allowed)}")
    return text


def _refuse_other_toolchains(options: Options) -> None:
    if options.toolchain in ("", "pip"):
        lock = None if options.toolchain else _lock_file(options.program)
        if lock is not None:
            raise HostError(
                f"{lock} asks for the toolchain {LOCK_FILES[lock.name]}, which this language host does not drive: "
                "set `toolchain: pip` and `virtualenv` under runtime.options to the environment it made"
            )
        return
    raise HostError(
        f"the toolchain {options.toolchain} is not driven by this language host: set `toolchain: pip` and `virtualenv` "
        f"under runtime.options to the environment that {options.toolchain} made"
    )


def _lock_file(start: Path) -> Path | None:
    folders = [start.absolute(), *start.absolute().parents]
    for name in LOCK_FILES:
        for folder in folders:
            if (folder / name).is_file():
                return folder / name
    return None
