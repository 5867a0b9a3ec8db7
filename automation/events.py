"""What the engine said during one operation, collected: steps, outputs, failures, diagnostics, policy."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

CREATES: Final = frozenset({"create", "create-replacement", "import", "import-replacement"})
DELETES: Final = frozenset({"delete", "delete-replaced"})
QUIET: Final = frozenset({"same", "read", "refresh", "discard", "discard-replaced", "read-replacement"})
REPLACES: Final = frozenset({"replace", "create-replacement", "delete-replaced", "import-replacement"})

_COLOUR = re.compile(r"<\{%[^%]*%\}>|\x1b\[[0-9;]*m")
_RULE = re.compile(r"(?P<rule>[A-Z]{2,5}-\d{1,4})\s+(?P<path>\S*?):\s+(?P<text>.+?)(?=\s*\n\s*To do: |\Z)", re.DOTALL)

_CLOSING = re.compile(r"(preview|update|refresh|destroy|import) failed")


def plain(text: str) -> str:
    """Without the engine's colour directives."""
    return _COLOUR.sub("", text)


@dataclass(frozen=True)
class Step:
    """One step of the engine on one resource."""

    op: str
    urn: str
    type: str
    provider: str
    old: dict[str, Any]  # inputs before; {} when there was nothing
    new: dict[str, Any]  # inputs after; {} when nothing stays
    old_outputs: dict[str, Any]
    new_outputs: dict[str, Any]
    id: str
    parent: str
    custom: bool
    protect: bool
    retain: bool
    diff: dict[str, str]  # property path -> kind, as the provider said; {} when it said nothing
    keys: tuple[str, ...]  # properties that force the replacement

    @property
    def name(self) -> str:
        return self.urn.rsplit("::", 1)[-1]

    @property
    def exists_after(self) -> bool:
        return self.op not in DELETES and self.op not in {"discard", "discard-replaced"}


@dataclass(frozen=True)
class Diagnostic:
    severity: str
    urn: str
    message: str


@dataclass(frozen=True)
class Finding:
    """One message of the law; `rule` and `path` are read from the fixed form `RULE-ID path: text`."""

    rule: str
    level: str
    urn: str
    path: str
    message: str

    def record(self) -> dict[str, str]:
        return {"rule": self.rule, "level": self.level, "urn": self.urn, "path": self.path, "message": self.message}


def _state(metadata: dict[str, Any], side: str) -> dict[str, Any]:
    found = metadata.get(side)
    return found if isinstance(found, dict) else {}


def step_of(metadata: dict[str, Any]) -> Step:
    """Read one step from the event's JSON (apitype.StepEventMetadata)."""
    old, new = _state(metadata, "old"), _state(metadata, "new")
    newest = new or old
    return Step(
        op=metadata.get("op", ""),
        urn=metadata.get("urn", ""),
        type=metadata.get("type", ""),
        provider=newest.get("provider") or metadata.get("provider", ""),
        old=old.get("inputs") or {},
        new=new.get("inputs") or {},
        old_outputs=old.get("outputs") or {},
        new_outputs=new.get("outputs") or {},
        id=newest.get("id") or "",
        parent=newest.get("parent") or "",
        custom=bool(newest.get("custom")),
        protect=bool(old.get("protect") or new.get("protect")),
        retain=bool(old.get("retainOnDelete")),
        diff={path: what.get("diffKind", "") for path, what in (metadata.get("detailedDiff") or {}).items()},
        keys=tuple(metadata.get("keys") or ()),
    )


def finding_of(event: dict[str, Any]) -> Finding:
    """Read one policy event; the text stands after the policy's description and a newline."""
    text = plain(event.get("message", "")).strip()
    read = _RULE.search(text)
    return Finding(
        rule=read["rule"] if read else event.get("policyName", ""),
        level=event.get("enforcementLevel", ""),
        urn=event.get("resourceUrn", ""),
        path=read["path"] if read else "",
        message=" ".join((read["text"] if read else text).split()),
    )


@dataclass
class Collected:
    """Everything of one operation that a report, a gate or a journal asks for."""

    steps: list[Step] = field(default_factory=list)
    done: dict[tuple[str, str], Step] = field(default_factory=dict)
    failed: list[Step] = field(default_factory=list)
    in_flight: dict[tuple[str, str], Step] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    remediated: int = 0
    summary: dict[str, int] = field(default_factory=dict)

    def take(self, event: dict[str, Any]) -> Step | None:
        """Add one event; returns the step it is about, if any."""
        if "resourcePreEvent" in event:
            step = step_of(event["resourcePreEvent"]["metadata"])
            self.steps.append(step)
            self.in_flight[step.urn, step.op] = step
            return step
        for kind in ("resOutputsEvent", "resOpFailedEvent"):
            if kind in event:
                step = step_of(event[kind]["metadata"])
                begun = [key for key in self.in_flight if key in {(step.urn, step.op), (step.urn, "refresh")}]
                for key in begun:
                    del self.in_flight[key]
                if kind == "resOutputsEvent":
                    self.done[step.urn, step.op] = step
                else:
                    self.failed.append(step)
                return step
        self._take_rest(event)
        return None

    def _take_rest(self, event: dict[str, Any]) -> None:
        if "diagnosticEvent" in event:
            said = event["diagnosticEvent"]
            text = plain(said.get("message", "")).strip()
            if text and not said.get("ephemeral") and said.get("severity") != "debug":
                self.diagnostics.append(Diagnostic(said.get("severity", ""), said.get("urn", ""), text))
        elif "policyEvent" in event:
            self.findings.append(finding_of(event["policyEvent"]))
        elif "policyRemediationEvent" in event:
            self.remediated += 1
        elif "errorEvent" in event:
            self.diagnostics.append(Diagnostic("error", "", plain(event["errorEvent"].get("error", ""))))
        elif "summaryEvent" in event:
            self.summary = {
                op: count for op, count in (event["summaryEvent"]["resourceChanges"] or {}).items() if count
            }

    @property
    def changes(self) -> dict[str, int]:
        """Steps by operation as the engine sums them up, without those that change nothing."""
        return {op: count for op, count in self.summary.items() if op not in QUIET}

    @property
    def errors(self) -> list[Diagnostic]:
        """What went wrong, without the engine's closing line (`preview failed`), which says nothing."""
        return [d for d in self.diagnostics if d.severity == "error" and not _CLOSING.fullmatch(d.message)]

    def mandatory(self) -> list[Finding]:
        return [found for found in self.findings if found.level == "mandatory"]

    def final_steps(self) -> dict[str, Step]:
        """The last word on each resource that exists afterwards, by URN; a replacement counts once."""
        return {step.urn: step for step in self.steps if step.exists_after}

    def changing(self) -> list[Step]:
        """The steps that change something, in the engine's order."""
        return [step for step in self.steps if step.op not in QUIET]
