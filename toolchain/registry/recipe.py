"""What the registry's folder is made of: one Go program, pinned by go.sum (Apache-2.0)."""

from __future__ import annotations

from pathlib import Path

from toolchain.build import Recipe, content_hash, go_build, require_go

MODULE = Path(__file__).resolve().parent
SOURCES = ("go.mod", "go.sum", "main.go")


def recipe() -> Recipe:
    """Return the recipe of the registry for the sources as they are now."""
    return Recipe(name="registry", key=content_hash([MODULE / name for name in SOURCES]), make=_make)


def _make(folder: Path) -> None:
    require_go()
    (folder / "bin").mkdir()
    go_build(MODULE, ".", folder / "bin" / "registry", "")


def locate() -> Path | None:
    """Return the program when it was built, else nothing: the caller says what to do."""
    program = recipe().current / "bin" / "registry"
    return program if program.is_file() else None
