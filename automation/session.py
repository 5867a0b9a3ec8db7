"""One run on one stack: the wish read, the mode decided, the engine found, the clouds at hand; all let go after."""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from automation import environment, locks, modes, places, statefile
from automation.exits import Ending, Exit
from automation.modes import Mode
from automation.places import Place
from automation.redact import Redactor, of_environment
from automation.workdir import Changes, Work, stack_file, work_directory

if TYPE_CHECKING:
    from rich.console import Console

    from automation.engine import Engine
    from automation.journal import Journal
    from automation.policy import Pack
    from automation.progress import Progress
    from stacks.model import Stack

PROJECT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Options:
    """What the command line says about how to run."""

    project: Path = PROJECT
    offline: bool = False
    real: bool = False
    demand: Path | None = None
    quality: str | None = None
    faults: Path | None = None
    clusters: Literal["schema", "api-server"] = "schema"
    parallel: int | None = None
    policies: bool = True
    patience: float | None = None
    break_glass: str | None = None
    again: frozenset[str] = frozenset()
    continue_on_error: bool = False
    refresh: bool = False
    anew: bool = False
    placed: Path | None = None


@dataclass
class Session:
    """What every command works with."""

    name: str
    stack: Stack
    options: Options
    mode: Mode
    place: Place
    work: Work
    engine: Engine
    journal: Journal
    pack: Pack | None
    progress: Progress
    redactor: Redactor
    project_name: str
    backend_url: str
    debug_providers: str = ""
    notes: list[str] = field(default_factory=list)

    @property
    def header(self) -> str:
        return self.mode.header

    @property
    def backend(self) -> Path | None:
        """The directory of a file backend."""
        return locks.backend_directory(self.backend_url)

    def packs(self) -> list[tuple[Path, Path | None]]:
        """The pack for the next phase, its counts forgotten."""
        if self.pack is None:
            return []
        self.pack.reset()
        return [self.pack.argument]

    def deployed(self) -> bool:
        """Whether the stack has resources, without asking the engine where the backend is a directory."""
        if self.backend is not None and not statefile.path_of(self.backend, self.project_name, self.name).exists():
            return False
        state = self.engine.export()
        return len((state.get("deployment") or {}).get("resources") or ()) > 1


def read_stack(name: str, options: Options) -> Stack:
    """The stack file as a model; wrong input (exit 2) with every problem in one report, before anything else starts."""
    path = stack_file(options.project, name)
    from stacks.load import StackFileError, read_file  # noqa: PLC0415 - pydantic loads only for a run with a stack

    try:
        return read_file(path)
    except StackFileError as error:
        raise Ending(Exit.WRONG_INPUT, "stack-file", str(error)) from None


def check_demand(options: Options) -> None:
    """A wrong --demand file is wrong input (exit 2)."""
    if options.demand is None:
        return
    from stacks.demand import DemandFileError, read_demand  # noqa: PLC0415

    try:
        read_demand(options.demand)
    except DemandFileError as error:
        raise Ending(Exit.WRONG_INPUT, "demand", str(error)) from None


def check_faults(options: Options, mode: Mode) -> None:
    """A wrong --faults file is wrong input (exit 2), and so is one for real clouds."""
    if options.faults is None:
        return
    if not mode.offline:
        raise Ending(Exit.WRONG_INPUT, "faults", "--faults is for stand-in clouds: add --offline, or leave it out")
    from sandbox.faults import BadPlan, read_plan  # noqa: PLC0415 - only offline runs know the stand-in clouds

    try:
        read_plan(options.faults)
    except (BadPlan, UnicodeDecodeError) as error:
        raise Ending(Exit.WRONG_INPUT, "faults", str(error)) from None


def _needs_passphrase(text: str, environ: Mapping[str, str]) -> bool:
    given = environ.get("PULUMI_CONFIG_PASSPHRASE") is not None or environ.get("PULUMI_CONFIG_PASSPHRASE_FILE")
    encrypted = "encryptionsalt:" in text
    return encrypted and not given


@contextmanager
def opened(
    name: str,
    options: Options,
    console: Console,
    *,
    place: Place | None = None,
    extra_env: Mapping[str, str] | None = None,
) -> Iterator[Session]:
    """Open a session; `place` puts an offline run somewhere else than the user's state directory."""
    environ = dict(os.environ)
    stack = read_stack(name, options)
    check_demand(options)
    mode = modes.decide(offline=options.offline, real=options.real, environ=environ, home=Path.home())
    if not mode.offline and _needs_passphrase(stack_file(options.project, name).read_text(encoding="utf-8"), environ):
        raise Ending(
            Exit.WRONG_INPUT,
            "passphrase",
            f"Pulumi.{name}.yaml holds secrets and no passphrase is given: set PULUMI_CONFIG_PASSPHRASE or _FILE",
        )
    check_faults(options, mode)
    redactor = Redactor(of_environment(environ))
    console.print(mode.header, style="bold", markup=False, highlight=False)
    with ExitStack() as exits:
        yield _open(exits, _Opening(name, stack, options, mode, place, environ, redactor, console, extra_env or {}))


@dataclass(frozen=True)
class _Opening:
    name: str
    stack: Stack
    options: Options
    mode: Mode
    place: Place | None
    environ: Mapping[str, str]
    redactor: Redactor
    console: Console
    extra_env: Mapping[str, str]


def locate_engine() -> tuple[Path, str]:
    """The engine's directory and version; wrong environment ends with what to do (exit 1)."""
    from toolchain.engine import EngineNotFoundError, locate  # noqa: PLC0415

    try:
        directory = locate()
    except EngineNotFoundError as error:
        raise Ending(Exit.FAILED, "toolchain", str(error)) from None
    import subprocess  # noqa: PLC0415

    asked = subprocess.run(  # noqa: S603 - the engine that was located
        [str(directory / "pulumi"), "version"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
    )
    return directory, asked.stdout.strip().removeprefix("v")


def _open(exits: ExitStack, opening: _Opening) -> Session:
    from automation.command import Command  # noqa: PLC0415 - loads the SDK: only for runs that need the engine
    from automation.engine import Engine  # noqa: PLC0415
    from automation.journal import Journal  # noqa: PLC0415
    from automation.policy import pack  # noqa: PLC0415
    from automation.progress import Progress  # noqa: PLC0415
    from automation.stop import signals_reach_the_engine  # noqa: PLC0415

    options, mode = opening.options, opening.mode
    used_pack = (
        exits.enter_context(pack(opening.stack, options.project, sandbox=mode.offline)) if options.policies else None
    )
    directory, version = locate_engine()
    place = opening.place or places.of(options.project, opening.name, mode.name, opening.environ)
    exits.enter_context(signals_reach_the_engine())
    work = exits.enter_context(
        work_directory(options.project, opening.name, Changes(options.demand, options.quality), offline=mode.offline)
    )
    if mode.offline:
        env = _offline_environment(exits, opening, place, directory)
    else:
        env = environment.real(opening.environ, engine=directory)
    env |= opening.extra_env
    if options.anew:
        env["ECOSYSTEM_PLANS"] = "off"
    journal = Journal(place.notes)
    progress = Progress(opening.console, opening.redactor)
    engine = Engine(work.folder, opening.name, Command(directory, version), env, opening.redactor, journal)
    engine.parallel, engine.on_step = options.parallel, progress.step
    if options.patience:
        engine.patience = engine.patience_in_flight = options.patience
    project_name = yaml.safe_load((options.project / "Pulumi.yaml").read_text(encoding="utf-8"))["name"]
    session = Session(
        opening.name,
        opening.stack,
        options,
        mode,
        place,
        work,
        engine,
        journal,
        used_pack,
        progress,
        opening.redactor,
        project_name,
        env.get("PULUMI_BACKEND_URL", ""),
        env.get("PULUMI_DEBUG_PROVIDERS", ""),
    )
    if session.backend is not None:
        statefile.check(session.backend, project_name, opening.name)
        if not any(lock.holder_lives() for lock in locks.held(session.backend, project_name, opening.name)):
            statefile.mend_sidecars(session.backend, project_name, opening.name)
    if mode.offline:
        _offline_stack(session)
    else:
        _real_stack(session)
    return session


def _offline_environment(exits: ExitStack, opening: _Opening, place: Place, engine: Path) -> dict[str, str]:
    from sandbox.server import Sandbox, SandboxFailed  # noqa: PLC0415 - only offline runs know the stand-in clouds

    place.prepare(logs=bool(opening.environ.get(places.DEBUG)))
    faults = opening.options.faults or (place.faults if place.faults.exists() else None)
    try:
        sandbox = exits.enter_context(Sandbox(place.clouds, faults=faults, clusters=opening.options.clusters))
    except SandboxFailed as error:
        raise Ending(Exit.FAILED, "sandbox", str(error)) from None
    return environment.offline(
        opening.environ,
        engine=engine,
        backend=place.backend,
        home=place.home,
        passphrase=place.passphrase(),
        debug_providers=sandbox.debug_providers,
    )


def _offline_stack(session: Session) -> None:
    """Make the stack where it is new, and give each encrypted key a stand-in value: nobody's secret is needed here."""
    passphrase = session.place.passphrase()
    session.redactor.learn([passphrase])
    assert session.backend is not None  # noqa: S101 - an offline backend is a directory
    if not statefile.path_of(session.backend, session.project_name, session.name).exists():
        session.engine.workspace.create_stack(session.name)
    values = {
        key: hmac.new(passphrase.encode(), key.encode(), hashlib.sha256).hexdigest() for key in session.work.secret_keys
    }
    session.redactor.learn(values.values())
    for key, value in values.items():
        session.engine.call("config", "set", key, value, "--secret", "--stack", session.name)
    if values:
        session.notes.append(f"{len(values)} secrets of the stack file are stand-ins: {', '.join(sorted(values))}")


def _real_stack(session: Session) -> None:
    """The stack must exist: making one writes a salt into the tracked file, which is its owner's decision."""
    known: list[dict[str, Any]] = _listed(session)
    if session.name not in {str(stack["name"]).rsplit("/", 1)[-1] for stack in known}:
        raise Ending(
            Exit.WRONG_INPUT,
            "stack",
            f"stack {session.name} does not exist in this backend: make it with `pulumi stack init {session.name}`",
        )
    if session.work.secret_keys:
        import json  # noqa: PLC0415

        shown = session.engine.call("config", "--show-secrets", "--json", "--stack", session.name)
        session.redactor.learn(
            str(entry["value"]) for entry in json.loads(shown).values() if entry.get("secret") and entry.get("value")
        )


def _listed(session: Session) -> list[dict[str, Any]]:
    import json  # noqa: PLC0415

    listed: list[dict[str, Any]] = json.loads(session.engine.call("stack", "ls", "--json"))
    return listed
