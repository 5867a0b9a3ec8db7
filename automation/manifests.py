"""`manifests TARGET`: Kubernetes objects against definitions of any version, and their references among each other."""
# ruff: noqa: FBT002, PLR0913, PLR0917 - a command's options are its parameters

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automation.command_line import Output, app, perform
from automation.exits import Ending, Exit
from automation.options import Json, Project, Quality
from automation.session import PROJECT, Options

if TYPE_CHECKING:
    from components.kubernetes.crds.documents import Document
    from components.kubernetes.crds.fits import Definitions
    from components.kubernetes.references import Known

Clusters = dict[str, "list[Document]"]


@app.command()
def manifests(
    target: Annotated[
        str, typer.Argument(help="a stack, or a file or folder of manifests (YAML, JSON, lists)", metavar="TARGET")
    ],
    crds: Annotated[
        Path | None, typer.Option("--crds", metavar="DIR", help="definitions of custom resources, of any version")
    ] = None,
    allow_missing: Annotated[
        bool, typer.Option("--allow-missing", help="a kind without a definition is listed, and no finding")
    ] = False,
    references: Annotated[
        bool | None,
        typer.Option("--references/--no-references", help="whether names lead somewhere; for a stack they must"),
    ] = None,
    as_json: Json = False,
    quality: Quality = None,
    project: Project = PROJECT,
) -> None:
    """Judge what a stack emits, or manifests. Exits 4 when something does not fit or leads nowhere."""
    path = Path(target)
    is_file = path.exists() or "/" in target or path.suffix != ""
    output = Output(as_json=as_json, stack="" if is_file else target)

    def work() -> Exit:
        from components.kubernetes.crds.documents import DocumentError  # noqa: PLC0415
        from components.kubernetes.crds.fits import definitions  # noqa: PLC0415

        try:
            held = _with_clouds(definitions(crds)) if crds is not None else None
            clusters, known = (_of_files(path), None) if is_file else _of_stack(target, project, quality, output)
        except DocumentError as problem:
            raise Ending(Exit.WRONG_INPUT, "manifests", str(problem)) from None
        wanted = (not is_file) if references is None else references
        made = {name: judged(found, held, known, references=wanted) for name, found in sorted(clusters.items())}
        if as_json:
            sys.stdout.write(json.dumps({"target": target, "clusters": made}, indent=1) + "\n")
        else:
            _show(made)
        lost = ("misfits", "dangling") if allow_missing or held is None else ("misfits", "dangling", "missing")
        return Exit.REFUSED if any(each[part] for each in made.values() for part in lost) else Exit.OK

    perform(output, work)


def _with_clouds(held: Definitions) -> Definitions:
    """Add what managed clusters bring by themselves, definitions of volume snapshots; a folder's own ones count first.

    They say what anything of the stage makes of them, not every field.
    """
    from components.kubernetes.crds.documents import Document  # noqa: PLC0415
    from sandbox.kubernetes.snapshots import GROUP, SNAPSHOTS  # noqa: PLC0415

    missing = (each for each in SNAPSHOTS if (GROUP, each["spec"]["names"]["kind"]) not in held.held)
    return held.take(Document(place=each["metadata"]["name"], body=each) for each in missing)


def judged(
    documents: list[Document], held: Definitions | None, known: Known | None, *, references: bool
) -> dict[str, Any]:
    """Return what is wrong with the objects of one cluster, and what was not judged."""
    from components.kubernetes.crds import fits  # noqa: PLC0415
    from components.kubernetes.references import check, of_inputs, of_object  # noqa: PLC0415

    own = fits.Definitions(dict(held.held), dict(held.templates)) if held is not None else fits.Definitions()
    objects = [each for each in documents if not each.body["apiVersion"].startswith("helm.sh/")]
    seen = fits.check(objects, own.take(objects)) if held is not None else fits.Seen()
    releases = [each.body for each in documents if each.body["apiVersion"].startswith("helm.sh/")]
    things = [thing for each in objects if (thing := of_object(each.body))]
    things += [thing for each in releases if (thing := of_inputs("kubernetes:helm.sh/v3:Release", each))]
    return {
        "objects": len(objects),
        "judged": seen.judged,
        "built_in": seen.built_in,
        "rules_not_evaluated": seen.rules,
        "missing": dict(sorted(seen.missing.items())),
        "misfits": [str(each) for each in seen.misfits],
        "dangling": [str(each) for each in check(things, known)] if references else [],
    }


def _of_files(path: Path) -> Clusters:
    from components.kubernetes.crds.documents import files, read  # noqa: PLC0415

    return {"": [each for file in files(path) for each in read(file)]}


def _of_stack(name: str, project: Path, quality: Any, output: Output) -> tuple[Clusters, Known]:
    """Preview a stack offline, unjudged, and take the objects that it would have."""
    from automation.references import beside, emitted  # noqa: PLC0415
    from automation.rehearse import stage  # noqa: PLC0415
    from automation.success import demand_success  # noqa: PLC0415
    from components.kubernetes.crds.documents import Document  # noqa: PLC0415

    with stage(name, Options(project, quality=quality, policies=False), output.err) as session:
        with session.progress.during("preview"):
            outcome = session.engine.operate("preview")
        demand_success(session, outcome)
        stack = session.stack
        found = emitted(outcome.collected.steps, stack.cluster_names())
    clusters = {
        cluster: [Document(place=_place(kind, inputs), body=_whole(kind, inputs)) for kind, inputs in objects]
        for cluster, objects in found.items()
    }
    return clusters, beside(stack)


def _whole(kind: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    module, _, name = kind.removeprefix("kubernetes:").partition(":")
    return {**inputs, "apiVersion": module.removeprefix("core/"), "kind": name}


def _place(kind: str, inputs: Mapping[str, Any]) -> str:
    meta = inputs.get("metadata")
    return str((meta if isinstance(meta, Mapping) else inputs).get("name") or kind)


def _show(made: Mapping[str, Mapping[str, Any]]) -> None:
    for cluster, each in made.items():
        head = f"{cluster}: " if cluster else ""
        for line in (*each["misfits"], *each["dangling"]):
            sys.stdout.write(f"{head}{line}\n")
        for kind, number in each["missing"].items():
            sys.stdout.write(f"{head}{kind}: no definition ({number} objects not judged)\n")
        counted = (
            f"{each['judged']} custom resources judged",
            f"{len(each['misfits'])} misfits",
            f"{len(each['dangling'])} references that lead nowhere",
            f"{sum(each['missing'].values())} without a definition",
            f"{each['built_in']} built in",
            f"{each['rules_not_evaluated']} CEL rules not evaluated",
        )
        sys.stdout.write(f"{head}{each['objects']} objects: {', '.join(counted)}\n")
