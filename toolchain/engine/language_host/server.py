"""The `LanguageRuntime` service: each call in one place, the work elsewhere."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc

from . import VERSION, options, packages
from .failure import HostError, explained, explained_stream
from .interpreter import Interpreter, ambient, find
from .processes import Processes
from .protocol import language_pb2, language_pb2_grpc, plugin_pb2
from .run import Programs
from .wire import LOOPBACK, OPTIONS

TYPECHECKER_NAMES = {"": "None", "mypy": "Mypy", "pyright": "Pyright"}


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):  # type: ignore[misc,unused-ignore]
    """Answers the engine. What it does not define answers UNIMPLEMENTED on purpose."""

    def __init__(self, engine: str, programs: Programs, processes: Processes, outer: Mapping[str, str]) -> None:
        self._engine = engine
        self._programs = programs
        self._processes = processes
        self._outer = outer

    @explained
    def Handshake(self, request: Any, _context: Any) -> Any:  # noqa: N802 - the protocol's names
        """Learn the engine's address; only hosts that were started by somebody else are told."""
        self._engine = request.engine_address or self._engine
        return language_pb2.LanguageHandshakeResponse()

    @explained
    def GetPluginInfo(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """Say our version."""
        return plugin_pb2.PluginInfo(version=f"v{VERSION}")

    @explained
    def About(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Say which Python runs the project."""
        if request.HasField("info"):
            chosen = options.read(request.info)
            python = find(chosen, self._outer)
            toolchain, typechecker = (chosen.toolchain or "auto"), chosen.typechecker
        else:
            python, toolchain, typechecker = Interpreter(ambient(self._outer), None), "pip", ""
        said = packages.ask("about", python, self._processes, self._outer)
        metadata = {
            "toolchain": toolchain.capitalize(),
            "toolchainVersion": packages.semver(said["pip"]),
            "typechecker": TYPECHECKER_NAMES[typechecker],
        }
        return language_pb2.AboutResponse(executable=said["executable"], version=said["version"], metadata=metadata)

    @explained
    def GetProgramDependencies(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """List the distributions of the project's Python."""
        said = packages.ask("dependencies", self._python(request.info), self._processes, self._outer)
        if not request.transitiveDependencies:
            said = packages.direct(said)
        return language_pb2.GetProgramDependenciesResponse(
            dependencies=[language_pb2.DependencyInfo(name=one["name"], version=one["version"]) for one in said]
        )

    @explained
    def GetRequiredPackages(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """List the provider packages that the program may use."""
        said = packages.ask("packages", self._python(request.info), self._processes, self._outer)
        return language_pb2.GetRequiredPackagesResponse(
            packages=[_dependency(package) for package in packages.provider_packages(said)]
        )

    @explained
    def RuntimeOptionsPrompts(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Ask what `pulumi new` has to ask."""
        from .prompts import prompts  # noqa: PLC0415 - `pulumi new` only

        return language_pb2.RuntimeOptionsResponse(prompts=prompts(request.info, self._outer.get("PATH")))

    @explained
    def Template(self, _request: Any, _context: Any) -> Any:  # noqa: N802
        """Change nothing in a new project."""
        return language_pb2.TemplateResponse()

    @explained_stream
    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        """Make the virtual environment and fill it."""
        from .install import install  # noqa: PLC0415 - `pulumi install` only

        for stream, piece in install(request, context, self._processes, self._outer):
            if stream == "stdout":
                yield language_pb2.InstallDependenciesResponse(stdout=piece)
            else:
                yield language_pb2.InstallDependenciesResponse(stderr=piece)

    @explained
    def Run(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """Run the program; how it ended is an answer, not an error."""
        if not self._engine:
            raise HostError("the engine's address is unknown: Handshake has to come before Run")
        outcome = self._programs.run(request, self._engine)
        return language_pb2.RunResponse(error=outcome.error, bail=outcome.bail)

    @explained_stream
    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        """Run a policy pack or a plug-in and stream what it says."""
        from .plugin import run_plugin  # noqa: PLC0415 - runs with policies or plug-ins only

        yield from run_plugin(request, context, self._processes, self._outer)

    @explained
    def Cancel(self, request: Any, _context: Any) -> Any:  # noqa: N802
        """End the program, stay up."""
        self._programs.cancel()
        return type(request)()

    def _python(self, info: Any) -> Interpreter:
        return find(options.read(info), self._outer)


def serve(host: LanguageHost) -> tuple[Any, int]:
    """Start to listen and return the server and its port."""
    workers = ThreadPoolExecutor(max_workers=max(64, 4 * (os.cpu_count() or 1)))  # a program or a pack holds one each
    server = grpc.server(workers, options=OPTIONS)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port(f"{LOOPBACK}:0")
    server.start()
    return server, port


def _dependency(package: packages.Package) -> Any:
    answer = plugin_pb2.PackageDependency(
        name=package.name, kind="resource", version=package.version, server=package.server
    )
    for said, field in ((package.parameterization, answer.parameterization), (package.extension, answer.extension)):
        if said:
            field.name, field.version = said.get("name", ""), said.get("version", "")
            field.value = base64.b64decode(said.get("value", ""))
    return answer
