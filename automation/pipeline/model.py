"""What a pipeline is: stages in an order, each with commands, and the one condition under which it runs.

The condition is data: it is evaluated on a laptop and written as the forge's expression, so both decide alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

Event = Literal["push", "pull_request", "workflow_dispatch", "schedule"]
ENVIRONMENTS: Final = ("dev", "staging", "prod")


@dataclass(frozen=True)
class Trigger:
    """Why a pipeline runs. `environment` is what somebody chose in a manual run."""

    event: Event
    branch: str = "main"
    environment: str = ""
    fork: bool = False
    action: str = ""  # of a pull request: opened, synchronize, reopened, closed


@dataclass(frozen=True)
class When:
    """One way to run: an event, and what else has to hold."""

    event: Event
    branches: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()
    own: bool = False  # not from a fork
    closed: bool | None = None  # of a pull request

    def holds(self, trigger: Trigger) -> bool:
        """Whether this trigger is meant."""
        return (
            trigger.event == self.event
            and (not self.branches or trigger.branch in self.branches)
            and (not self.environments or trigger.environment in self.environments)
            and not (self.own and trigger.fork)
            and (self.closed is None or self.closed == (trigger.action == "closed"))
        )

    def github(self) -> str:
        """The same as an expression of GitHub Actions."""
        parts = [f"github.event_name == '{self.event}'"]
        for name, values in (("github.ref_name", self.branches), ("inputs.environment", self.environments)):
            if values:
                either = " || ".join(f"{name} == '{value}'" for value in values)
                parts.append(f"({either})" if len(values) > 1 else either)
        if self.own:
            parts.append("github.event.pull_request.head.repo.full_name == github.repository")
        if self.closed is not None:
            parts.append(f"github.event.action {'==' if self.closed else '!='} 'closed'")
        return " && ".join(parts)

    def gitlab(self) -> str:
        """The same as an expression of GitLab CI."""
        source = {
            "push": "push", "pull_request": "merge_request_event", "workflow_dispatch": "web", "schedule": "schedule",
        }[self.event]  # fmt: skip
        parts = [f'$CI_PIPELINE_SOURCE == "{source}"']
        for name, values in (("$CI_COMMIT_BRANCH", self.branches), ("$ENVIRONMENT", self.environments)):
            if values:
                either = " || ".join(f'{name} == "{value}"' for value in values)
                parts.append(f"({either})" if len(values) > 1 else either)
        if self.own:
            parts.append("$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID")
        return " && ".join(parts)


@dataclass(frozen=True)
class Command:
    """One command of a stage; words in braces are filled in: {stack}, {environment}, {build}, outputs of stages."""

    name: str
    words: tuple[str, ...]
    tool: str = ""  # the program it needs; a Python module of ours needs none
    files: tuple[str, ...] = ()  # files of the project without which it has nothing to do
    identity: bool = False  # works on real clouds: needs credentials


@dataclass(frozen=True)
class Stage:
    """Commands that run one after another; the first failure ends the stage."""

    key: str
    title: str
    commands: tuple[Command, ...]
    needs: tuple[str, ...] = ()
    when: tuple[When, ...] = ()  # () means whenever the pipeline runs
    environment: str = ""  # protected environment of the forge: reviewers, per-stack role
    identity: bool = False  # OIDC to the clouds
    comments: bool = False  # may write a pull request's comment
    asks: bool = False  # reads the list of open pull requests
    proposes: bool = False  # pushes a branch of its own and opens a pull request
    history: bool = False  # compares with another commit
    engine: bool = False  # builds the engine first
    lock: str = ""  # one at a time, never cancelled
    outputs: tuple[str, ...] = ()
    artifacts: tuple[str, ...] = ()
    buildx: bool = False
    minutes: int = 30

    def runs(self, trigger: Trigger) -> bool:
        """Whether the stage belongs to a run of this trigger."""
        return not self.when or any(one.holds(trigger) for one in self.when)


@dataclass(frozen=True)
class Triggers:
    """What starts a pipeline at the forge."""

    push: tuple[str, ...] = ()
    pull_request: tuple[str, ...] = ()
    pull_request_types: tuple[str, ...] = ()
    manual: bool = False
    environments: tuple[str, ...] = ()
    schedule: str = ""

    def start(self, trigger: Trigger) -> bool:
        """Whether the forge starts the pipeline at all."""
        if trigger.event == "push":
            return trigger.branch in self.push
        if trigger.event == "pull_request":
            meant = self.pull_request_types or ("opened", "synchronize", "reopened")
            return trigger.branch in self.pull_request and (trigger.action or "opened") in meant
        if trigger.event == "workflow_dispatch":
            return self.manual and (not self.environments or trigger.environment in self.environments)
        return bool(self.schedule)


@dataclass(frozen=True)
class Pipeline:
    """A named order of stages."""

    name: str
    title: str
    triggers: Triggers
    stages: tuple[Stage, ...]
    one_at_a_time: str = ""  # expression of the concurrency group beyond the workflow's name
    stacks: Mapping[str, str] = field(default_factory=dict)  # branch -> environment

    def stage(self, key: str) -> Stage:
        """A stage by its key. Raises KeyError."""
        return next((stage for stage in self.stages if stage.key == key), None) or _missing(key)

    def chosen(self, trigger: Trigger) -> tuple[str, ...]:
        """Keys of the stages that run for a trigger, in order; a stage whose need is left out is left out too."""
        if not self.triggers.start(trigger):
            return ()
        kept: list[str] = []
        for stage in self.stages:
            if stage.runs(trigger) and all(need in kept for need in stage.needs):
                kept.append(stage.key)
        return tuple(kept)


def _missing(key: str) -> Stage:
    raise KeyError(key)
