"""Plug-ins, policy packs and installation: streamed in order, packs told their stack before they start. Over gRPC."""

import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import psutil
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc, language_pb2

from tests.toolchain.hosted import PROJECT_VENV, Hosted, empty_venv, group, program_info, texts

pytestmark = pytest.mark.timeout(90)
ENGINE = "127.0.0.1:1"
SECRET = "correct-horse-battery-staple"

PACK = """
import json, os, sys
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy
import pulumi

def seen(args, report):
    if args.name == "bad":
        raise ValueError("a rule broke")
    if args.name == "deadly":
        os._exit(9)
    report(json.dumps([
        pulumi.get_stack(), pulumi.get_project(), pulumi.get_organization(), pulumi.runtime.is_dry_run(),
        json.loads(os.environ.get("PULUMI_CONFIG", "null")), os.getcwd(), os.environ["VIRTUAL_ENV"],
    ]))

print("about to serve", file=sys.stderr)
PolicyPack("tiny", policies=[
    ResourceValidationPolicy("seen", "d", seen, enforcement_level=EnforcementLevel.ADVISORY),
])
"""


@pytest.fixture
def host() -> Iterator[Hosted]:
    with Hosted(ENGINE) as one:
        yield one


def request(folder: Path, kind: str = "analyzer", **fields: Any) -> language_pb2.RunPluginRequest:
    info = fields.pop("info", program_info(folder, virtualenv=str(PROJECT_VENV), toolchain="pip"))
    args = fields.pop("args", [ENGINE] if kind == "analyzer" else [])
    return language_pb2.RunPluginRequest(pwd="/", kind=kind, args=args, info=info, name=folder.name, **fields)


def pack(folder: Path, body: str) -> Path:
    (folder / "PulumiPolicy.yaml").write_text("runtime: python\n")
    (folder / "__main__.py").write_text(body)
    return folder


class Pack:
    """A pack as the engine sees it: a stream, and the port that comes first on it."""

    def __init__(self, host: Hosted, asked: language_pb2.RunPluginRequest) -> None:
        self.stream = host.stub.RunPlugin(asked)
        self.stub = analyzer_pb2_grpc.AnalyzerStub(grpc.insecure_channel(f"127.0.0.1:{int(next(self.stream).stdout)}"))

    def configure(self, **config: str) -> None:
        self.stub.Handshake(analyzer_pb2.AnalyzerHandshakeRequest(engine_address=ENGINE))
        self.stub.ConfigureStack(
            analyzer_pb2.AnalyzerStackConfigureRequest(
                stack="dev", project="tiny", organization="acme", dry_run=True, config=config
            )
        )

    def analyze(self, name: str) -> Any:
        asked = analyzer_pb2.AnalyzeRequest(type="a:b:C", name=name, urn=f"urn:pulumi:dev::tiny::a:b:C::{name}")
        return self.stub.Analyze(asked).diagnostics

    def refusal(self, name: str) -> str:
        with pytest.raises(grpc.RpcError) as caught:
            self.analyze(name)
        return str(caught.value.details())


def test_a_pack_sees_stack_project_and_configuration_and_no_secret_in_argv(host: Hosted, tmp_path: Path) -> None:
    asked = Pack(host, request(pack(tmp_path, PACK)))
    asked.configure(**{"tiny:password": SECRET})
    (diagnostic,) = asked.analyze("good")
    said = json.loads(diagnostic.message.splitlines()[-1])
    assert said == ["dev", "tiny", "acme", True, {"tiny:password": SECRET}, str(tmp_path), str(PROJECT_VENV)]
    assert asked.stub.GetAnalyzerInfo(empty_pb2.Empty()).name == "tiny"
    processes = group(host.process.pid)
    assert len(processes) == 2
    assert not any(SECRET in " ".join(process.cmdline()) for process in processes)

    assert "a rule broke" in asked.refusal("bad")
    (again,) = asked.analyze("good")
    assert again.message == diagnostic.message

    asked.stream.cancel()
    _, alive = psutil.wait_procs([process for process in processes if process.pid != host.process.pid], timeout=10)
    assert alive == []


def test_a_pack_that_is_asked_before_it_is_configured_starts_without(host: Hosted, tmp_path: Path) -> None:
    asked = Pack(host, request(pack(tmp_path, PACK)))
    assert asked.stub.GetAnalyzerInfo(empty_pb2.Empty()).name == "tiny"
    asked.stream.cancel()


def test_a_pack_that_dies_in_a_rule_is_named_with_its_end(host: Hosted, tmp_path: Path) -> None:
    asked = Pack(host, request(pack(tmp_path, PACK)))
    asked.configure()
    said = asked.refusal("deadly")
    assert str(tmp_path) in said
    out, err, codes = texts(asked.stream)
    assert (out, err, codes) == (b"", b"about to serve\n", [9])


def test_the_engine_reaches_a_pack_itself_and_its_death_is_still_named(host: Hosted, tmp_path: Path) -> None:
    asked = Pack(host, request(pack(tmp_path, PACK)))
    asked.configure(**{"tiny:password": SECRET})
    assert asked.stub.GetAnalyzerInfo(empty_pb2.Empty()).name == "tiny"
    for _ in range(20):
        (diagnostic,) = asked.analyze("good")
        assert SECRET in diagnostic.message
    assert "a rule broke" in asked.refusal("bad")
    said = asked.refusal("deadly")
    assert str(tmp_path) in said
    assert "9" in said.replace(str(tmp_path), "")
    assert str(tmp_path) in asked.refusal("good")
    assert texts(asked.stream) == (b"", b"about to serve\n", [9])


@pytest.mark.parametrize(
    ("body", "refusal", "err"),
    [
        ("import nothing_of_that_name", "ended with exit code 1 before it could be asked", b"ModuleNotFoundError"),
        ("print('hello')", "printed 'hello' before its port", b"printed 'hello' before its port"),
        ("", "before it could be asked", b""),
    ],
)
def test_a_pack_that_does_not_start_is_named(host: Hosted, tmp_path: Path, body: str, refusal: str, err: bytes) -> None:
    asked = Pack(host, request(pack(tmp_path, body)))
    asked.configure()
    said = asked.refusal("any")
    assert refusal in said
    assert tmp_path.name in said
    assert err in texts(asked.stream)[1]


def test_a_pack_without_its_venv_fails_at_once_with_the_commands(host: Hosted, tmp_path: Path) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        list(host.stub.RunPlugin(request(pack(tmp_path, PACK), info=program_info(tmp_path, virtualenv="gone"))))
    assert str(tmp_path) in caught.value.details()
    assert f"python3 -m venv {tmp_path / 'gone'}" in caught.value.details()


def test_a_pack_without_the_sdk_is_named(host: Hosted, tmp_path: Path) -> None:
    empty_venv(tmp_path / "bare")
    asked = Pack(host, request(pack(tmp_path, PACK), info=program_info(tmp_path, virtualenv="bare")))
    asked.configure()
    assert "ended with exit code 1" in asked.refusal("any")
    assert b"No module named" in texts(asked.stream)[1]


def test_a_pack_that_is_never_configured_can_be_cancelled(host: Hosted, tmp_path: Path) -> None:
    asked = Pack(host, request(pack(tmp_path, PACK)))
    asked.stub.Cancel(empty_pb2.Empty())
    asked.stream.cancel()
    assert len(group(host.process.pid)) == 1


def test_the_words_of_a_plug_in_come_in_order_with_its_exit_code(host: Hosted, tmp_path: Path) -> None:
    body = """
import sys
for number in range(500):
    print(number)
    print(-number, file=sys.stderr)
sys.stdout.buffer.write(b"\\xff")
sys.exit(5)
"""
    (tmp_path / "__main__.py").write_text(body)
    out, err, codes = texts(host.stub.RunPlugin(request(tmp_path, "resource")))
    assert out.splitlines() == [*(str(number).encode() for number in range(500)), b"\xff"]
    assert err.splitlines() == [str(-number).encode() for number in range(500)]
    assert codes == [5]


def test_a_plug_in_gets_arguments_folder_and_environment(host: Hosted, tmp_path: Path) -> None:
    body = "import json, os, sys; print(json.dumps([sys.argv, os.getcwd(), dict(os.environ)]))"
    (tmp_path / "__main__.py").write_text(body)
    asked = request(tmp_path, "resource", args=["one", "two"], env=["PATH=/only", "EXTRA=a=b", "PYTHONHOME="])
    argv, folder, environment = json.loads(texts(host.stub.RunPlugin(asked))[0])
    assert (argv[1:], folder) == (["one", "two"], "/")
    assert (environment["PATH"], environment["EXTRA"]) == ("/only", "a=b")
    assert environment["VIRTUAL_ENV"] == str(PROJECT_VENV)


def test_a_plug_in_that_is_no_pack_defaults_to_its_own_venv(host: Hosted, tmp_path: Path) -> None:
    empty_venv(tmp_path / "venv")
    (tmp_path / "__main__.py").write_text("import sys; print(sys.prefix)")
    out, _, codes = texts(host.stub.RunPlugin(request(tmp_path, "resource", info=program_info(tmp_path))))
    assert (out.decode().strip(), codes) == (str(tmp_path / "venv"), [])


def wheel(folder: Path, name: str, version: str) -> None:
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")


@pytest.mark.parametrize("terminal", [False, True])
def test_dependencies_are_installed_into_a_fresh_venv_and_the_work_is_streamed(
    tmp_path: Path, *, terminal: bool
) -> None:
    wheels, project = tmp_path / "wheels", tmp_path / "project"
    wheels.mkdir()
    project.mkdir()
    for name in ("setuptools", "wheel", "tiny"):
        wheel(wheels, name, "999.0")
    (project / "requirements.txt").write_text("tiny==999.0\n")
    offline = {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(wheels),
        "PULUMI_PYTHON_CMD": sys.executable,
        "PIP_CONFIG_FILE": "/dev/null",
    }
    asked = language_pb2.InstallDependenciesRequest(
        info=program_info(project, virtualenv="venv", toolchain="pip"), is_terminal=terminal
    )
    with Hosted(ENGINE, env=offline) as host:
        pieces = list(host.stub.InstallDependencies(asked))
        info = language_pb2.GetProgramDependenciesRequest(info=asked.info, transitiveDependencies=True)
        installed = {one.name: one.version for one in host.stub.GetProgramDependencies(info).dependencies}
    said = b"".join(piece.stdout for piece in pieces).decode()
    assert said.startswith("Installing dependencies...\nCreating virtual environment...\n")
    assert "Successfully installed" in said
    assert said.endswith("Finished installing dependencies\n")
    assert len(pieces) > 4
    assert not (terminal and any(piece.stderr for piece in pieces))
    assert installed["tiny"] == "999.0"


def test_an_installation_that_fails_says_which_step_and_why(tmp_path: Path) -> None:
    empty_venv(tmp_path / "venv")
    offline = {"PIP_NO_INDEX": "1", "PIP_CONFIG_FILE": "/dev/null", "PULUMI_PYTHON_CMD": sys.executable}
    (tmp_path / "requirements.txt").write_text("tiny-of-nowhere==1.0\n")
    asked = language_pb2.InstallDependenciesRequest(info=program_info(tmp_path, toolchain="pip"))
    with Hosted(ENGINE, env=offline) as host, pytest.raises(grpc.RpcError) as caught:
        list(host.stub.InstallDependencies(asked))
    assert caught.value.code() == grpc.StatusCode.UNKNOWN
    text = caught.value.details()
    assert text.startswith(f"Installing {tmp_path / 'requirements.txt'} failed: `")
    assert "ended with exit code 1" in text
    assert "No matching distribution found for tiny-of-nowhere" in text
