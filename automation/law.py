"""`law FILE` and `law render`: an exported state before the charter, the charter for clusters; without an engine."""

# ruff: noqa: FBT002, PLR0913, PLR0917 - typer reads a command's options from its parameters

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import typer
from rich.console import Console
from typer.core import TyperGroup

from automation.command_line import Output, app, perform
from automation.exits import Ending, Exit
from automation.options import Json, Offline, Project
from automation.pack import PATIENCE, ask
from automation.render import open_questions
from automation.session import PROJECT

ANSWERS: Final = (Exit.OK, Exit.REFUSED)


class Spoken(TyperGroup):
    """`law FILE` judges; another word, such as `law render`, is a command of its own."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put in the word that is left out."""
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = ["judge", *args]
        return super().parse_args(ctx, args)


law_app = typer.Typer(cls=Spoken, help="The charter: judge a FILE (`law FILE`), or `law render` it for clusters.")
app.add_typer(law_app, name="law")


@law_app.command("judge")
def law(
    file: Annotated[
        Path, typer.Argument(help="what `pulumi stack export` or `pulumi preview --save-plan` wrote", metavar="FILE")
    ],
    base: Annotated[
        Path | None, typer.Option("--base", metavar="STATE", help="the state that a saved preview starts from")
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="facts, as the pack takes them")
    ] = None,
    stack: Annotated[str | None, typer.Option("--stack", metavar="STACK", help="facts of this stack file")] = None,
    offline: Offline = False,
    as_json: Json = False,
    project: Project = PROJECT,
) -> None:
    """Judge an exported state, or a saved preview, by the charter. Exits 4 when a finding is mandatory."""
    output = Output(as_json=as_json, stack=stack or "")

    def work() -> Exit:
        if config is not None and stack is not None:
            raise Ending(Exit.WRONG_INPUT, "options", "--config and --stack both give facts: give one of them")
        made = judged(file, _facts(config, stack, project, offline=offline), project, base)
        if as_json:
            sys.stdout.write(json.dumps(made, indent=1) + "\n")
        else:
            show(made, Console(width=None if sys.stdout.isatty() else 160))
        return Exit.REFUSED if made["mandatory"] else Exit.OK

    perform(output, work)


@law_app.command("render")
def render(
    door: Annotated[Literal["gatekeeper", "cel"], typer.Option("--door", help="who will judge in the cluster")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="folder for DOOR.yaml; made when missing")],
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="facts, as the pack takes them")
    ] = None,
    stack: Annotated[str | None, typer.Option("--stack", metavar="STACK", help="facts of this stack file")] = None,
    project: Project = PROJECT,
) -> None:
    """Write the rules over Kubernetes objects for a cluster's own admission."""
    output = Output(as_json=False, stack=stack or "")

    def work() -> Exit:
        if config is not None and stack is not None:
            raise Ending(Exit.WRONG_INPUT, "options", "--config and --stack both give facts: give one of them")
        done = _asked(project, "charter.admission.render", [door], _facts(config, stack, project, offline=False))
        if done.returncode == Exit.WRONG_INPUT:
            raise Ending(Exit.WRONG_INPUT, "facts", done.stderr.strip())
        if done.returncode != Exit.OK or not done.stdout:
            sentence = f"the policy pack {project / 'policies'} ended with {done.returncode}: nothing is rendered"
            raise Ending(Exit.FAILED, "policy-pack", sentence)
        try:
            out.mkdir(parents=True, exist_ok=True)
            (out / f"{door}.yaml").write_text(done.stdout, encoding="utf-8")
        except OSError as problem:
            raise Ending(Exit.WRONG_INPUT, "out", f"{out}: cannot be written ({problem.strerror})") from None
        output.err.print(f"written: {out / f'{door}.yaml'}", markup=False, highlight=False)
        return Exit.OK

    perform(output, work)


def _facts(config: Path | None, stack: str | None, project: Path, *, offline: bool) -> dict[str, Any]:
    """Return the facts by which is judged; without any, those of a stack that is not production."""
    if config is not None:
        try:
            told = json.loads(config.read_text("utf-8"))
        except (OSError, ValueError) as problem:
            raise Ending(Exit.WRONG_INPUT, "config", f"{config}: cannot be read as JSON ({problem})") from None
        if not isinstance(told, dict):
            raise Ending(Exit.WRONG_INPUT, "config", f"{config}: is no JSON object of facts")
        facts = dict(told.get("charter-mandatory", told))
    elif stack is not None:
        facts = _of_stack(stack, project, offline=offline)
    else:
        facts = {}
    return {**facts, "sandbox": True} if offline else facts


def _of_stack(stack: str, project: Path, *, offline: bool) -> dict[str, Any]:
    from automation import policy  # noqa: PLC0415 - the stack file's schema loads only when it is asked for
    from stacks.load import StackFileError, read_file  # noqa: PLC0415

    try:
        read = read_file(project / f"Pulumi.{stack}.yaml")
    except (StackFileError, OSError) as problem:
        raise Ending(Exit.WRONG_INPUT, "stack-file", str(problem)) from None
    return {**policy.facts(read, project, Path(), sandbox=offline), "counts_file": ""}


def judged(file: Path, facts: dict[str, Any], project: Path, base: Path | None = None) -> dict[str, Any]:
    """Return findings and counts of a file; raises an Ending when the pack is missing, broken, silent or refuses."""
    words = [str(each.resolve()) for each in (file, base) if each is not None]
    asked = _asked(project, "charter.offline", words, facts)
    if asked.returncode == Exit.WRONG_INPUT:
        raise Ending(Exit.WRONG_INPUT, "state", asked.stderr.strip())
    return _answer(asked.returncode, asked.stdout, project / "policies")


def _asked(project: Path, module: str, words: list[str], facts: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Ask the pack in a process of its own, facts last; raises an Ending when it is missing or says nothing."""
    pack = project / "policies"
    source = (pack / Path(*module.split("."))).with_suffix(".py")
    if not source.is_file():
        raise Ending(Exit.FAILED, "policy-pack", f"policy pack is missing: {source} does not exist")
    with tempfile.TemporaryDirectory(prefix="ecosystem-law-") as name:
        config = Path(name) / "config.json"
        config.write_text(json.dumps(facts), encoding="utf-8")
        try:
            done = ask(pack, module, [*words, str(config)])
        except subprocess.TimeoutExpired:
            raise Ending(
                Exit.FAILED, "policy-pack", f"the policy pack {pack} hung for {PATIENCE} s: nothing is judged"
            ) from None
    done.stderr = done.stderr.replace(f" {config}", "").replace(str(config), "facts")
    return done


def _answer(code: int, said: str, pack: Path) -> dict[str, Any]:
    """Return what the pack said; a pack that crashed, or says one thing and ends with another, has judged nothing."""
    try:
        made: dict[str, Any] = json.loads(said) if code in ANSWERS else {}
        mandatory = sum(each["level"] == "mandatory" for each in made["findings"])
        whole = made["rules"] > 0 and made["evaluated"] >= 0 and isinstance(made["excused"], list)
        believed = whole and bool(mandatory) == (code == Exit.REFUSED)
    except (ValueError, KeyError, TypeError):
        believed, mandatory = False, 0
    if not believed:
        sentence = f"the policy pack {pack} ended with {code} and no verdict: nothing is judged"
        raise Ending(Exit.FAILED, "policy-pack", sentence)
    return {"mandatory": mandatory, "advisory": len(made["findings"]) - mandatory, **made}


def show(made: dict[str, Any], console: Console) -> None:
    """Print findings, worst first, then what was let be, then the counts."""
    order = {"critical": 0, "high": 1, "medium": 2}
    for each in sorted(made["findings"], key=lambda one: (order.get(one["severity"], 0), one["rule"], one["urn"])):
        console.print(f"{each['severity']:8} {each['message']}", markup=False, highlight=False, soft_wrap=True)
        for line in (each["urn"], each["remediation"], ", ".join(each["controls"])):
            if line:
                console.print(f"         {line}", markup=False, highlight=False, soft_wrap=True)
    for each in made["excused"]:
        told = f"let be   {each['rule']} {each['path']}: {each['why']} ({each['urn']})"
        console.print(told, markup=False, highlight=False, soft_wrap=True)
    console.print(
        f"{made['mandatory']} mandatory, {made['advisory']} advisory; {made['evaluated']} pairs of rule and resource "
        f"judged by {made['rules']} rules, {made['undetermined']} undetermined",
        markup=False,
        highlight=False,
    )
    if made.get("undetermined_list"):
        console.print(open_questions(made["undetermined_list"]), markup=False, highlight=False, soft_wrap=True)
