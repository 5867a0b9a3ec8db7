"""`rotate-secrets`: another passphrase or a key of a KMS for a stack's secrets, in its state and in its stack file."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from automation.command_line import Output, app, perform
from automation.exits import Ending, Exit
from automation.options import Project, StackName
from automation.session import PROJECT, Options, opened

if TYPE_CHECKING:
    from automation.session import Session

PROVIDERS: Final = re.compile(r"passphrase|(awskms|azurekeyvault|gcpkms|hashivault)://\S+")
"""https://www.pulumi.com/docs/iac/concepts/secrets/#available-encryption-providers, 2026-11-21."""
NEW_VARIABLE: Final = "ECOSYSTEM_NEW_PASSPHRASE"
SHORTEST: Final = 16
"""Characters of a new passphrase: it is the only thing between a copy of the state and its secrets."""
KEYS: Final = ("secretsprovider", "encryptedkey", "encryptionsalt")
SECONDS: Final = 300


def new_passphrase(environ: Mapping[str, str], file: Path | None) -> str:
    """The new passphrase: from a file that only its owner reads, else from the environment; wrong ones end with 2."""
    if file is not None:
        try:
            if file.stat().st_mode & 0o077:
                raise Ending(Exit.WRONG_INPUT, "passphrase", f"{file} can be read by others: chmod 600 {file}")
            text = file.read_text(encoding="utf-8").strip()
        except OSError as error:
            raise Ending(Exit.WRONG_INPUT, "passphrase", f"{file}: {error.strerror}") from None
    else:
        text = environ.get(NEW_VARIABLE, "")
    if len(text) < SHORTEST or "\n" in text:
        raise Ending(
            Exit.WRONG_INPUT,
            "passphrase",
            f"--to passphrase needs at least {SHORTEST} characters in {NEW_VARIABLE} or --passphrase-file",
        )
    return text


def carried(tracked: str, copy: str) -> str:
    """The tracked file's text with the engine's keys and every ciphertext of the copy; all else as it was.

    Raises ValueError when the copy holds a secret that the tracked file does not.
    """
    from automation.answers.adopt import leaves  # noqa: PLC0415

    fresh = {leaf.keys: leaf.value for leaf in leaves(copy)}
    text = tracked
    for leaf in sorted(leaves(tracked), key=lambda one: -one.begin):
        if leaf.keys[-1] == "secure":
            text = text[: leaf.begin] + json.dumps(fresh.pop(leaf.keys)) + text[leaf.end :]
        elif leaf.keys[0] in KEYS and len(leaf.keys) == 1:
            if leaf.keys in fresh:
                text = text[: leaf.begin] + json.dumps(fresh.pop(leaf.keys)) + text[leaf.end :]
            else:
                start, end = text.rfind("\n", 0, leaf.begin) + 1, text.find("\n", leaf.end)
                text = text[:start] + (text[end + 1 :] if end >= 0 else "")
    if any(keys[-1] == "secure" for keys in fresh):
        raise ValueError("the copy holds a secret that the tracked file does not")
    added = [f"{key}: {json.dumps(fresh[key,])}" for key in KEYS if (key,) in fresh]
    return "\n".join([text.rstrip("\n"), *added]) + "\n"


def _secrets(session: Session) -> tuple[Any, Any]:
    """What the stack's configuration and state hold in plain text, to compare before and after."""
    name = session.name
    shown = json.loads(session.engine.call("config", "--show-secrets", "--json", "--stack", name))
    state = json.loads(session.engine.call("stack", "export", "--show-secrets", "--stack", name))
    deployment = state.get("deployment") or {}
    deployment.pop("secrets_providers", None)
    deployment.pop("manifest", None)
    return shown, deployment


def _change(session: Session, provider: str, passphrase: str) -> None:
    """Let the engine change the provider; afterwards the session's environment opens the new one."""
    ran = subprocess.run(  # noqa: S603 - the engine that was located
        [session.engine.command.command, "stack", "change-secrets-provider", provider, "--stack", session.name],
        cwd=session.work.folder,
        env=dict(session.engine.env),
        input=f"{passphrase}\n",  # without a terminal the engine reads the new passphrase there
        capture_output=True,
        text=True,
        check=False,
        timeout=SECONDS,
    )
    if ran.returncode:
        said = session.redactor.text(ran.stderr or ran.stdout).strip().splitlines()
        raise Ending(Exit.REFUSED, "secrets-provider", f"{provider} was not taken; nothing changed", tuple(said[-5:]))
    if passphrase:
        session.engine.env = {**session.engine.env, "PULUMI_CONFIG_PASSPHRASE": passphrase}
        session.engine.env.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)


def _compare(before: tuple[Any, Any], after: tuple[Any, Any]) -> None:
    if before != after:
        raise Ending(Exit.FAILED, "secrets-provider", "the secrets are not the same afterwards; it was taken back")


def rotate(session: Session, provider: str, passphrase: str) -> list[str]:
    """Change the provider; state and stack file change together or not at all."""
    from automation.workdir import stack_file  # noqa: PLC0415

    tracked = stack_file(session.options.project, session.name)
    before_text, before_state = tracked.read_text(encoding="utf-8"), session.engine.export()
    held = _secrets(session)
    session.redactor.learn([passphrase] if passphrase else [])
    old_env = dict(session.engine.env)
    try:
        _change(session, provider, passphrase)
        _compare(held, _secrets(session))
        text = carried(before_text, session.work.stack_file.read_text(encoding="utf-8"))
        part = tracked.with_suffix(".yaml.part")
        part.write_text(text, encoding="utf-8")
        part.replace(tracked)
    except BaseException:
        session.engine.env = old_env
        session.engine.import_state(before_state)
        tracked.write_text(before_text, encoding="utf-8")
        raise
    count, by = before_text.count("secure:"), provider.partition("?")[0]
    lines = [f"{session.name}: {count} secrets of {tracked.name} and its state are encrypted by {by}"]
    if passphrase:
        lines.append(
            "from now on PULUMI_CONFIG_PASSPHRASE is the new one; old copies of the state open with the old one"
        )
    return lines


@app.command("rotate-secrets")
def rotate_secrets(
    stack: StackName,
    to: Annotated[str, typer.Option("--to", metavar="PROVIDER", help="passphrase, or a key such as awskms://alias/x")],
    passphrase_file: Annotated[
        Path | None, typer.Option("--passphrase-file", metavar="FILE", help="the new passphrase; its owner's alone")
    ] = None,
    project: Project = PROJECT,
) -> None:
    """Encrypt a stack's secrets by another passphrase or key. The stack file changes too: commit it."""
    output = Output(as_json=False, stack=stack)

    def work() -> Exit:
        from automation.ledger.hand import recorded  # noqa: PLC0415

        if not PROVIDERS.fullmatch(to):
            allowed = "passphrase, awskms://, azurekeyvault://, gcpkms:// or hashivault://"
            raise Ending(Exit.WRONG_INPUT, "option", f"--to {to}: give {allowed}")
        passphrase = new_passphrase(os.environ, passphrase_file) if to == "passphrase" else ""
        options = Options(project, real=True, policies=False)
        with opened(stack, options, output.err) as session, recorded(session, "rotate-secrets") as note:
            note["provider"] = to.split("://", maxsplit=1)[0]
            for line in rotate(session, to, passphrase):
                output.err.print(line, markup=False, highlight=False)
        return Exit.OK

    perform(output, work)
