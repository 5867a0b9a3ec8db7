"""Running a program: how it is started, what becomes of its words, how its end is told. Over gRPC."""

import json
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2

from tests.toolchain.hosted import PROJECT_VENV, Hosted, empty_venv, group, program_info
from toolchain.build import PROJECT

pytestmark = pytest.mark.timeout(60)
ENGINE = "127.0.0.1:1"
SECRET = "correct-horse-battery-staple"


def shim(folder: Path, body: str) -> Path:
    """Stand in for the SDK's shim: the host cannot tell."""
    path = folder / "shim.py"
    path.write_text(body)
    return path


def later(call: Any, *arguments: Any, **named: Any) -> "Future[Any]":
    """Make a call that answers only when the program has ended."""
    pool = ThreadPoolExecutor(1)
    future = pool.submit(call, *arguments, **named)
    pool.shutdown(wait=False)
    return future


@pytest.mark.parametrize(
    ("body", "error", "bail"),
    [
        ("pass", "", False),
        ("import sys; sys.exit(0)", "", False),
        ("import sys; sys.exit(32)", "", True),
        ("import sys; sys.exit(3)", "the program ended with exit code 3", False),
        ("import sys; sys.exit('text')", "the program ended with exit code 1", False),
        ("import os; os._exit(7)", "the program ended with exit code 7", False),
        ("import os; os.kill(os.getpid(), 9)", "the program was killed by SIGKILL", False),
        ("import os; os.kill(os.getpid(), 6)", "the program was killed by SIGABRT", False),
    ],
)
def test_how_a_program_ended_is_an_answer(tmp_path: Path, body: str, error: str, *, bail: bool) -> None:
    with Hosted(ENGINE, executor=shim(tmp_path, body)) as host:
        assert host.run(tmp_path) == language_pb2.RunResponse(error=error, bail=bail)


def test_an_interpreter_that_cannot_start_is_an_answer(tmp_path: Path) -> None:
    python = empty_venv(tmp_path / "venv") / "bin" / "python"
    python.unlink()
    python.write_text("no program")
    python.chmod(0o755)
    with Hosted(ENGINE, executor=shim(tmp_path, "")) as host:
        said = host.run(tmp_path, info=program_info(tmp_path, virtualenv="venv")).error
    assert f"{python} cannot be started: Exec format error" in said


def test_a_venv_that_vanished_is_an_answer_with_the_commands(tmp_path: Path) -> None:
    with Hosted(ENGINE, executor=shim(tmp_path, "")) as host:
        said = host.run(tmp_path, info=program_info(tmp_path, virtualenv="venv")).error
    assert f"python3 -m venv {tmp_path / 'venv'}" in said


def test_the_program_is_started_as_the_vendor_starts_it(tmp_path: Path) -> None:
    body = "import json, os, sys; print(json.dumps([sys.argv[1:], os.getcwd(), sys.stdin.read()]))"
    with Hosted(ENGINE, "-tracing", "tcp://trace:1", executor=shim(tmp_path, body)) as host:
        assert host.run(tmp_path, dryRun=True, organization="acme", args=["more"]) == language_pb2.RunResponse()
        arguments, folder, stdin = json.loads(host.line())
    assert arguments == [
        *("--monitor", "m:1", "--engine", ENGINE, "--project", "tiny", "--root_directory", str(tmp_path)),
        *("--stack", "dev", "--pwd", str(tmp_path), "--dry_run", "true", "--parallel", "4"),
        *("--tracing", "tcp://trace:1", "--organization", "acme", ".", "more"),
    ]
    assert (folder, stdin) == (str(Path.cwd()), "")


def test_empty_values_are_left_out_and_an_update_is_no_dry_run(tmp_path: Path) -> None:
    body = "import json, sys; print(json.dumps(sys.argv[1:]))"
    with Hosted(ENGINE, executor=shim(tmp_path, body)) as host:
        host.run(tmp_path)
        arguments = json.loads(host.line())
    assert "--organization" not in arguments
    assert "--tracing" not in arguments
    assert arguments[arguments.index("--dry_run") + 1] == "false"


def test_the_environment_is_that_of_the_venv(tmp_path: Path) -> None:
    venv = empty_venv(tmp_path / "venv")
    names = ["VIRTUAL_ENV", "PYTHONHOME", "GRPC_VERBOSITY", "GRPC_ENABLE_FORK_SUPPORT"]
    body = f"import json, os; print(json.dumps([os.environ['PATH'], [os.environ.get(n) for n in {names}]]))"
    with Hosted(ENGINE, executor=shim(tmp_path, body), env={"PYTHONHOME": ""}) as host:
        host.run(tmp_path, info=program_info(tmp_path, virtualenv="venv"))
        path, values = json.loads(host.line())
    assert path.startswith(f"{venv / 'bin'}{os.pathsep}")
    assert values == [str(venv), None, None, None]


def test_configuration_travels_in_the_environment_only(tmp_path: Path) -> None:
    body = """
import json, os, sys, time
said = [os.environ.get("PULUMI_CONFIG"), os.environ["PULUMI_CONFIG_SECRET_KEYS"]]
print(json.dumps(said))
print(os.getpid())
time.sleep(60)
"""
    with Hosted(ENGINE, executor=shim(tmp_path, body)) as host:
        running = later(
            host.run, tmp_path, config={"tiny:password": SECRET, "tiny:n": "1"}, configSecretKeys=["tiny:password"]
        )
        config, keys = json.loads(host.line())
        assert int(host.line())
        for process in group(host.process.pid):
            assert SECRET not in " ".join(process.cmdline())
        host.stub.Cancel(empty_pb2.Empty())
        running.result(timeout=10)
        _, said = host.leave()
    assert json.loads(config) == {"tiny:password": SECRET, "tiny:n": "1"}
    assert json.loads(keys) == ["tiny:password"]
    assert SECRET not in said


def test_without_configuration_there_is_no_variable(tmp_path: Path) -> None:
    body = (
        "import json, os; print(json.dumps([os.environ.get('PULUMI_CONFIG'), os.environ['PULUMI_CONFIG_SECRET_KEYS']]))"
    )
    with Hosted(ENGINE, executor=shim(tmp_path, body)) as host:
        host.run(tmp_path)
        assert json.loads(host.line()) == [None, "[]"]


def test_a_configuration_that_no_environment_holds_is_explained_without_its_value(tmp_path: Path) -> None:
    with Hosted(ENGINE, executor=shim(tmp_path, "")) as host:
        said = host.run(tmp_path, config={"tiny:large": SECRET * 10_000}).error
    assert "the longest variable is PULUMI_CONFIG" in said
    assert SECRET not in said


def test_every_word_arrives_in_order_even_without_a_flush(tmp_path: Path) -> None:
    body = """
import os, sys
for number in range(2000):
    print(number)
    print(number, file=sys.stderr)
sys.stdout.write("unfinished")
sys.stderr.buffer.write(b"\\xff unfinished")
os._exit(0)
"""
    with Hosted(ENGINE, executor=shim(tmp_path, body)) as host:
        gathered: list[str] = []
        reader = threading.Thread(target=lambda: gathered.append(host.process.stderr.read().decode(errors="replace")))
        reader.start()
        running = later(host.run, tmp_path)
        lines = [host.line() for _ in range(2000)]
        assert running.result(timeout=20) == language_pb2.RunResponse()
        host.channel.close()
        host.process.send_signal(signal.SIGINT)
        assert host.process.stdout.read() == b"unfinished"
        reader.join(10)
        host.process.wait(10)
        host._said = "", ""
    assert lines == [str(number) for number in range(2000)]
    assert gathered[0].splitlines() == [*lines, "\ufffd unfinished"]


def test_a_grandchild_that_holds_the_streams_does_not_hold_the_answer(tmp_path: Path) -> None:
    body = "import subprocess; subprocess.Popen(['sleep', '60'])"
    with Hosted(ENGINE, executor=shim(tmp_path, body)) as host:
        assert later(host.run, tmp_path).result(timeout=10) == language_pb2.RunResponse()
        assert "sleep" in {process.name() for process in group(host.process.pid)}


def test_types_are_checked_first_when_the_project_asks(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text("number: int = 'text'\n")
    info = program_info(tmp_path, virtualenv=str(PROJECT_VENV), typechecker="mypy")
    with Hosted(ENGINE, executor=shim(tmp_path, "print('started')")) as host:
        assert "mypy found wrong types" in host.run(tmp_path, info=info).error
        assert "program.py:1: error" in host.line()
        out, _ = host.leave()
    assert "started" not in out


WAITING = """
import time
print("up", flush=True)
try:
    time.sleep(60)
finally:
    print("cleaned")
"""
STUBBORN = "import signal, time; signal.signal(2, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"


def test_cancel_ends_the_program_quietly_and_the_host_stays(tmp_path: Path) -> None:
    body = "import sys; print('a last word', file=sys.stderr)\n" + WAITING
    with Hosted(ENGINE, executor=shim(tmp_path, body)) as host:
        running = later(host.run, tmp_path)
        assert host.line() == "up"
        host.stub.Cancel(empty_pb2.Empty())
        host.stub.Cancel(empty_pb2.Empty())
        assert running.result(timeout=10) == language_pb2.RunResponse(bail=True)
        assert host.line() == "cleaned"
        assert host.stub.GetPluginInfo(empty_pb2.Empty()).version
        assert "cancelled" in host.run(tmp_path).error
        assert host.leave() == ("", "a last word\n")
    assert host.process.returncode == 0


def test_a_program_that_ignores_cancel_is_killed_after_a_grace(tmp_path: Path) -> None:
    with Hosted(ENGINE, executor=shim(tmp_path, STUBBORN)) as host:
        running = later(host.run, tmp_path)
        assert host.line() == "up"
        host.stub.Cancel(empty_pb2.Empty())
        assert running.result(timeout=10) == language_pb2.RunResponse(bail=True)


def test_cancel_without_a_program_leaves_no_process_behind(tmp_path: Path) -> None:
    with Hosted(ENGINE, executor=shim(tmp_path, "")) as host:
        host.stub.Cancel(empty_pb2.Empty())
        assert "cancelled" in host.run(tmp_path).error
        assert len(group(host.process.pid)) == 1


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, -15), (signal.SIGHUP, -1)])
@pytest.mark.parametrize("body", [WAITING, STUBBORN])
def test_a_stop_signal_ends_host_and_program_without_a_word(
    tmp_path: Path, body: str, number: signal.Signals, code: int
) -> None:
    with Hosted(ENGINE, executor=shim(tmp_path, body)) as host:
        later(host.run, tmp_path)
        assert host.line() == "up"
        _, said = host.leave(number)
        assert said == ""
    assert host.process.returncode == code


def test_an_engine_that_is_gone_takes_host_and_program_along(tmp_path: Path) -> None:
    body = "import subprocess; subprocess.Popen(['sleep', '60'])\n" + STUBBORN
    with Hosted(ENGINE, executor=shim(tmp_path, body)) as host:
        later(host.run, tmp_path)
        assert host.line() == "up"
        family = group(host.process.pid)
        assert len(family) == 3
        host.process.stdin.close()  # what the kernel does when the engine is killed
        host.process.stdin = None
        _, alive = psutil.wait_procs(family, timeout=5)
        assert alive == []


WATCHING = """
import sys, time
from toolchain.engine.language_host import ending
from toolchain.engine.language_host.processes import Processes
ending.HEALTH_SECONDS = 0.1
ending.Ending(Processes()).watch(sys.argv[1], lambda: None)
time.sleep(60)
"""


def test_an_engine_without_a_health_service_is_healthy_and_one_that_is_gone_is_not() -> None:
    asked = threading.Semaphore(0)

    class Nothing(grpc.GenericRpcHandler):
        def service(self, handler_call_details: Any) -> None:
            asked.release()  # and answer UNIMPLEMENTED

    engine = grpc.server(ThreadPoolExecutor(1), handlers=[Nothing()])
    port = engine.add_insecure_port("127.0.0.1:0")
    engine.start()
    command = [sys.executable, "-c", WATCHING, f"127.0.0.1:{port}"]
    silent = {**os.environ, "GRPC_VERBOSITY": "NONE"}  # as the host sets it for itself
    with subprocess.Popen(
        command, cwd=PROJECT, env=silent, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as watcher:
        for _ in range(3):
            assert asked.acquire(timeout=20)
        assert watcher.poll() is None
        engine.stop(grace=None)
        _, said = watcher.communicate(timeout=20)
    assert (watcher.returncode, said) == (1, b"")
