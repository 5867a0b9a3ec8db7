"""The door for unit tests: a program under Pulumi's mocks, judged without engine, backend or cloud.

    from charter.mocked import judged

    def test_the_network_keeps_the_charter() -> None:
        verdicts, _ = judged(lambda: Network("n", ...), {"production": True}, Mocks())
        assert [verdict.message for verdict in verdicts] == []

Nothing is known better here than in a preview; what mocks answer is taken for what a cloud would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import charter.rules  # noqa: F401  registers every rule
import pulumi
from charter.facts import read_facts
from charter.judge import Judge, Verdict
from charter.rule import Resource
from charter.states import resource
from google.protobuf import json_format
from pulumi.runtime import settings
from pulumi.runtime.mocks import MockMonitor, Mocks, set_mocks

ROOT = "pulumi:pulumi:Stack"


class Recorder(MockMonitor):
    """A monitor that keeps whatever a program registers, with its relations, for the charter."""

    def __init__(self, mocks: Mocks, project: str, stack: str) -> None:
        super().__init__(mocks)
        self._project, self._stack = project, stack
        self.entries: dict[str, dict[str, Any]] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802  the protocol's own name
        """Register, and keep what was asked for."""
        answer = super().RegisterResource(request)
        self.entries[answer.urn] = {
            "urn": answer.urn,
            "type": request.type,
            "inputs": json_format.MessageToDict(request.object),
            "parent": request.parent,
            "provider": request.provider,
            "protect": request.protect,
            "ignoreChanges": list(request.ignoreChanges),
            "dependencies": list(request.dependencies),
            "propertyDependencies": {
                name: list(each.urns) for name, each in request.propertyDependencies.items() if each.urns
            },
        }
        return answer

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        """Return the name that the engine would give: with all parents' types, the root stack's left out."""
        above = parent.split("::")[2] if parent else ROOT
        return "::".join(
            [f"urn:pulumi:{self._stack}", self._project, type_ if above == ROOT else f"{above}${type_}", name]
        )

    def seen(self) -> list[Resource]:
        """Return what was registered, as rules see it; by name, as programs register in no fixed order."""
        return [resource(self.entries[urn], self.entries) for urn in sorted(self.entries)]


def judged(  # noqa: PLR0913  a run is what it is; each part is named at the call
    program: Callable[[], Any],
    facts: Mapping[str, Any],
    mocks: Mocks,
    *,
    project: str = "cloud-ecosystem",
    stack: str = "test",
    preview: bool = False,
) -> tuple[list[Verdict], Judge]:
    """Run a program under mocks and judge what it registered; secrets are visible here."""
    recorder = Recorder(mocks, project, stack)
    settings.ROOT.set(None)  # another test's root is registered with another monitor
    set_mocks(mocks, project=project, stack=stack, preview=preview, monitor=recorder)
    pulumi.runtime.test(program)()
    told = read_facts(facts).model_copy(update={"secrets_visible": True})
    judge, found = Judge(), recorder.seen()
    verdicts = [verdict for each in found for verdict in judge.resource(each, told)]
    return [*verdicts, *judge.stack(found, told)], judge
