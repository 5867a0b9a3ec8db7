"""`release`: the bill of materials, the provenance, and whether a file is the one that was released."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from automation.command_line import Output, app, perform
from automation.exits import Ending, Exit
from automation.options import Project
from automation.session import PROJECT
from automation.signing.commands import Key, signers_file

release_app = typer.Typer(no_args_is_help=True, help="What goes with a release: materials and provenance.")
app.add_typer(release_app, name="release")

Files = Annotated[list[Path], typer.Argument(help="the files of the release", metavar="FILE...")]
LOCKS = ("requirements.txt", "charts.lock", "toolchain/engine/go.sum", "toolchain/cluster/go.sum")


@release_app.command()
def sbom(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="where the bill goes")] = Path("build/sbom.json"),
    version: Annotated[str, typer.Option("--version", help="of the release; default: the commit")] = "",
    project: Project = PROJECT,
) -> None:
    """Write the bill of materials (CycloneDX 1.6 JSON) from the locks; the same locks make the same bytes."""
    output = Output(as_json=False)

    def work() -> Exit:
        from automation.policy import commit  # noqa: PLC0415
        from automation.release.sbom import make  # noqa: PLC0415

        text = make(project, version or commit(project) or "unknown")
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
        output.err.print(f"written: {out}", markup=False, highlight=False)
        return Exit.OK

    perform(output, work)


@release_app.command()
def provenance(
    files: Files,
    key: Key,
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="where the envelope goes")] = Path(
        "build/provenance.json"
    ),
    project: Project = PROJECT,
) -> None:
    """Sign where these files come from: repository, commit, run and locks, as SLSA provenance."""
    output = Output(as_json=False)

    def work() -> Exit:
        from automation.ledger.hand import ledger_of, now  # noqa: PLC0415
        from automation.policy import commit  # noqa: PLC0415
        from automation.release import provenance as made  # noqa: PLC0415
        from automation.signing import keys  # noqa: PLC0415

        head = commit(project)
        if not head:
            raise Ending(Exit.WRONG_INPUT, "git", f"{project} is no git checkout: a release has a commit")
        server, name = os.environ.get("GITHUB_SERVER_URL", ""), os.environ.get("GITHUB_REPOSITORY", "")
        where = f"{server}/{name}" if server and name else "local"
        run = f"{where}/actions/runs/{os.environ.get('GITHUB_RUN_ID', '0')}" if server else "local"
        builder = f"{where}/runner" if server else "local"
        locks = {lock: made.file_digest(project / lock) for lock in LOCKS if (project / lock).is_file()}
        own, at = keys.load(key), now()
        text = made.sign(made.statement(files, made.Source(where, head, run, builder, locks), at), own)
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")
        names = sorted(path.name for path in files)
        ledger_of(project, os.environ).append(at, "release", who=own.owner, commit=head, files=names, outcome="ok")
        output.err.print(f"signed by {own.owner}: {out}", markup=False, highlight=False)
        return Exit.OK

    perform(output, work)


@release_app.command()
def verify(
    envelope: Annotated[Path, typer.Argument(help="what `release provenance` wrote", metavar="PROVENANCE")],
    files: Files,
    project: Project = PROJECT,
) -> None:
    """Exits 4 when a signature, a signer or a file is not what the provenance says."""
    output = Output(as_json=False)

    def work() -> Exit:
        from automation.release.provenance import problems  # noqa: PLC0415
        from automation.signing import trust  # noqa: PLC0415

        try:
            text = envelope.read_text(encoding="utf-8")
        except OSError as error:
            raise Ending(Exit.WRONG_INPUT, "provenance", f"{envelope}: {error.strerror}") from None
        except UnicodeDecodeError:
            raise Ending(Exit.WRONG_INPUT, "provenance", f"{envelope}: no signed provenance, but no text") from None
        found = problems(text, files, trust.load(signers_file(project)))
        if found:
            raise Ending(Exit.REFUSED, "provenance", f"{len(found)} things speak against it", tuple(found))
        sys.stdout.write(f"{len(files)} files are as released\n")
        return Exit.OK

    perform(output, work)
