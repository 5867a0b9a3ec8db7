"""The engine on one stack: operations with their events, and the few commands around them."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pulumi.automation import LocalWorkspace

from automation import gate, watchdog
from automation.command import Command
from automation.events import Collected, Step
from automation.exits import Ending, Exit
from automation.journal import Journal
from automation.redact import Redactor
from automation.stream import listening
from automation.watchdog import Watchdog


@dataclass
class Outcome:
    """What one operation did; `code` is the engine's own exit code, output is redacted."""

    operation: str
    collected: Collected
    code: int
    stdout: str
    stderr: str
    seconds: float
    stream_problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return self.code == 0


@dataclass
class Engine:
    """One stack in one work directory. Nothing here decides: it runs, collects, journals and watches."""

    work: Path
    stack: str
    command: Command
    env: dict[str, str]
    redactor: Redactor
    journal: Journal | None = None
    patience: float = watchdog.PATIENCE_SECONDS
    patience_in_flight: float = watchdog.PATIENCE_IN_FLIGHT_SECONDS
    parallel: int | None = None
    on_step: Callable[[dict[str, Any], Collected], object] | None = None
    _pid: int | None = None

    def __post_init__(self) -> None:
        self.workspace = LocalWorkspace(
            work_dir=str(self.work),
            env_vars=self.env,
            pulumi_command=self.command,
            pulumi_home=self.env.get("PULUMI_HOME"),
        )

    def call(self, *args: str, env: dict[str, str] | None = None) -> str:
        """Run one engine command and return what it printed; an Ending (exit 1) with its words when it fails."""
        result = self.command.capture(list(args), str(self.work), {**self.env, **(env or {})})
        if result.code:
            text = self.redactor.text(result.stderr or result.stdout)
            raise gate.failure(f"pulumi {' '.join(args[:2])}", [text])
        return str(result.stdout)

    def operate(
        self,
        operation: str,
        *flags: str,
        packs: Sequence[tuple[Path, Path | None]] = (),
        journalled: bool = False,
        env: dict[str, str] | None = None,
    ) -> Outcome:
        """Run `preview`, `up`, `refresh`, `destroy` or `import` and collect what the engine says.

        Ends the run with exit 3 when the watchdog bit.
        """
        collected = Collected()
        dog = Watchdog(self.patience, self.patience_in_flight)
        journal = self.journal if journalled else None

        def take(event: dict[str, Any]) -> None:
            dog.feed()
            step = collected.take(event)
            if journal and step:
                _note(journal, event, step)
            if self.on_step:
                self.on_step(event, collected)

        def started(pid: int) -> None:
            self._pid = pid
            if journal:
                journal.engine(pid)

        began = time.monotonic()
        with ExitStack() as stack:
            answer = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ecosystem-ask-"))) / "pending"
            address, problems = stack.enter_context(listening(take))
            args = [operation, *flags, *self._common(packs), "--event-log", address]
            full = {**self.env, **(env or {}), **watchdog.environment(answer, self.env)}
            self.command.on_start = started
            if journal:
                journal.start(operation)
            stack.callback(setattr, self.command, "on_start", None)
            stack.enter_context(watchdog.watching(dog, lambda: self._pid, lambda: _waits(collected), answer))
            result = self.command.capture(args, str(self.work), full)
        outcome = Outcome(
            operation,
            collected,
            result.code,
            self.redactor.text(result.stdout),
            self.redactor.text(result.stderr),
            time.monotonic() - began,
            problems,
        )
        if journal:
            journal.end(clean=outcome.ok)
        if dog.waited_for is not None:
            named = dog.waited_for
            if not named and packs and not collected.steps:
                named = tuple(f"the policy pack {pack} to answer" for pack, _ in packs)
            raise _bitten(operation, named, self.redactor)
        return outcome

    def _common(self, packs: Sequence[tuple[Path, Path | None]]) -> list[str]:
        common = ["--stack", self.stack, "--color", "never", "--suppress-progress", "--skip-plugin-pre-install"]
        if self.parallel:
            common += ["--parallel", str(self.parallel)]
        for pack, config in packs:
            common += ["--policy-pack", str(pack)]
            if config:
                common += ["--policy-pack-config", str(config)]
        return common

    def export(self) -> dict[str, Any]:
        """The stack's state; secrets stay encrypted."""
        exported: dict[str, Any] = json.loads(self.call("stack", "export", "--stack", self.stack))
        return exported

    def import_state(self, state: dict[str, Any]) -> None:
        """Replace the stack's state."""
        with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
            json.dump(state, file)
            file.flush()
            self.call("stack", "import", "--stack", self.stack, "--file", file.name)

    def outputs(self) -> dict[str, Any]:
        """What the stack exports; secrets are masked."""
        read: dict[str, Any] = json.loads(self.call("stack", "output", "--json", "--stack", self.stack))
        return read


def _waits(collected: Collected) -> list[str]:
    """Steps that a cloud was asked for and has not answered, in words."""
    return sorted(
        f"{step.op} {step.type} {step.name}"
        for step in list(collected.in_flight.values())
        if step.custom and step.op != "same"
    )


def _note(journal: Journal, event: dict[str, Any], step: Step) -> None:
    if "resourcePreEvent" in event:
        journal.begun(step)
    elif "resOutputsEvent" in event:
        journal.acknowledged(step)


def _bitten(operation: str, waited_for: tuple[str, ...], redactor: Redactor) -> Ending:
    named = tuple(redactor.text(line) for line in waited_for)
    return Ending(
        Exit.WATCHDOG,
        "no-progress",
        f"{operation} made no progress and was ended; it waited for:" if named else f"{operation} made no progress",
        named
        or ("nothing that the engine or the program could name: run again with --patience and PULUMI_DEBUG_GRPC",),
    )
