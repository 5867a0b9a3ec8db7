"""The language host under the real engine: what users see for each way a program or a pack can end."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.toolchain.engine_runs import Project

pytestmark = [pytest.mark.engine, pytest.mark.timeout(180)]
SECRET = "correct-horse-battery-staple"


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    one = Project(tmp_path / "project")
    yield one
    for process in one.marked():
        process.kill()


def test_preview_up_preview_destroy(project: Project) -> None:
    project.program("import pulumi; print('hello'); pulumi.export('n', pulumi.Config().require_int('n'))")
    project.pulumi("config", "set", "n", "7")
    assert "hello" in project.pulumi("preview")
    project.pulumi("up", "--yes", "--skip-preview")
    assert json.loads(project.pulumi("stack", "output", "--json")) == {"n": 7}
    assert "1 unchanged" in project.pulumi("preview")
    project.pulumi("destroy", "--yes", "--skip-preview")


@pytest.mark.parametrize(
    ("body", "code", "expected", "errors"),
    [
        ("pass", 0, "", 0),
        ("import sys; sys.exit(0)", 0, "", 0),
        ("raise ValueError('kaputt')", 1, "ValueError: kaputt", 1),
        ("import sys; sys.exit(32)", 1, "", 0),
        ("import sys; sys.exit(3)", 1, "the program ended with exit code 3", 1),
        ("import sys; sys.exit('the last words')", 1, "the last words", 1),
        ("import pulumi; raise pulumi.RunError('correct the file')", 1, "correct the file", 2),
        ("import os; print('kept'); os._exit(7)", 1, "the program ended with exit code 7", 1),
        ("import os; os.kill(os.getpid(), 9)", 1, "the program was killed by SIGKILL", 1),
        ("import nothing_of_that_name", 1, "No module named 'nothing_of_that_name'", 1),
        ("def broken(:", 1, "SyntaxError", 1),
    ],
)
def test_how_a_program_ends(project: Project, body: str, code: int, expected: str, errors: int) -> None:
    project.program(body)
    said = project.pulumi("preview", code=code)
    assert expected in said
    _, _, diagnostics = said.partition("Diagnostics:")
    assert diagnostics.count("error: ") == errors, said
    if "kept" in body:
        assert "kept" in diagnostics


def test_standard_output_and_error_are_information_not_errors(project: Project) -> None:
    project.program(
        "import sys; print('first'); print('second', file=sys.stderr); sys.stdout.buffer.write(b'\\xff end')"
    )
    said = project.pulumi("preview")
    assert all(word in said for word in ("first", "second", "end"))
    assert "error" not in said


def test_a_secret_is_in_no_argument_of_any_process(project: Project, tmp_path: Path) -> None:
    project.pulumi("config", "set", "--secret", "password", SECRET)
    marker = tmp_path / "up"
    project.program(f"import pathlib, time; pathlib.Path({str(marker)!r}).touch(); time.sleep(60)")
    with project.start("preview") as run:
        project.await_file(marker)
        arguments = [" ".join(process.cmdline()) for process in project.marked()]
        run.send_signal(signal.SIGINT)
        said, _ = run.communicate(timeout=60)
    project.check(said)
    assert len(arguments) >= 3
    assert not any(SECRET in one for one in [*arguments, said])


def test_an_interrupt_ends_everything_without_a_traceback(project: Project, tmp_path: Path) -> None:
    marker = tmp_path / "up"
    project.program(f"import pathlib, time; pathlib.Path({str(marker)!r}).touch(); time.sleep(60)")
    code, said = project.interrupted("preview", marker=marker)
    assert code == 1
    assert "canceled" in said
    assert "Traceback" not in said


def test_a_program_that_ignores_interrupts_ends_too(project: Project, tmp_path: Path) -> None:
    marker = tmp_path / "up"
    project.program(
        "import pathlib, signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        f"pathlib.Path({str(marker)!r}).touch(); time.sleep(60)"
    )
    code, _ = project.interrupted("preview", marker=marker)
    assert code == 1


FAILING_RESOURCE = """
import time
import pulumi
from pulumi.dynamic import Resource, ResourceProvider

class Provider(ResourceProvider):
    def create(self, props):
        raise RuntimeError("no such thing today")

class Thing(Resource):
    def __init__(self, name):
        super().__init__(Provider(), name, {})

Thing("thing")
"""


def test_a_failing_resource_is_told_once_and_without_an_interrupts_traceback(project: Project) -> None:
    project.program(FAILING_RESOURCE)
    said = project.pulumi("up", "--yes", "--skip-preview", code=1)
    assert "no such thing today" in said


def test_a_dynamic_resource_is_made_and_removed(project: Project) -> None:
    project.program(
        FAILING_RESOURCE.replace(
            'raise RuntimeError("no such thing today")',
            'from pulumi.dynamic import CreateResult; return CreateResult("id", {"a": 1})',
        )
    )
    assert "2 created" in project.pulumi("up", "--yes", "--skip-preview")
    assert "2 deleted" in project.pulumi("destroy", "--yes", "--skip-preview")


@pytest.mark.parametrize("victim", ["pulumi", "host"])
def test_nothing_lives_on_when_engine_or_host_is_killed(project: Project, tmp_path: Path, victim: str) -> None:
    marker = tmp_path / "up"
    project.program(
        "import pathlib, subprocess, time; subprocess.Popen(['sleep', '60'])\n"
        f"pathlib.Path({str(marker)!r}).touch()\nwhile True: time.sleep(1)"
    )
    with project.start("preview") as run:
        project.await_file(marker)
        if victim == "pulumi":
            run.kill()
        else:
            hosts = [one for one in project.marked() if "language_host" in one.cmdline()]
            assert hosts
            for one in hosts:
                one.kill()
        run.communicate(timeout=60)
    assert run.returncode != 0
    assert project.left(5.0) == []


@pytest.mark.parametrize("state", ["absent", "empty", "no python", "a file"])
def test_a_venv_that_is_none_fails_at_once_with_the_commands(project: Project, state: str) -> None:
    venv = project.folder / "venv"
    if state == "a file":
        venv.touch()
    elif state != "absent":
        venv.mkdir()
    if state == "no python":
        (venv / "bin").mkdir()
    project.options("{toolchain: pip, virtualenv: venv}")
    said = project.pulumi("preview", code=1)
    assert ("not a directory" if state == "a file" else "python3 -m venv ") in said


def test_a_venv_without_the_sdk_shows_the_shims_hint(project: Project) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", project.folder / "venv"], check=True)
    project.options("{toolchain: pip, virtualenv: venv}")
    with project.start("preview") as run:
        said, _ = run.communicate(timeout=60)
    assert run.returncode == 1
    assert "Have you run pip install?" in said
    assert "the program ended with exit code 1" in said
    assert project.left() == []


def test_wrong_options_stop_the_run_with_a_bare_text(project: Project) -> None:
    project.options("{toolchain: conda}")
    assert "`toolchain` is 'conda': allowed are pip, poetry, uv" in project.pulumi("preview", code=1)


def test_about_shows_the_python_and_the_plugins(project: Project) -> None:
    said = json.loads(project.pulumi("about", "--json"))
    assert said["runtime"]["language"] == "python"
    assert said["runtime"]["executable"] == f"{sys.prefix}/bin/python"
    assert {"pulumi-aws", "ruff"} <= {one["name"] for one in said["dependencies"]}
    assert [one["name"] for one in said["plugins"]] == [
        "aws",
        "azure-native",
        "cloudflare",
        "gcp",
        "kubernetes",
        "python",
    ]


PACK = """
import json, os, sys
import pulumi
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

def rule(args, report):
    config = json.loads(os.environ["PULUMI_CONFIG"])
    seen = [pulumi.get_stack(), pulumi.get_project(), pulumi.runtime.is_dry_run(), config]
    print("SEEN", json.dumps(seen), file=sys.stderr)
    BODY

PolicyPack("tiny", policies=[
    ResourceValidationPolicy("rule", "d", rule, enforcement_level=EnforcementLevel.MANDATORY),
])
"""


@pytest.mark.parametrize("command", ["preview", "up"])
def test_a_pack_sees_its_stack_its_project_and_the_configuration(project: Project, command: str) -> None:
    project.pulumi("config", "set", "n", "7")
    pack = project.pack(PACK.replace("BODY", "pass"))
    arguments = ["--yes", "--skip-preview"] if command == "up" else []
    said = project.pulumi(command, *arguments, "--policy-pack", str(pack))
    dry = "true" if command == "preview" else "false"
    assert f'SEEN ["dev", "tiny", {dry}, {{"tiny:n": "7"}}]' in said


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (PACK.replace("BODY", "report('not allowed here')"), "not allowed here"),
        (PACK.replace("BODY", "raise ValueError('a rule broke')"), "a rule broke"),
        (PACK.replace("BODY", "os._exit(9)"), "ended with exit code 9"),
        ("import nothing_of_that_name", "No module named 'nothing_of_that_name'"),
        ("print('hello')", "printed 'hello' before its port"),
    ],
)
def test_a_pack_that_refuses_breaks_or_does_not_start_fails_the_run(project: Project, body: str, expected: str) -> None:
    pack = project.pack(body)
    with project.start("preview", "--policy-pack", str(pack)) as run:
        said, _ = run.communicate(timeout=60)
    assert run.returncode == 1
    assert expected in said
    assert "Exception iterating" not in said
    assert project.left() == []


@pytest.mark.parametrize("options", ["{toolchain: pip, virtualenv: gone}", "{toolchain: conda}"])
def test_a_pack_that_has_no_python_fails_at_once_and_is_named(project: Project, options: str) -> None:
    pack = project.pack(PACK, options)
    said = project.pulumi("preview", "--policy-pack", str(pack), code=1)
    assert ("python3 -m venv" if "gone" in options else "allowed are") in said


def test_two_interrupts_end_a_hanging_create(project: Project, tmp_path: Path) -> None:
    marker = tmp_path / "creating"
    project.program(
        FAILING_RESOURCE.replace(
            'raise RuntimeError("no such thing today")',
            f"import pathlib; pathlib.Path({str(marker)!r}).touch(); time.sleep(60)",
        )
    )
    with project.start("up", "--yes", "--skip-preview") as run:
        project.await_file(marker)
        for _ in range(2):
            run.send_signal(signal.SIGINT)
            with pytest.raises(psutil.TimeoutExpired):
                psutil.Process(run.pid).wait(0.5)
        said, _ = run.communicate(timeout=60)
    assert run.returncode != 0
    assert "KeyboardInterrupt" not in said
    assert project.left() == []
