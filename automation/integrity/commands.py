"""`verify-integrity`, `verify-config-integrity` and `verify-secrets-compliance`: dated, signed, honest about gaps."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from automation.command_line import Output, app, perform
from automation.exits import Ending, Exit
from automation.options import Json, Project
from automation.session import PROJECT

Out = Annotated[Path | None, typer.Option("--out", metavar="FILE", help="write the report there")]
KeyFile = Annotated[Path | None, typer.Option("--key", metavar="FILE", help="sign the report", envvar="ECOSYSTEM_KEY")]


def _finish(output: Output, project: Path, parts: dict[str, Any], out: Path | None, key: Path | None) -> Exit:
    from automation.ledger.hand import now  # noqa: PLC0415
    from automation.policy import commit  # noqa: PLC0415
    from automation.signing import keys  # noqa: PLC0415
    from automation.signing.envelope import Signed  # noqa: PLC0415

    at = now()
    good = all(part["ok"] for part in parts.values())
    payload = {"at": keys.stamp(at), "commit": commit(project), "ok": good, "parts": parts}
    signed = Signed("ecosystem-integrity/1", payload)
    if key is not None:
        signed = signed.signed_by(keys.load(key), "author", at)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(signed.text(), encoding="utf-8")
    if output.as_json:
        sys.stdout.write(signed.text())
    for name, part in parts.items():
        for line in part["problems"]:
            output.err.print(f"{name}: {line}", style="red", markup=False, highlight=False)
        for line in part["unchecked"]:
            output.err.print(f"{name}: not checked: {line}", markup=False, highlight=False)
    signer = f"signed by {signed.signatures[0].owner}" if signed.signatures else "not signed (--key)"
    output.err.print(f"{payload['at']}: {'whole' if good else 'NOT WHOLE'}, {signer}", markup=False, highlight=False)
    return Exit.OK if good else Exit.REFUSED


@app.command("verify-integrity")
def verify_integrity(out: Out = None, key: KeyFile = None, as_json: Json = False, project: Project = PROJECT) -> None:  # noqa: FBT002
    """Structure, locks, signatures, ledger, and production code without stand-ins. Exits 4 when something is wrong."""
    output = Output(as_json=as_json)

    def work() -> Exit:
        from automation.integrity import structure  # noqa: PLC0415

        parts = {
            "structure": structure.structure(project).record(),
            "locks": structure.locks(project).record(),
            "honesty": structure.honesty(project).record(),
            "signatures": structure.signatures(project).record(),
            "ledger": _ledger(project),
        }
        return _finish(output, project, parts, out, key)

    perform(output, work)


def _ledger(project: Path) -> dict[str, Any]:
    from automation.ledger.hand import ledger_of  # noqa: PLC0415
    from automation.ledger.verify import verify  # noqa: PLC0415
    from automation.signing import trust  # noqa: PLC0415
    from automation.signing.commands import signers_file  # noqa: PLC0415

    verdict = verify(ledger_of(project, os.environ), trust.load(signers_file(project)))
    return {
        "ok": verdict.ok,
        "problems": [f"{code}: {sentence}" for code, sentence in verdict.problems],
        "checked": [f"{verdict.entries} entries"],
        "unchecked": verdict.unchecked,
    }


@app.command("verify-config-integrity")
def verify_config_integrity(
    file: Annotated[Path, typer.Argument(help="a stack file or a file of config/", metavar="FILE")],
    out: Out = None,
    key: KeyFile = None,
    as_json: Json = False,  # noqa: FBT002
    project: Project = PROJECT,
) -> None:
    """Judge one configuration file by its kind. Exits 4 when it is wrong, 2 when its kind is unknown."""
    output = Output(as_json=as_json)

    def work() -> Exit:
        from automation.integrity.configuration import judge  # noqa: PLC0415

        return _finish(output, project, {str(file): judge(file, project).record()}, out, key)

    perform(output, work)


@app.command("verify-secrets-compliance")
def verify_secrets_compliance(
    out: Out = None,
    key: KeyFile = None,
    as_json: Json = False,  # noqa: FBT002
    project: Project = PROJECT,
) -> None:
    """No secret in any file, references only in config/credentials.yaml. Exits 4 when one was found."""
    output = Output(as_json=as_json)

    def work() -> Exit:
        from automation.integrity import secrets  # noqa: PLC0415

        file = project / secrets.CREDENTIALS
        if not file.is_file():
            raise Ending(Exit.WRONG_INPUT, "credentials", f"{file} does not exist: it says where credentials come from")
        parts = {"tree": secrets.tree(project).record(), "credentials": secrets.credentials(file).record()}
        return _finish(output, project, parts, out, key)

    perform(output, work)
