"""The story, chapter by chapter: each does one thing with the project's own commands and says what came of it."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from automation.story.scratch import APPROVER, AUTHOR, STACK, Ran, Scratch

SERIES: Final = Path(__file__).parent / "series"
HOSTILE: Final = "feature/$(touch${IFS}pwned)`id`<img-src=x-onerror=alert(1)>|@everyone"
"""A branch name that git allows and nobody should believe."""
PLANTED: Final = {
    "AWS_SECRET_ACCESS_KEY": "planted-aws-secret-000000000000",
    "GITHUB_TOKEN": "planted-forge-token-0000",
}
"""What the runner of a forked pull request must not hand on, planted here although the forge gives it to no fork."""


@dataclass
class Chapter:
    """One thing that was done: what had to happen, and what happened."""

    title: str
    expected: str
    got: str
    seconds: float

    @property
    def good(self) -> bool:
        return self.expected == self.got

    def record(self) -> dict[str, Any]:
        return {**self.__dict__, "good": self.good}


@dataclass
class Story:
    """Tells itself in a scratch repository; reports, plans and this story's own record go to `out`."""

    scratch: Scratch
    out: Path
    series: dict[str, Path]
    say: Callable[[str], object]
    chapters: list[Chapter] = field(default_factory=list)

    def tell(self) -> list[Chapter]:
        """All chapters in their order."""
        self.opening()
        self.change()
        plan = self.planned("change")
        self.refused_approval(plan)
        self.approved(plan)
        self.tampered(plan)
        before = self._resources()
        self.applied("the signed plan is applied", plan)
        self.released("good", before)
        self.stale(plan)
        self.bad_build()
        self.forked()
        return self.chapters

    def chapter(self, title: str, expected: str, work: Callable[[], str]) -> None:
        """Do one thing and write down how it ended."""
        began = time.monotonic()
        got = work()
        made = Chapter(title, expected, got, round(time.monotonic() - began, 1))
        self.chapters.append(made)
        self.say(f"{'as told ' if made.good else 'OTHERWISE'} {made.seconds:6.1f} s  {title}: {got}")

    def keep(self, name: str, ran: Ran) -> None:
        """Leave what a command said."""
        (self.out / f"{name}.out.txt").write_text(ran.out, encoding="utf-8")
        (self.out / f"{name}.err.txt").write_text(ran.err, encoding="utf-8")

    def opening(self) -> None:
        """The first commit is deployed, as it would have been long ago."""

        def work() -> str:
            ran = self.scratch.automation("up", STACK, "--offline", "--json")
            self.keep("01-main", ran)
            return _ended(ran)

        self.chapter("main is deployed", "exit 0", work)

    def change(self) -> None:
        """A branch with more demand and one more zone, and its report."""
        self.scratch.git("switch", "-q", "-c", "feature/more-demand")
        self._edit(f"Pulumi.{STACK}.yaml", "zones: 2", "zones: 3")
        self._edit("demand/story.csv", "frontend,general,100,64,0,4,", "frontend,general,100,64,0,24,")
        self.scratch.commit("More demand, and a subnet in a third zone")

        def work() -> str:
            ran = self._report("report-change", self.scratch.project)
            rows = json.loads((self.out / "report-change" / "report.json").read_text(encoding="utf-8"))
            pools = {row["pool"] for row in rows[0]["sizing"]} if rows else set()
            subnets = _created(rows[0], "Network") if rows else 0
            return f"{_ended(ran)}, pools {', '.join(sorted(pools))}, network parts are new: {subnets > 0}"

        self.chapter("the report of the branch", "exit 0, pools general, system, network parts are new: True", work)
        self.scratch.git("switch", "-q", "main")
        self.scratch.git("merge", "-q", "--ff-only", "feature/more-demand")

    def planned(self, name: str) -> Path:
        """What would happen, signed by its author."""
        file = self.out / f"plan-{name}.json"

        def work() -> str:
            ran = self.scratch.automation(
                "plan", STACK, "--key", self.scratch.key(AUTHOR), "--out", str(file), "--offline", "--json"
            )
            self.keep(f"plan-{name}", ran)
            return _ended(ran)

        self.chapter(f"a plan is drawn and signed ({name})", "exit 0", work)
        return file

    def refused_approval(self, plan: Path) -> None:
        """Nobody approves the own plan."""

        def work() -> str:
            return _ended(self.scratch.automation("approve", str(plan), "--key", self.scratch.key(AUTHOR)))

        self.chapter("the author approves the own plan", "exit 4", work)

    def approved(self, plan: Path) -> None:
        """Somebody else signs."""

        def work() -> str:
            return _ended(self.scratch.automation("approve", str(plan), "--key", self.scratch.key(APPROVER)))

        self.chapter("somebody else approves", "exit 0", work)

    def applied(self, title: str, plan: Path) -> None:
        """What was signed happens."""

        def work() -> str:
            return _ended(self._up(plan))

        self.chapter(title, "exit 0", work)

    def canary(self, name: str) -> bool:
        """The verdict is computed from the series; returns whether traffic may stay."""
        promoted = []

        def work() -> str:
            ran = self.scratch.python("automation.pipeline.steps", "canary", "--metrics", str(self.series[name]))
            self.keep(f"canary-{name}", ran)
            promoted.append(ran.code == 0)
            return ran.out.strip().splitlines()[-1] if ran.out.strip() else ran.err.strip()

        told = {"good": "canary: promoted", "bad": "canary: rolled-back"}
        self.chapter(f"canary of the {name} build", told[name], work)
        return promoted[0]

    def verified(self) -> None:
        """After the deployment: the clouds are as the state says, and nobody rewrote the ledger."""

        def work() -> str:
            drift = self.scratch.automation("drift", STACK, "--offline", "--json")
            ledger = self.scratch.automation("ledger", "verify")
            self.keep("verify-drift", drift)
            self.keep("verify-ledger", ledger)
            return f"drift {_ended(drift)}, ledger {_ended(ledger)}"

        self.chapter("verified", "drift exit 0, ledger exit 0", work)

    def tampered(self, plan: Path) -> None:
        """One step of an approved plan is taken out."""

        def work() -> str:
            document = json.loads(plan.read_text(encoding="utf-8"))
            document["payload"]["steps"] = document["payload"]["steps"][:-1]
            bad = self.out / "plan-tampered.json"
            bad.write_text(json.dumps(document), encoding="utf-8")
            return _refused(self._up(bad))

        self.chapter("a tampered plan", "exit 4: plan-signature", work)

    def stale(self, plan: Path) -> None:
        """The plan that was applied is used again."""
        self.chapter("a stale plan", "exit 4: plan-state", lambda: _refused(self._up(plan)))

    def bad_build(self) -> None:
        """A release whose canary fails."""
        before = self._resources()
        self._edit("demand/story.csv", "checkoutservice,general,100,", "checkoutservice,general,900,")
        self.scratch.commit("A checkout that needs nine times the processor")
        plan = self.planned("bad-build")
        self.approved(plan)
        self.applied("the bad build is applied", plan)
        self.released("bad", before)

    def released(self, name: str, before: dict[str, Any]) -> None:
        """What the canary says decides: the release stays, or the stack goes back to what it was."""
        if not self.canary(name):
            self.rolled_back(name, before)
        self.verified()

    def rolled_back(self, name: str, before: dict[str, Any]) -> None:
        """The commit before is applied again; whatever differs from before is left in a file."""

        def work() -> str:
            changed = self._resources() != before
            ran = self.scratch.automation("rollback", STACK, "--offline", "--json")
            self.keep("rollback", ran)
            after = self._resources()
            differing = sorted(urn for urn in set(before) | set(after) if before.get(urn) != after.get(urn))
            listed = [{"urn": urn, "before": before.get(urn), "after": after.get(urn)} for urn in differing]
            (self.out / "rollback-differences.json").write_text(json.dumps(listed, indent=1), encoding="utf-8")
            return f"{_ended(ran)}, was changed: {changed}, is as before: {not differing}"

        self.chapter(f"the {name} build is rolled back", "exit 0, was changed: True, is as before: True", work)

    def forked(self) -> None:
        """A pull request of a stranger: a program that wants the runner's secrets, and a hostile branch name."""
        fork = self.scratch.folder / "fork" / "project"
        self.scratch.git("clone", "-q", str(self.scratch.project), str(fork))
        for name in (".venv", ".toolchain"):
            (fork / name).symlink_to((self.scratch.project / name).resolve())
        (fork / ".git" / "info" / "exclude").write_text(".venv\n.toolchain\n", encoding="utf-8")
        self.scratch.git("switch", "-q", "-c", HOSTILE, project=fork)
        program = fork / "__main__.py"
        steal = (
            'import json, os\nfrom pathlib import Path\n(Path(__file__).parent / "build").mkdir(exist_ok=True)\n'
            'Path(__file__).with_name("build").joinpath("seen.json").write_text(json.dumps(dict(os.environ)))\n'
        )
        program.write_text(steal + program.read_text(encoding="utf-8"), encoding="utf-8")
        self.scratch.git("add", "-A", project=fork)
        self.scratch.git("commit", "-q", "-m", "<script>alert(1)</script> $(id)", project=fork)

        def work() -> str:
            ran = self._report("report-fork", fork, **PLANTED, GITHUB_HEAD_REF=HOSTILE)
            seen = fork / "build" / "seen.json"
            held = seen.read_text(encoding="utf-8") if seen.exists() else ""
            written = "".join(path.read_text(encoding="utf-8") for path in sorted((self.out / "report-fork").iterdir()))
            leaked = sum(secret in held + written + ran.out + ran.err for secret in PLANTED.values())
            ran_it = bool(held)
            plan = self.scratch.automation(
                "plan", STACK, "--key", str(self.scratch.folder / "stranger.key"), "--out", str(self.out / "x.json"),
                "--offline", project=fork,
            )  # fmt: skip
            seen_by = f"its program ran: {ran_it}, secrets seen: {leaked}"
            return f"{_ended(ran)}, {seen_by}, a plan of the stranger: {_ended(plan)}"

        self.chapter(
            "a forked pull request",
            "exit 0, its program ran: True, secrets seen: 0, a plan of the stranger: exit 2",
            work,
        )
        self.chapter("stages that a fork's pull request runs", "offline", _stages_of_a_fork)

    def _report(self, name: str, project: Path, **env: str) -> Ran:
        ran = self.scratch.automation(
            "report", STACK, "--offline", "--base", "main" if project == self.scratch.project else "origin/main",
            "--out", str(self.out / name), project=project, **env,
        )  # fmt: skip
        self.keep(name, ran)
        return ran

    def _up(self, plan: Path) -> Ran:
        ran = self.scratch.automation("up", STACK, "--plan", str(plan), "--approvals", "1", "--offline", "--json")
        self.keep(f"up-{plan.stem}", ran)
        return ran

    def _edit(self, name: str, old: str, new: str) -> None:
        path = self.scratch.project / name
        text = path.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ValueError(f"{name}: {old!r} has to stand there once")
        path.write_text(text.replace(old, new), encoding="utf-8")

    def _resources(self) -> dict[str, Any]:
        """Inputs of everything that is deployed, without `desiredSize`: the autoscaler owns it between updates."""
        (file,) = (self.scratch.folder / "state").glob(f"**/backend/.pulumi/stacks/*/{STACK}.json")
        checkpoint = json.loads(file.read_text(encoding="utf-8"))["checkpoint"]["latest"]
        found = {
            one["urn"]: one.get("inputs") or {}
            for one in checkpoint["resources"]
            if not one["type"].startswith(("pulumi:", "pulumi-python:"))
        }
        for inputs in found.values():
            (inputs.get("scalingConfig") or {}).pop("desiredSize", None)
        return found

    def finish(self) -> None:
        """Leave the story itself."""
        told = [one.record() for one in self.chapters]
        (self.out / "story.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
        lines = [
            "# The story",
            "",
            "| | chapter | what had to happen | what happened | seconds |",
            "|---|---|---|---|---|",
        ]
        lines += [
            f"| {'as told' if one.good else 'OTHERWISE'} | {one.title} | {one.expected} | {one.got} | {one.seconds} |"
            for one in self.chapters
        ]
        (self.out / "story.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _ended(ran: Ran) -> str:
    return f"exit {ran.code}"


def _refused(ran: Ran) -> str:
    return f"exit {ran.code}: {', '.join(sorted(set(ran.reasons())))}"


def _created(report: dict[str, Any], component: str) -> int:
    return sum(row["count"] for row in report["changes"] if row["component"] == component and row["op"] == "create")


def _stages_of_a_fork() -> str:
    from automation.pipeline.catalogue import PIPELINES  # noqa: PLC0415
    from automation.pipeline.model import Trigger  # noqa: PLC0415

    trigger = Trigger("pull_request", "main", fork=True, action="opened")
    return ", ".join(PIPELINES["preview"].chosen(trigger))


def tell(source: Path, out: Path, series: dict[str, Path], say: Callable[[str], object]) -> list[Chapter]:
    """Tell the story of a project: a scratch repository is made, used and taken away; `out` keeps what it left."""
    import tempfile  # noqa: PLC0415

    from automation.story import scratch  # noqa: PLC0415

    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    memory = Path("/dev/shm")  # noqa: S108 - only as the parent of a private temporary directory
    with tempfile.TemporaryDirectory(prefix="story-", dir=memory if memory.is_dir() else None) as folder:
        story = Story(scratch.make(source, Path(folder)), out, series, say)
        try:
            return story.tell()
        finally:
            story.finish()
