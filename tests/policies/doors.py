"""One graph through the four doors: the pack in the engine, mocks, a saved preview, an exported state."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
import yaml
from charter.facts import read_facts
from charter.judge import Verdict
from charter.mocked import judged
from charter.offline import judge
from charter.states import SECRET_SIGNATURE, SIGNATURE

from sandbox.server import Sandbox
from tests.policies import replay
from toolchain.engine import locate

PROJECT = Path(__file__).parents[2]
NAME = "cloud-ecosystem"
Findings = set[tuple[str, str, str]]
"""Rule, URN and path of each finding."""
BLIND = frozenset({"CH-26"})
"""What the engine's door cannot decide: a pack is not shown which values are secret."""


class Echo(pulumi.runtime.Mocks):
    """Mocks that answer with what they were asked for."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        return f"{args.name}-id", dict(args.inputs)

    def call(self, _args: pulumi.runtime.MockCallArgs) -> dict[str, Any]:
        return {}


def of_state(state: Mapping[str, Any], facts: Mapping[str, Any]) -> Findings:
    return _set(judge(state, read_facts(facts))[0])


def of_plan(plan: Mapping[str, Any], facts: Mapping[str, Any], base: Mapping[str, Any] | None = None) -> Findings:
    return _set(judge(plan, read_facts(facts), base)[0])


def of_mocks(entries: Sequence[Mapping[str, Any]], facts: Mapping[str, Any], stack: str) -> Findings:
    return _set(judged(lambda: replay.register(entries), facts, Echo(), project=NAME, stack=stack)[0])


def _set(verdicts: Sequence[Verdict]) -> Findings:
    return {(each.rule.id, each.urn, each.path) for each in verdicts}


def replayable(entries: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return a graph without dynamic resources, whose code no graph holds, and without what refers to them."""
    gone = {each["urn"] for each in entries if "pulumi-python" in each["type"]}
    kept = []
    for each in entries:
        if each["urn"] in gone:
            continue
        fed = {key: [urn for urn in urns if urn not in gone] for key, urns in each["propertyDependencies"].items()}
        needs = [urn for urn in each["dependencies"] if urn not in gone]
        kept.append(
            {**each, "dependencies": needs, "propertyDependencies": {k: urns for k, urns in fed.items() if urns}}
        )
    return kept


class Graph:
    """A graph on the real engine against the stand-in clouds: previewed, saved, exported."""

    def __init__(self, entries: Sequence[Mapping[str, Any]], facts: Mapping[str, Any], stack: str) -> None:
        self.entries, self.facts, self.stack = entries, facts, stack

    def run(self) -> dict[str, Findings]:
        """Return the findings of each door."""
        with tempfile.TemporaryDirectory() as name, Sandbox(Path(name) / "clouds") as sandbox:
            folder = Path(name)
            self._prepare(folder, sandbox.debug_providers)
            engine = self._preview()
            plan = json.loads((folder / "plan.json").read_text())
            (folder / "made.json").write_text(json.dumps(self._made()))
            self._pulumi("stack", "import", "--file", str(folder / "made.json"))
            exported = json.loads(self._pulumi("stack", "export"))
        return {
            "engine": engine,
            "mocks": of_mocks(self.entries, self.facts, self.stack),
            "plan": of_plan(plan, self.facts),
            "state": of_state(exported, self.facts),
        }

    def _made(self) -> dict[str, Any]:
        """Return the graph as a deployment, which the engine checks, keeps and writes in its own words."""
        ids = {urn: own for urn, _, own in (str(each.get("provider") or "").rpartition("::") for each in self.entries)}
        resources = [
            {
                **{key: value for key, value in each.items() if value not in ("", None)},
                "inputs": _shown(each.get("inputs") or {}),
                "outputs": {},
                **({"id": each.get("id") or ids.get(each["urn"], "made")} if each.get("custom", True) else {}),
            }
            for each in self.entries
        ]
        time = "2026-11-21T00:00:00Z"
        return {
            "version": 3,
            "deployment": {"manifest": {"time": time, "magic": "", "version": ""}, "resources": resources},
        }

    def _prepare(self, folder: Path, providers: str) -> None:
        self.folder = folder
        runtime = {"name": "python", "options": {"toolchain": "pip", "virtualenv": str(PROJECT / ".venv")}}
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump({"name": NAME, "runtime": runtime}))
        (folder / "__main__.py").write_text(Path(replay.__file__).read_text())
        (folder / "graph.json").write_text(json.dumps(list(self.entries)))
        (folder / "config.json").write_text(json.dumps({"charter-mandatory": self.facts}))
        (folder / "state").mkdir()
        self.environment = {
            **os.environ,
            "PATH": f"{locate()}:{os.environ['PATH']}",
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_DEBUG_PROVIDERS": providers,
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DEBUG_COMMANDS": "true",
            "PULUMI_EXPERIMENTAL": "true",
            "GRAPH": str(folder / "graph.json"),
        }
        self._pulumi("stack", "init", self.stack, stack=False)

    def _pulumi(self, *words: str, stack: bool = True, fails: bool = False) -> str:
        command = ["pulumi", *words, "--non-interactive", *(["--stack", self.stack] if stack else [])]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=300, check=False
        )
        if done.returncode and not fails:
            raise AssertionError(f"{' '.join(command)}: {done.stdout[-3000:]} {done.stderr[-3000:]}")
        return done.stdout

    def _preview(self) -> Findings:
        """Preview with the pack, and return what the engine's events tell of it."""
        log = self.folder / "events.json"
        pack = ["--policy-pack", str(PROJECT / "policies"), "--policy-pack-config", str(self.folder / "config.json")]
        said = self._pulumi("preview", *pack, "--event-log", str(log), fails=True)
        self._pulumi("preview", "--save-plan", str(self.folder / "plan.json"))
        events = [json.loads(line) for line in log.read_text().splitlines()]
        found = [each["policyEvent"] for each in events if "policyEvent" in each]
        if not any("summaryEvent" in each for each in events):
            raise AssertionError(f"the preview did not end: {said[-3000:]}")
        return {_told(each) for each in found}


def _shown(value: Any) -> Any:
    """Return a value with its secrets in the form in which a deployment may be brought in."""
    if isinstance(value, dict):
        if SIGNATURE in value:
            return {SIGNATURE: SECRET_SIGNATURE, "plaintext": json.dumps("replayed")}
        return {key: _shown(item) for key, item in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list) else value


def _told(event: Mapping[str, Any]) -> tuple[str, str, str]:
    message = event["message"].partition("\n")[2] or event["message"]
    rule, _, path = message.partition(": ")[0].strip().partition(" ")
    return rule, event.get("resourceUrn", ""), "" if path == "(resource)" else path
