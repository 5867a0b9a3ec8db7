"""What the engine's folder is made of: the CLI, the language host with its own Python, the SDK's two scripts."""

from __future__ import annotations

import compileall
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from toolchain.build import Recipe, ToolMissingError, content_hash, go_build, phase, require_go, run, say

MODULE = Path(__file__).resolve().parent
HOST = MODULE / "language_host"
VERSION = "3.259.0"
CLI = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
SDK = "github.com/pulumi/pulumi/sdk/v3"
TAGS = "osusergo grpcnotrace"
LINK_FLAGS = f"-X {SDK}/go/common/version.Version=v{VERSION}"
SDK_SCRIPTS = ("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python")
DYNAMIC = MODULE / "dynamic_provider.py"
STARTS_DYNAMIC = "-u -m pulumi.dynamic $@"
"""How the SDK's script starts the server of dynamic resources, twice; ours ends with its engine."""
PYTHON_NEEDED = (3, 11)

LAUNCHER = """#!/bin/sh
# The language host in its own virtual environment, found from here: the whole folder can be moved.
here=$0
[ -L "$here" ] && here=$(readlink -f "$here")
here=${here%/*}
exec "$here/../host-venv/bin/python" -I -m language_host "$here/pulumi-language-python-exec" "$@"
"""


def _cli_key() -> str:
    return content_hash([MODULE / "go.mod", MODULE / "go.sum"], LINK_FLAGS, TAGS)


def _key() -> str:
    sources = [MODULE / "go.mod", MODULE / "go.sum", Path(__file__), DYNAMIC, HOST / "requirements.txt"]
    sources += HOST.rglob("*.py")
    return content_hash(sources, ".".join(map(str, PYTHON_NEEDED)))


def recipe() -> Recipe:
    """Return the recipe of the engine for the sources as they are now."""
    return Recipe(name="engine", key=_key(), make=_make)


def _make(folder: Path) -> None:
    python = _python()
    require_go()
    programs = folder / "bin"
    programs.mkdir()
    _put_cli(programs / "pulumi")
    (folder / "cli.json").write_text(json.dumps({"cli": _cli_key()}) + "\n")
    with phase("the SDK's scripts"):
        sdk = Path(run(["go", "list", "-mod=readonly", "-m", "-f", "{{.Dir}}", SDK], cwd=MODULE).strip())
        for script in SDK_SCRIPTS:
            copy = programs / Path(script).name
            shutil.copyfile(sdk / script, copy)
            copy.chmod(0o755)
        _end_with_the_engine(programs)
    with phase("the language host and its virtual environment"):
        _install_host(python, folder)


def _end_with_the_engine(programs: Path) -> None:
    """Let the SDK's script become our server of dynamic resources instead of starting its own."""
    shutil.copyfile(DYNAMIC, programs / DYNAMIC.name)
    script = programs / "pulumi-resource-pulumi-python"
    lines = script.read_text().splitlines(keepends=True)
    ours = '-u "$(dirname "$(readlink -f "$0")")/' + DYNAMIC.name + '" "$@"'
    for place, line in enumerate(lines):
        if line.rstrip().endswith(STARTS_DYNAMIC):
            indent = line[: len(line) - len(line.lstrip())]
            lines[place] = f"{indent}exec {line.strip().replace(STARTS_DYNAMIC, ours)}\n"
    script.write_text("".join(lines))


def _put_cli(output: Path) -> None:
    """Link the CLI from an earlier build of the same go.sum, else build it."""
    for earlier in recipe().store.glob("*/cli.json"):
        cli = earlier.parent / "bin" / "pulumi"
        if not earlier.parent.is_symlink() and cli.is_file() and json.loads(earlier.read_text())["cli"] == _cli_key():
            say(f"  the CLI of {earlier.parent.name} is of the same go.sum")
            os.link(cli, output)
            return
    go_build(MODULE, CLI, output, LINK_FLAGS, TAGS)


def _install_host(python: str, folder: Path) -> None:
    venv = folder / "host-venv"
    run([python, "-m", "venv", str(venv)])
    pip = [str(venv / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    run([*pip, "--no-deps", "--require-hashes", "--only-binary", ":all:", "-r", str(HOST / "requirements.txt")])
    (site,) = venv.glob("lib/python*/site-packages")
    shutil.copytree(HOST, site / "language_host", ignore=shutil.ignore_patterns("__pycache__"))
    compileall.compile_dir(str(site / "language_host"), quiet=1)
    launcher = folder / "bin" / "pulumi-language-python"
    launcher.write_text(LAUNCHER)
    launcher.chmod(0o755)


def _python() -> str:
    """Find the interpreter for the host's virtual environment; raises `ToolMissingError` with what to do."""
    if sys.version_info[:2] == PYTHON_NEEDED:
        return str(Path(getattr(sys, "_base_executable", sys.executable)))
    wanted = "python" + ".".join(map(str, PYTHON_NEEDED))
    found = shutil.which(wanted)
    if found is None or subprocess.run([found, "-c", "import venv"], capture_output=True, check=False).returncode:
        raise ToolMissingError(
            f"{wanted} is not on PATH: install Python {wanted[6:]} with its venv module and run this again."
        )
    return found
