"""`plan`, `approve` and `keys`: draw up a plan, sign it, and look after the keys."""
# ruff: noqa: FBT002, PLR0913, PLR0917 - a command's options are its parameters

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from automation.command_line import Output, app, perform
from automation.exits import Ending, Exit
from automation.options import Demand, Project, Quality, Run, Unjudged, on_a_stack
from automation.session import PROJECT, opened

keys_app = typer.Typer(no_args_is_help=True, help="The key pairs that sign plans and the ledger.")
app.add_typer(keys_app, name="keys")

Key = Annotated[
    Path, typer.Option("--key", metavar="FILE", help="your private keys", envvar="ECOSYSTEM_KEY", exists=False)
]
Out = Annotated[Path, typer.Option("--out", metavar="FILE", help="where the signed plan goes")]
Owner = Annotated[str, typer.Option("--owner", help="whose keys: a name that does not change")]
Private = Annotated[Path, typer.Option("--out", metavar="FILE", help="the private half; keep it out of the project")]


def signers_file(project: Path) -> Path:
    """Where the public keys are."""
    from automation.signing import trust  # noqa: PLC0415

    return Path(os.environ.get("ECOSYSTEM_SIGNERS") or project / trust.FILE)


@app.command()
@on_a_stack
def plan(
    run: Run, key: Key, out: Out, demand: Demand = None, quality: Quality = None, no_policies: Unjudged = False
) -> None:
    """Preview, judge and sign what would happen; `up --plan FILE` does exactly that or refuses."""
    output, stack = run.output(), run.stack
    options = replace(run.options, demand=demand, quality=quality, policies=not no_policies)

    def work() -> Exit:
        from automation.ledger.hand import now  # noqa: PLC0415
        from automation.signing import door, keys  # noqa: PLC0415

        own = keys.load(key)
        with opened(stack, options, output.err) as session:
            made, signed = door.plan(session, own, now())
            if signed is not None:
                out.write_text(signed.text(), encoding="utf-8")
                made["plan"] = {"file": str(out), "author": own.owner, "expires_at": signed.payload["expires_at"]}
                output.err.print(f"signed: {out}, until {signed.payload['expires_at']}", markup=False, highlight=False)
            output.report(session.redactor.value(made))
        return Exit.REFUSED if signed is None else Exit.OK

    perform(output, work)


@app.command()
def approve(
    file: Annotated[Path, typer.Argument(help="a plan that somebody else signed", metavar="FILE")],
    key: Key,
    project: Project = PROJECT,
) -> None:
    """Add your signature to somebody else's plan."""
    output = Output(as_json=False)

    def work() -> Exit:
        from automation.ledger.hand import ledger_of, now  # noqa: PLC0415
        from automation.signing import canonical, contract, envelope, keys, trust  # noqa: PLC0415

        signed = contract.checked(envelope.read(file))
        own, at = keys.load(key), now()
        broken = signed.refusals(trust.load(signers_file(project)))
        if broken:
            raise Ending(
                Exit.REFUSED, broken[0].code, "a plan with a broken signature is not approved",
                tuple(one.sentence for one in broken),
            )  # fmt: skip
        if own.owner.casefold() == str(signed.payload["author"]).casefold():
            raise Ending(
                Exit.REFUSED, "plan-approver-is-author", f"{own.owner} drew up this plan: somebody else approves"
            )
        part = file.with_suffix(file.suffix + ".part")
        part.write_text(signed.signed_by(own, "approver", at).text(), encoding="utf-8")
        part.replace(file)
        ledger_of(project, os.environ).append(
            at,
            "approve",
            who=own.owner,
            stack=signed.payload["stack"],
            plan=canonical.digest(signed.payload),
            outcome="ok",
        )
        output.err.print(f"{own.owner} approved {file}", markup=False, highlight=False)
        return Exit.OK

    perform(output, work)


@keys_app.command()
def generate(
    owner: Owner,
    out: Private,
    role: Annotated[list[str] | None, typer.Option("--role", help="author, approver or ledger; several times")] = None,
    days: Annotated[int, typer.Option("--days", min=1, max=1000, help="life of the keys")] = 365,
) -> None:
    """Make a key pair of both kinds; prints the public half, which a reviewed change adds to config/signers.json."""
    output = Output(as_json=False)

    def work() -> Exit:
        from automation.ledger.hand import now  # noqa: PLC0415
        from automation.signing import keys  # noqa: PLC0415

        roles = tuple(role or ("author", "approver"))
        if unknown := set(roles) - {"author", "approver", "ledger"}:
            raise Ending(Exit.WRONG_INPUT, "option", f"--role {', '.join(unknown)}: give author, approver or ledger")
        made = keys.generate(owner, now(), timedelta(days=days), roles)
        made.save(out)
        sys.stdout.write(json.dumps(made.public.record(), indent=1) + "\n")
        return Exit.OK

    perform(output, work)


@keys_app.command()
def trust(
    file: Annotated[Path, typer.Argument(help="a public half, as `keys generate` printed it", metavar="FILE")],
    project: Project = PROJECT,
) -> None:
    """Add a public half to config/signers.json; the change is then reviewed like any other."""
    output = Output(as_json=False)

    def work() -> Exit:
        from automation.signing import trust as trust_  # noqa: PLC0415

        signers = trust_.load(signers_file(project))
        try:
            signers.add(trust_.key_of(json.loads(file.read_text(encoding="utf-8"))))
        except (OSError, ValueError, TypeError, KeyError) as problem:
            raise Ending(Exit.WRONG_INPUT, "key", f"{file} is no public half ({type(problem).__name__})") from None
        if found := signers.problems():
            raise Ending(Exit.WRONG_INPUT, "key", f"{file} is no public half", tuple(found))
        signers.save(signers_file(project))
        return Exit.OK

    perform(output, work)


@keys_app.command()
def rotate(key: Key, out: Private, project: Project = PROJECT) -> None:
    """Make a new pair for the owner of `--key`, endorse it with the old one and retire the old one."""
    output = Output(as_json=False)

    def work() -> Exit:
        from automation.ledger.hand import ledger_of, now  # noqa: PLC0415
        from automation.signing import keys  # noqa: PLC0415
        from automation.signing import trust as trust_  # noqa: PLC0415

        old, at = keys.load(key), now()
        fresh = keys.generate(old.owner, at, roles=old.roles)
        signers = trust_.load(signers_file(project))
        signers.rotate(old, fresh.public, at)
        fresh.save(out)
        signers.save(signers_file(project))
        facts: dict[str, Any] = {"old": old.public.key_id, "new": fresh.public.key_id, "outcome": "ok"}
        ledger_of(project, os.environ).append(at, "rotate-key", who=old.owner, **facts)
        output.err.print(f"{old.public.key_id} is retired, {fresh.public.key_id} signs from now on", highlight=False)
        return Exit.OK

    perform(output, work)


@keys_app.command("list")
def list_(project: Project = PROJECT) -> None:
    """Show who may sign."""
    output = Output(as_json=False)

    def work() -> Exit:
        from automation.signing import trust as trust_  # noqa: PLC0415

        for known in trust_.load(signers_file(project)).keys.values():
            end = f"retired {known.retired_at}" if known.retired_at else f"until {known.valid_until}"
            sys.stdout.write(f"{known.key_id}  {known.owner}  {', '.join(known.roles)}  {end}\n")
        return Exit.OK

    perform(output, work)
