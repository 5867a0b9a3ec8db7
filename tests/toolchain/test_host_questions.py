"""What the language host answers about itself and about a project, over gRPC."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2
from pulumi.runtime.proto import language_pb2

from tests.toolchain.hosted import LARGE, PROJECT_VENV, Hosted, empty_venv, program_info, programs
from toolchain.engine.language_host import VERSION
from toolchain.engine.language_host.packages import direct, provider_packages, semver


@pytest.fixture(scope="module")
def host() -> Any:
    with Hosted("127.0.0.1:1") as one:
        yield one


def answered(call: Any, request: Any) -> list[Any]:
    answer = call(request)
    return list(answer) if hasattr(answer, "__next__") else [answer]


def refused(call: Any, request: Any) -> str:
    """Return the text of a refusal: status UNKNOWN and the bare text."""
    with pytest.raises(grpc.RpcError) as caught:
        answered(call, request)
    assert caught.value.code() == grpc.StatusCode.UNKNOWN
    assert "Exception calling" not in caught.value.details()
    assert "Exception iterating" not in caught.value.details()
    return str(caught.value.details())


def required(host: Hosted, info: language_pb2.ProgramInfo) -> Any:
    return host.stub.GetRequiredPackages(language_pb2.GetRequiredPackagesRequest(info=info))


def test_the_version_is_the_engines(host: Hosted) -> None:
    assert host.stub.GetPluginInfo(empty_pb2.Empty()).version == f"v{VERSION}"
    modules = (Path(__file__).parents[2] / "toolchain/engine/go.mod").read_text()
    assert f"github.com/pulumi/pulumi/sdk/v3 v{VERSION}" in modules


def test_the_version_flag_prints_it_and_ends() -> None:
    said = subprocess.run(
        [programs() / "pulumi-language-python", "-version"], capture_output=True, text=True, check=True
    )
    assert said.stdout == f"v{VERSION}\n"


def test_a_missing_shim_is_one_line_and_no_port() -> None:
    command = [programs() / "pulumi-language-python", "-use-executor", "/nowhere", "127.0.0.1:1"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr == "/nowhere is missing: build the engine again\n"


def test_required_packages_are_the_providers_in_alphabetical_order(host: Hosted, tmp_path: Path) -> None:
    found = required(host, program_info(tmp_path, virtualenv=str(PROJECT_VENV), toolchain="pip")).packages
    assert [(package.name, package.version, package.kind) for package in found] == [
        ("aws", "v7.51.1", "resource"),
        ("azure-native", "v3.29.0", "resource"),
        ("cloudflare", "v6.23.1", "resource"),
        ("gcp", "v10.2.0", "resource"),
        ("kubernetes", "v4.34.2", "resource"),
    ]


def test_required_plugins_are_unimplemented_on_purpose(host: Hosted) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        host.stub.GetRequiredPlugins(language_pb2.GetRequiredPluginsRequest())
    assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_about_names_the_projects_interpreter(host: Hosted, tmp_path: Path) -> None:
    info = program_info(tmp_path, virtualenv=str(PROJECT_VENV), toolchain="pip", typechecker="mypy")
    said = host.stub.About(language_pb2.AboutRequest(info=info))
    assert said.executable == str(PROJECT_VENV / "bin" / "python")
    assert said.version == ".".join(map(str, sys.version_info[:3]))
    assert said.metadata["toolchain"] == "Pip"
    assert said.metadata["typechecker"] == "Mypy"
    assert said.metadata["toolchainVersion"].count(".") == 2


def test_about_without_a_project_is_the_ambient_python(host: Hosted) -> None:
    said = host.stub.About(language_pb2.AboutRequest())
    assert dict(said.metadata)["toolchain"] == "Pip"
    assert Path(said.executable).exists()


@pytest.mark.parametrize("transitive", [True, False])
def test_dependencies_are_those_that_pip_lists(host: Hosted, tmp_path: Path, *, transitive: bool) -> None:
    info = program_info(tmp_path, virtualenv=str(PROJECT_VENV))
    asked = language_pb2.GetProgramDependenciesRequest(info=info, transitiveDependencies=transitive)
    found = {one.name: one.version for one in host.stub.GetProgramDependencies(asked).dependencies}

    arguments = ["list", "--format=json", *([] if transitive else ["--not-required"])]
    listed = subprocess.run(
        [PROJECT_VENV / "bin/python", "-m", "pip", "--disable-pip-version-check", *arguments],
        capture_output=True,
        check=True,
    )
    assert list(found) == sorted(found)
    assert set(found) == {one["name"].lower().replace("_", "-").replace(".", "-") for one in json.loads(listed.stdout)}


def test_prompts_ask_for_the_toolchain_then_for_the_environment(host: Hosted, tmp_path: Path) -> None:
    def asked(**options: Any) -> list[Any]:
        request = language_pb2.RuntimeOptionsRequest(info=program_info(tmp_path, **options))
        return list(host.stub.RuntimeOptionsPrompts(request).prompts)

    (toolchain,) = asked()
    assert (toolchain.key, toolchain.default.stringValue) == ("toolchain", "pip")
    assert [choice.stringValue for choice in toolchain.choices] == ["pip", "poetry", "uv"]
    (environment,) = asked(toolchain="pip")
    assert (environment.key, environment.default.stringValue) == ("virtualenv", "venv")
    assert [choice.stringValue for choice in environment.choices] == ["venv"]
    assert asked(toolchain="pip", virtualenv="venv") == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"virtualenv": 3}, "`virtualenv` must be a string, it is 3"),
        ({"virtualenv": True}, "`virtualenv` must be a string, it is bool"),
        ({"toolchain": "conda"}, "`toolchain` is 'conda': allowed are pip, poetry, uv"),
        ({"toolchain": "uv"}, "set `toolchain: pip`"),
        ({"typechecker": "pyre"}, "`typechecker` is 'pyre': allowed are mypy, pyright"),
    ],
)
def test_wrong_options_are_refused_by_every_call(
    host: Hosted, tmp_path: Path, options: dict[str, Any], expected: str
) -> None:
    info = program_info(tmp_path, **options)
    stub = host.stub
    for call, request in [
        (stub.GetRequiredPackages, language_pb2.GetRequiredPackagesRequest(info=info)),
        (stub.GetProgramDependencies, language_pb2.GetProgramDependenciesRequest(info=info)),
        (stub.About, language_pb2.AboutRequest(info=info)),
        (stub.Run, language_pb2.RunRequest(info=info)),
        (stub.RunPlugin, language_pb2.RunPluginRequest(info=info, kind="analyzer")),
        (stub.InstallDependencies, language_pb2.InstallDependenciesRequest(info=info)),
    ]:
        assert expected in refused(call, request)


def test_a_lock_file_of_another_tool_is_not_ignored(host: Hosted, tmp_path: Path) -> None:
    (tmp_path / "uv.lock").touch()
    inner = tmp_path / "inner"
    inner.mkdir()
    said = refused(host.stub.About, language_pb2.AboutRequest(info=program_info(inner)))
    assert str(tmp_path / "uv.lock") in said


@pytest.mark.parametrize("state", ["absent", "empty", "no python", "a file", "dangling"])
def test_a_venv_that_is_none_is_explained_with_the_commands(host: Hosted, tmp_path: Path, state: str) -> None:
    folder = tmp_path / "my venv"
    if state == "a file":
        folder.touch()
    elif state != "absent":
        (folder / "bin").mkdir(parents=state != "empty") if state != "empty" else folder.mkdir()
    if state == "dangling":
        (folder / "bin" / "python").symlink_to("/gone/python3.11")
    (tmp_path / "requirements.txt").touch()

    said = refused(
        host.stub.GetRequiredPackages,
        language_pb2.GetRequiredPackagesRequest(info=program_info(tmp_path, virtualenv="my venv")),
    )

    assert str(folder) in said
    if state == "a file":
        assert "not a directory" in said
    else:
        made, filled = said.splitlines()[-2:]
        assert "python3 -m venv" in made
        assert f"'{folder}'/bin/python -m pip install -r {tmp_path / 'requirements.txt'}" in filled


def test_a_venv_is_relative_to_the_root_not_to_main(host: Hosted, tmp_path: Path) -> None:
    empty_venv(tmp_path / "venv")
    info = program_info(tmp_path, virtualenv="venv")
    info.program_directory = str(tmp_path / "src")
    assert list(required(host, info).packages) == []


def test_an_interpreter_that_fails_is_named_with_its_last_words(host: Hosted, tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text("#!/bin/sh\necho broken indeed >&2\nexit 7\n")
    python.chmod(0o755)
    said = refused(
        host.stub.GetRequiredPackages,
        language_pb2.GetRequiredPackagesRequest(info=program_info(tmp_path, virtualenv="venv")),
    )
    assert str(python) in said
    assert said.endswith("ended with exit code 7: broken indeed")


def test_an_ambient_python_that_is_missing_is_named(tmp_path: Path) -> None:
    with Hosted("127.0.0.1:1", env={"PULUMI_PYTHON_CMD": "python-of-nowhere"}) as host:
        said = refused(host.stub.About, language_pb2.AboutRequest())
    assert "python-of-nowhere" in said


def test_run_before_the_handshake_is_an_error_and_after_it_is_not(tmp_path: Path) -> None:
    shim = tmp_path / "shim.py"
    shim.write_text("import sys; print(sys.argv[sys.argv.index('--engine') + 1])")
    with Hosted(executor=shim) as host:
        request = language_pb2.RunRequest(info=program_info(tmp_path, virtualenv=str(PROJECT_VENV)))
        assert "Handshake" in refused(host.stub.Run, request)
        host.stub.Handshake(language_pb2.LanguageHandshakeRequest(engine_address="127.0.0.1:9"))
        assert host.run(tmp_path) == language_pb2.RunResponse()
        assert host.line() == "127.0.0.1:9"


def test_a_message_of_a_hundred_mebibytes_is_taken(host: Hosted) -> None:
    assert LARGE >= 100 * 2**20
    large = language_pb2.ProgramInfo(root_directory="/" + "x" * (100 * 2**20), program_directory="/")
    large.options.update({"toolchain": "conda"})
    assert "conda" in refused(host.stub.About, language_pb2.AboutRequest(info=large))


@pytest.mark.parametrize(
    ("python", "semantic"),
    [
        ("1.2.3", "1.2.3"),
        ("1.2", "1.2.0"),
        ("7", "7.0.0"),
        ("1.2.3.4", "1.2.3.4"),
        ("1.0a1", "1.0.0-alpha.1"),
        ("1.0b2", "1.0.0-beta.2"),
        ("1.0rc3", "1.0.0-rc.3"),
        ("1.0.post4", "1.0.0+post4"),
        ("1.0.dev5", "1.0.0+dev5"),
        ("1!1.0", ""),
        ("1.0+local", ""),
    ],
)
def test_python_versions_become_semantic_ones(python: str, semantic: str) -> None:
    assert semver(python) == semantic


def test_packages_without_a_plugin_or_without_a_version_are_left_out() -> None:
    said = [
        {"distribution": "pulumi-plain", "version": "1.2", "plugin": None},
        {"distribution": "pulumi-odd", "version": "1!2", "plugin": None},
        {"distribution": "pulumi-library", "version": "1.0", "plugin": {"resource": False}},
        {"distribution": "acme", "version": "1.0", "plugin": {"resource": True, "name": "own", "version": "2.0.0"}},
    ]
    assert [(package.name, package.version) for package in provider_packages(said)] == [
        ("plain", "v1.2.0"),
        ("own", "v2.0.0"),
    ]


def test_direct_dependencies_are_those_nobody_else_requires() -> None:
    said = [{"name": "a", "requires": ["b", "a"]}, {"name": "b", "requires": []}]
    assert [entry["name"] for entry in direct(said)] == ["a"]
