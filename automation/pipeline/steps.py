"""Single steps of stages: `python -m automation.pipeline.steps NAME`; what one learns goes to PIPELINE_OUTPUT."""

from __future__ import annotations

import argparse
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from automation.exits import Ending, Exit
from automation.pipeline.runner import OUTPUT_VARIABLE
from automation.session import PROJECT

SECONDS: Final = 10.0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


def _tell(name: str, value: str) -> None:
    """Hand a value on: to our runner, and to the forge."""
    for variable in (OUTPUT_VARIABLE, "GITHUB_OUTPUT"):
        if path := os.environ.get(variable):
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(f"{name}={value}\n")
    _say(f"{name}={value}")


def fallback_mode(url: str | None) -> tuple[str, str]:
    """`auto` when the primary model answers, else `forced`: the platform then runs on its fallback agent; and why."""
    if not url:
        return "forced", "LLM_PRIMARY_URL is not set"
    if not url.startswith(("https://", "http://127.0.0.1:", "http://localhost:")):
        return "forced", "LLM_PRIMARY_URL is neither https nor this machine"
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:  # noqa: S310 - the scheme is checked above
            good = 200 <= answer.status < 300  # noqa: PLR2004
            return ("auto", "it answers") if good else ("forced", f"it answers {answer.status}")
    except (urllib.error.URLError, OSError, ValueError) as error:
        return "forced", f"it does not answer ({type(error).__name__})"


def llm_check(_: argparse.Namespace) -> int:
    """Decide the fallback mode; later stages hand it to the platform."""
    mode, why = fallback_mode(os.environ.get("LLM_PRIMARY_URL"))
    _say(f"primary model: {why}")
    _tell("fallback_mode", mode)
    return Exit.OK


def stacks(_: argparse.Namespace) -> int:
    """Read every stack file of the project."""
    from stacks.load import StackFileError, read_file  # noqa: PLC0415

    bad = 0
    for path in sorted(PROJECT.glob("Pulumi.*.yaml")):
        try:
            read_file(path)
            _say(f"{path.name}: good")
        except StackFileError as error:
            _say(str(error))
            bad += 1
    return Exit.WRONG_INPUT if bad else Exit.OK


def _evidence(stack: str) -> tuple[str, str]:
    """The evidence document of a stack's sizing and its digest."""
    from sizing import catalogue, evidence  # noqa: PLC0415
    from sizing.canonical import canonical  # noqa: PLC0415
    from sizing.placement import PlacementRefused  # noqa: PLC0415
    from sizing.stack_problem import sized  # noqa: PLC0415
    from stacks.load import StackFileError, read_file  # noqa: PLC0415

    try:
        wish = read_file(PROJECT / f"Pulumi.{stack}.yaml")
    except StackFileError as error:
        raise Ending(Exit.WRONG_INPUT, "stack-file", str(error)) from None
    try:
        asked = sized(wish, PROJECT, catalogue.load())
    except PlacementRefused as refused:
        raise Ending(Exit.REFUSED, "placement", str(refused)) from None
    account = None if asked.placement is None else canonical(asked.placement)
    made = evidence.sizing_outputs(evidence.problems_json(asked.problems), None, account)
    return str(made["document"]), evidence.digest(str(made["document"]))


def sizing(options: argparse.Namespace) -> int:
    """Solve, store the evidence, hand its hash on."""
    document, digest = _evidence(options.stack)
    out = Path(options.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(document + "\n", encoding="utf-8")
    _tell("sizing_evidence", digest)
    return Exit.OK


def same_sizing(options: argparse.Namespace) -> int:
    """Solve again; stop (exit 4) when the evidence of the sizing stage is not reached."""
    wanted = os.environ.get("SIZING_EVIDENCE", "")
    _, digest = _evidence(options.stack)
    if digest != wanted:
        raise Ending(Exit.REFUSED, "sizing", f"the sizing stage reached {wanted or 'nothing'}, this run {digest}: stop")
    _say(f"reached again: {digest}")
    return Exit.OK


def canary(options: argparse.Namespace) -> int:
    """Judge the metric series; exits 1 when any cloud vetoes."""
    from automation.pipeline.canary import judge  # noqa: PLC0415
    from automation.pipeline.settings import load  # noqa: PLC0415

    try:
        series = json.loads(Path(options.metrics).read_text(encoding="utf-8"))
        verdict = judge(series, load(PROJECT).canary)
    except (OSError, ValueError, TypeError, AttributeError, LookupError) as error:
        raise Ending(Exit.WRONG_INPUT, "metrics", f"{options.metrics} is no metric series: {error}") from None
    for line in verdict.log:
        _say(line)
    _say(f"canary: {verdict.outcome}")
    return Exit.OK if verdict.outcome == "promoted" else Exit.FAILED


def notify(options: argparse.Namespace) -> int:
    """Send an alert to the receivers that are configured."""
    from automation.notify.send import from_environment  # noqa: PLC0415

    sent = from_environment(os.environ).alert(options.alert, options.stack, f"{options.alert} of {options.stack}")
    _say(f"notified: {sent}")
    return Exit.FAILED if sent == "failed" else Exit.OK


def comment(options: argparse.Namespace) -> int:
    """Put the report into the pull request's one comment."""
    from automation.pullrequest.comment import Forge, update  # noqa: PLC0415

    forge = Forge.from_environment(os.environ)
    _say(update(forge, Path(options.report).read_text(encoding="utf-8")))
    return Exit.OK


def preview_environment(options: argparse.Namespace) -> int:
    """Update, remove or sweep the environments of pull requests."""
    from automation.pipeline import preview_step  # noqa: PLC0415

    return preview_step.preview_environment(options, PROJECT, real=os.environ.get("PIPELINE_REAL") == "true")


def push_images(_: argparse.Namespace) -> int:
    """Push the images of this commit to the registries of all clouds."""
    from automation.pipeline import images  # noqa: PLC0415
    from automation.pipeline.settings import load  # noqa: PLC0415
    from automation.policy import commit  # noqa: PLC0415

    rules = load(PROJECT).images
    made = images.push(rules.registries, [f"{name}:{commit(PROJECT) or 'unknown'}" for name in rules.names])
    images.save(made, Path(os.environ.get("PIPELINE_BUILD", "build")) / "images.json")
    for image, where in made.items():
        _say(f"{image}: {', '.join(sorted(where))}")
    return Exit.OK


def propose_images(options: argparse.Namespace) -> int:
    """Commit newer images of the folder to a branch, and ask for them by a pull request."""
    from automation.pipeline.propose_images import propose  # noqa: PLC0415

    _say(propose(PROJECT / options.folder, os.environ))
    return Exit.OK


def verify_clusters(options: argparse.Namespace) -> int:
    """Ask each cluster of the stack for nodes, pods and endpoints; exits 1 when something is not ready."""
    from rich.console import Console  # noqa: PLC0415

    from automation.pipeline import verify_clusters as verification  # noqa: PLC0415
    from automation.session import Options, opened  # noqa: PLC0415

    with opened(options.stack, Options(PROJECT, real=True, policies=False), Console(stderr=True)) as session:
        words = ("stack", "export", "--show-secrets", "--stack", session.name)
        clusters = verification.kubeconfigs(json.loads(session.engine.call(*words)))
    found = verification.verify(clusters)
    for name, findings in found.items():
        _say(f"{name}: {len(findings)} findings" if findings else f"{name}: nodes, pods and services are ready")
        for line in findings:
            _say(f"  {line}")
    return Exit.FAILED if any(found.values()) else Exit.OK


STEPS: Final[Mapping[str, tuple[Callable[[argparse.Namespace], int], tuple[str, ...]]]] = {
    "llm-check": (llm_check, ()),
    "stacks": (stacks, ()),
    "sizing": (sizing, ("stack", "out")),
    "same-sizing": (same_sizing, ("stack",)),
    "canary": (canary, ("metrics",)),
    "resilience": (canary, ("metrics",)),
    "blue-green": (canary, ("metrics",)),
    "notify": (notify, ("alert", "stack")),
    "comment": (comment, ("report",)),
    "preview-environment": (preview_environment, ("do",)),
    "push-images": (push_images, ()),
    "propose-images": (propose_images, ("folder",)),
    "verify-clusters": (verify_clusters, ("stack",)),
}


def main(words: list[str] | None = None) -> int:
    """Run one step."""
    parser = argparse.ArgumentParser(prog="python -m automation.pipeline.steps")
    commands = parser.add_subparsers(dest="step", required=True)
    for name, (does, needs) in STEPS.items():
        one = commands.add_parser(name, help=(does.__doc__ or "").splitlines()[0])
        for option in needs:
            one.add_argument(f"--{option}", required=True)
        one.set_defaults(does=does)
    options = parser.parse_args(words)
    try:
        done: Any = options.does(options)
        return int(done)
    except Ending as ending:
        sys.stderr.write(f"{ending}\n")
        return int(ending.code)


if __name__ == "__main__":
    sys.exit(main())
