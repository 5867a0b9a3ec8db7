"""The law at the engine's side: where the pack is, which facts it gets, what it counted. A missing pack is an error."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from automation.events import Collected
from automation.exits import Ending, Exit

if TYPE_CHECKING:
    from stacks.model import Stack

FACTS_POLICY: Final = "charter-mandatory"
"""The registered policy whose configuration carries the facts of the stack."""
REMEDY_POLICY: Final = "charter-remediate"
"""The one that puts right what is safe; without facts of its own it touches nothing."""
PACKAGES: Final = {"aws": "aws", "gcp": "gcp", "azure": "azure-native"}
SDKS: Final = ("aws", "gcp", "azure-native", "cloudflare", "kubernetes")


@dataclass(frozen=True)
class Pack:
    """The pack of one run, with its configuration and the file in which it counts."""

    folder: Path
    config: Path
    counts_file: Path

    @property
    def argument(self) -> tuple[Path, Path]:
        return self.folder, self.config

    def counts(self) -> dict[str, Any]:
        """What the pack counted; raises an Ending (exit 1) when it counted nothing: silence is not innocence."""
        try:
            read: dict[str, Any] = json.loads(self.counts_file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise Ending(
                Exit.FAILED,
                "policy-pack",
                f"the policy pack {self.folder} judged nothing: its counts cannot be read ({type(error).__name__})",
                ("a run without a verdict is not allowed to pass",),
            ) from None
        return read

    def told(self) -> str:
        """How far the pack had come, in one line: for a run that came to nothing."""
        try:
            counted = json.loads(self.counts_file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return f"the policy pack {self.folder}, which had judged nothing"
        return f"the policy pack {self.folder}, which had judged {counted.get('evaluated', 0)} pairs"

    def reset(self) -> None:
        """Forget the counts of the phase before."""
        self.counts_file.unlink(missing_ok=True)


@dataclass
class Verdicts:
    """The law's part of a report."""

    judged: bool
    findings: list[dict[str, str]] = field(default_factory=list)
    mandatory: int = 0
    advisory: int = 0
    remediated: int = 0
    undetermined: int = 0
    evaluated: int = 0
    undetermined_list: list[Any] = field(default_factory=list)
    excused: list[dict[str, str]] = field(default_factory=list)
    """What a waiver, or an exception inside a rule, lets be: rule, urn, path, why."""

    def about(self, types: str) -> int:
        """How many findings concern resources of types that begin so."""
        return sum(
            typ.rsplit("$", 1)[-1].startswith(types)
            for found in self.findings
            for typ in found["urn"].split("::")[2:3]  # a finding about nothing in particular has no type
        )

    def record(self) -> dict[str, Any]:
        return {
            "judged": self.judged,
            "mandatory": self.mandatory,
            "advisory": self.advisory,
            "remediated": self.remediated,
            "undetermined": self.undetermined,
            "evaluated": self.evaluated,
            "findings": self.findings,
            "undetermined_list": self.undetermined_list,
            "excused": self.excused,
        }


def versions() -> dict[str, str]:
    """The versions of the provider SDKs that are installed, by package; read without importing one."""
    found = {}
    for name in SDKS:
        try:
            found[name] = metadata.version(f"pulumi-{name}")
        except metadata.PackageNotFoundError:
            continue
    return found


def commit(project: Path) -> str:
    """The checkout's commit, or nothing outside of git."""
    try:
        asked = subprocess.run(
            ["git", "rev-parse", "HEAD"],  # noqa: S607 - git of the user's PATH
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError:
        return ""
    return asked.stdout.strip() if asked.returncode == 0 else ""


def facts(stack: Stack, project: Path, counts_file: Path, *, sandbox: bool) -> dict[str, Any]:
    """The facts of the stack as the pack's configuration: rules never read an environment's name to decide."""
    clouds = stack.clouds
    accounts = {
        "aws": [clouds.aws.account] if clouds.aws else [],
        "gcp": [clouds.gcp.project] if clouds.gcp else [],
        "azure": [clouds.azure.subscription] if clouds.azure else [],
    }
    return {
        "production": stack.production,
        "sandbox": sandbox,
        "accounts": {PACKAGES[cloud]: ids for cloud, ids in accounts.items() if ids},
        "regions": {PACKAGES[cloud]: sorted(stack.regions_in_use(cloud)) for cloud in stack.regions()},
        "owners": [stack.owner],
        "environment": stack.environment,
        "provider_versions": versions(),
        "counts_file": str(counts_file),
        "commit": commit(project),
        "evidence": {**evidence(stack), **runbooks(project)},
    }


def evidence(stack: Stack) -> dict[str, Any]:
    """What the stack file names of things that other stacks keep; a cloud that is not named stays undetermined."""
    kept = stack.elsewhere
    named: dict[str, Mapping[Any, str]] = {
        "sinks": kept.sinks,
        "budgets": kept.budgets,
        "costs": kept.costs,
        "copies": kept.copies,
    }
    packages = {**PACKAGES, "cloudflare": "cloudflare"}
    return {kind: {packages[cloud]: name for cloud, name in told.items()} for kind, told in named.items() if told}


def runbooks(project: Path) -> dict[str, list[str]]:
    """The runbooks of the project with their sections, as alerts point at them; nothing when it keeps none."""
    found: list[str] = []
    for path in sorted((project / "docs" / "runbooks").glob("*.md")):
        place = path.relative_to(project).as_posix()
        headings = re.findall(r"^#+ +(.+?) *$", path.read_text(encoding="utf-8"), re.MULTILINE)
        found += [
            place,
            *(f"{place}#{re.sub(r'[^a-z0-9 _-]', '', each.lower()).replace(' ', '-')}" for each in headings),
        ]
    return {"runbooks": found} if found else {}


@contextmanager
def pack(stack: Stack, project: Path, *, sandbox: bool) -> Iterator[Pack]:
    """The project's pack with a configuration of this run; without a pack the run ends (exit 1)."""
    folder = project / "policies"
    if not (folder / "PulumiPolicy.yaml").is_file():
        raise Ending(
            Exit.FAILED,
            "policy-pack",
            f"policy pack is missing: {folder / 'PulumiPolicy.yaml'} does not exist",
            ("restore it, or say --no-policies to run unjudged (the report then says so)",),
        )
    with tempfile.TemporaryDirectory(prefix="ecosystem-law-") as name:
        config, counts = Path(name) / "config.json", Path(name) / "counts.json"
        told = facts(stack, project, counts, sandbox=sandbox)
        config.write_text(json.dumps(dict.fromkeys((FACTS_POLICY, REMEDY_POLICY), told)), encoding="utf-8")
        yield Pack(folder.resolve(), config, counts)


def verdicts(collected: Collected, used: Pack | None) -> Verdicts:
    """Findings from the engine's events, counts from the pack's file."""
    if used is None:
        return Verdicts(judged=False)
    counted = used.counts()
    mandatory = len(collected.mandatory())
    return Verdicts(
        judged=True,
        findings=[found.record() for found in collected.findings],
        mandatory=mandatory,
        advisory=len(collected.findings) - mandatory,
        remediated=collected.remediated,
        undetermined=int(counted.get("undetermined", 0)),
        evaluated=int(counted.get("evaluated", 0)),
        undetermined_list=list(counted.get("undetermined_list", [])),
        excused=list(counted.get("excused", [])),
    )
