"""`images update`: newer versions of images into the manifests that Argo CD watches, one commit for each."""
# ruff: noqa: FBT002 - a command's options are its parameters

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from automation.command_line import Output, app, perform
from automation.exits import Ending, Exit
from automation.options import Json

images_app = typer.Typer(no_args_is_help=True, help="Images in manifests, and the versions that registries have.")
app.add_typer(images_app, name="images")

LOGINS: Final = "ECOSYSTEM_REGISTRY_LOGINS"
WORDS: Final = {
    "newer": "{before} -> {after} ({step})",
    "pinned": "{after}, by its digest now",
    "same": "{after}, nothing newer",
    "failed": "failed: {text}",
}


@images_app.callback()
def images() -> None:
    """Images in manifests, and the versions that registries have."""


@images_app.command("update")
def update_images(
    folder: Annotated[Path, typer.Argument(help="the folder that Argo CD watches, with image-updates.yaml")],
    only: Annotated[list[str] | None, typer.Option("--only", metavar="IMAGE", help="these images alone")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be committed")] = False,
    as_json: Json = False,
) -> None:
    """Commit newer digests of the folder's images; ECOSYSTEM_REGISTRY_LOGINS names a file of logins."""
    output = Output(as_json=as_json)

    def work() -> Exit:
        from automation.images.catalogue import Catalogue  # noqa: PLC0415
        from automation.images.commit import Tree  # noqa: PLC0415
        from automation.images.files import places  # noqa: PLC0415
        from automation.images.update import update  # noqa: PLC0415
        from automation.images.wish import load  # noqa: PLC0415
        from automation.oci import Door, logins  # noqa: PLC0415

        home = folder.resolve()
        wish = load(home)
        tree = None if dry_run else Tree(home)
        if tree is not None:
            tree.clean(sorted({place.file for place in places(home, frozenset(wish.images))}))
        file = os.environ.get(LOGINS)
        try:
            held = logins(Path(file)) if file else {}
        except ValueError as error:
            raise Ending(Exit.WRONG_INPUT, "logins", f"{LOGINS}={file} {error}") from None
        found, commits = update(home, Catalogue(Door(held)), tree.commit if tree else None, only or ())
        told = [each.told(home) for each in found]
        if as_json:
            made = {"folder": str(folder), "dry_run": dry_run, "images": told, "commits": commits}
            sys.stdout.write(json.dumps(made, indent=1) + "\n")
        for each in told:
            before = ", ".join(each["before"]) or "nothing"
            line = WORDS[each["state"]].format(**{**each, "before": before})
            output.err.print(f"{each['image']}: {line}", markup=False, highlight=False)
        would = sum(each.state in {"newer", "pinned"} for each in found)
        said = f"{would} to commit (dry run)" if dry_run else f"{len(commits)} committed"
        output.err.print(said, markup=False, highlight=False)
        return Exit.FAILED if any(each.state == "failed" for each in found) else Exit.OK

    perform(output, work)
