"""Building tools: once, alone, whole or not at all, and explained when it cannot be."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from toolchain import build
from toolchain.build import PROJECT, BuildError, Recipe, content_hash
from toolchain.cluster.recipe import recipe as cluster_recipe
from toolchain.engine import EngineNotFoundError, locate
from toolchain.engine.recipe import recipe as engine_recipe


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(build, "STORE", tmp_path)
    return tmp_path


def script(folder: Path, name: str, body: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{body}\n")
    (folder / name).chmod(0o755)


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    outer = {name: value for name, value in os.environ.items() if name != "ENGINE"}
    return subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=PROJECT,
        env={**outer, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_tool_is_built_once(store: Path) -> None:
    made: list[Path] = []
    tool = Recipe("tool", "key", made.append)
    assert not tool.built()
    assert tool.build() == tool.build() == store / "tool" / "key"
    assert len(made) == 1
    assert tool.current.resolve() == tool.folder


def test_other_sources_are_another_folder_and_the_link_moves(store: Path) -> None:
    first, second = (Recipe("tool", key, lambda folder: (folder / "x").touch()) for key in ("one", "two"))
    first.build()
    second.build()
    assert first.current.resolve() == second.folder
    assert first.folder.exists()
    first.build()
    assert first.current.resolve() == first.folder


def test_old_builds_are_forgotten(store: Path) -> None:
    for key in "abcdef":
        Recipe("tool", key, lambda folder: None).build()
    kept = [path.parent.name for path in (store / "tool").glob("*/built.json") if not path.parent.is_symlink()]
    assert len(kept) == build.KEPT_BUILDS
    assert "f" in kept


def test_a_build_that_fails_leaves_nothing(store: Path) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").touch()
        raise BuildError("no")

    tool = Recipe("tool", "key", fail)
    with pytest.raises(BuildError):
        tool.build()
    assert [path.name for path in (store / "tool").iterdir()] == ["lock"]


def test_a_command_prints_where_its_program_is_or_why_there_is_none(
    store: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def make(folder: Path) -> None:
        script(folder / "bin", "tool", "exit 0")

    tool = Recipe("tool", "key", make)
    assert tool.program("tool") is None
    assert (build.command(tool, "tool"), capsys.readouterr().out) == (0, f"{tool.folder / 'bin' / 'tool'}\n")
    assert (build.command(tool), capsys.readouterr().out) == (0, f"{tool.folder / 'bin'}\n")
    assert tool.program("tool") == tool.current / "bin" / "tool"
    assert tool.program("other") is None

    def miss(_folder: Path) -> None:
        raise build.ToolMissingError("install it")

    assert build.command(Recipe("tool", "other", miss)) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.splitlines()[-1]) == ("", "install it")


def test_two_builds_at_once_are_one(store: Path) -> None:
    started, go_on = threading.Event(), threading.Event()
    made: list[Path] = []

    def make(folder: Path) -> None:
        made.append(folder)
        started.set()
        assert go_on.wait(20)

    tool = Recipe("tool", "key", make)
    builders = [threading.Thread(target=tool.build) for _ in range(2)]
    builders[0].start()
    assert started.wait(20)
    builders[1].start()
    go_on.set()
    for builder in builders:
        builder.join(20)
    assert len(made) == 1
    assert tool.built()


def test_progress_names_each_phase_and_the_time(
    store: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build, "HEARTBEAT_SECONDS", 0.05)
    with build.phase("go build x"):
        threading.Event().wait(0.3)
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "  go build x ..."
    assert any(line.startswith("    go build x: ") and line.endswith(" s so far") for line in said)
    assert said[-1].startswith("  go build x: done in ")


def test_the_key_changes_with_contents_and_facts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(build, "PROJECT", tmp_path)
    source = tmp_path / "go.sum"
    source.write_text("a")
    first = content_hash([source], "flag")
    assert first == content_hash([source], "flag")
    assert first != content_hash([source], "other flag")
    source.write_text("b")
    assert first != content_hash([source], "flag")


@pytest.mark.parametrize(
    ("said", "expected"),
    [(None, "Go is not on PATH: install Go 1.26"), ("go1.24.2", "is go1.24.2: install Go 1.26"), ("go1.26rc1", None)],
)
def test_a_missing_or_old_go_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str | None, expected: str | None
) -> None:
    if said is not None:
        script(tmp_path, "go", f"echo {said}")
    monkeypatch.setenv("PATH", str(tmp_path))
    if expected is None:
        build.require_go()
        return
    with pytest.raises(BuildError, match=expected) as caught:
        build.require_go()
    assert "\n" not in str(caught.value)
    assert build.exit_code(caught.value) == 2


def test_a_failed_command_is_told_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"ended with exit code 3:\nno such module") as caught:
        build.run(["sh", "-c", "echo no such module >&2; exit 3"], cwd=tmp_path)
    assert build.exit_code(caught.value) == 1


@pytest.mark.parametrize("tool", ["engine", "cluster"])
def test_a_second_build_does_nothing(tool: str, tmp_path: Path) -> None:
    tools = {"engine": engine_recipe, "cluster": cluster_recipe}
    assert tools[tool]().built()
    script(tmp_path, "go", "exit 1")  # nothing is compiled, or this would be noticed
    done = command(f"toolchain.{tool}", "build", PATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_an_official_engine_on_path_is_used_and_nothing_is_built(tmp_path: Path) -> None:
    script(tmp_path, "pulumi", "echo v3.260.1")
    script(tmp_path, "pulumi-language-python", "exit 0")
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    done = command("toolchain.engine", "build", PATH=path)
    assert (done.returncode, done.stderr) == (
        0,
        f"using the engine on PATH: {tmp_path} (ENGINE=build builds one here)\n",
    )
    assert command("toolchain.engine", "locate", PATH=path).stdout == f"{tmp_path}\n"
    ours = command("toolchain.engine", "locate", PATH=path, ENGINE="build").stdout
    assert ours == f"{engine_recipe().current / 'bin'}\n"


@pytest.mark.parametrize(
    ("version", "host", "reason"),
    [
        ("v3.258.0", True, "is v3.258.0, older than 3.259"),
        ("no version at all", True, "older than 3.259"),
        ("v3.260.0", False, "has no pulumi-language-python beside it"),
        (None, False, "no pulumi is on PATH"),
    ],
)
def test_an_engine_on_path_that_will_not_do_is_passed_over_or_explained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str | None, reason: str, *, host: bool
) -> None:
    if version is not None:
        script(tmp_path, "pulumi", f"echo {version}")
    if host:
        script(tmp_path, "pulumi-language-python", "exit 0")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{engine_recipe().current / 'bin'}")
    monkeypatch.delenv("ENGINE", raising=False)
    assert locate() == engine_recipe().current / "bin"
    monkeypatch.setenv("ENGINE", "path")
    with pytest.raises(EngineNotFoundError, match=reason):
        locate()


def test_an_unknown_switch_is_refused(tmp_path: Path) -> None:
    done = command("toolchain.engine", "build", ENGINE="vendor")
    assert done.returncode == 2
    assert done.stderr.startswith("ENGINE=vendor is unknown: use ENGINE=build")


def test_an_engine_that_is_not_built_is_an_instruction(store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ENGINE", "build")
    with pytest.raises(
        EngineNotFoundError, match=r"The engine is not built: run `python3\.11 -m toolchain\.engine build`"
    ):
        locate()


def test_the_build_runs_on_a_plain_interpreter() -> None:
    names = ["toolchain.engine.__main__", "toolchain.engine.recipe", "toolchain.cluster.__main__"]
    code = f"import sys; sys.path.insert(0, {str(PROJECT)!r}); import {', '.join(names)}"
    subprocess.run([sys._base_executable, "-I", "-S", "-c", code], check=True)
