"""`console`: serve the console on this machine."""
# ruff: noqa: PLR0913, PLR0917 - a command's options are its parameters

from __future__ import annotations

import ipaddress
import os
import secrets
from pathlib import Path
from typing import Annotated

import typer

from automation.command_line import Output, app, perform
from automation.exits import Ending, Exit
from automation.options import Project
from automation.session import PROJECT

TOKEN_VARIABLE = "ECOSYSTEM_CONSOLE_TOKEN"  # noqa: S105 - the name of a variable
SHORTEST = 16


def token_of(given: str) -> str:
    """The token to ask for: the one given, else a fresh one; one that is too short ends with 2."""
    if given and len(given) < SHORTEST:
        raise Ending(Exit.WRONG_INPUT, "token", f"{TOKEN_VARIABLE} is shorter than {SHORTEST} characters")
    return given or secrets.token_urlsafe(24)


def loopback(host: str) -> bool:
    """Whether only this machine can reach it. Wrong input (exit 2) when it is no address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        raise Ending(Exit.WRONG_INPUT, "option", f"--host {host}: give an address, for example 127.0.0.1") from None


@app.command()
def console(
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one")] = 8765,
    host: Annotated[str, typer.Option("--host", help="address; beyond this machine only with TLS")] = "127.0.0.1",
    name: Annotated[
        str | None, typer.Option("--name", help="the name in the browser, where it is not the host")
    ] = None,
    certificate: Annotated[Path | None, typer.Option("--certificate", metavar="FILE", help="PEM, for TLS")] = None,
    private_key: Annotated[Path | None, typer.Option("--private-key", metavar="FILE", help="PEM, for TLS")] = None,
    records: Annotated[Path, typer.Option("--records", metavar="DIR", help="run records")] = Path("build/records"),
    project: Project = PROJECT,
) -> None:
    """Show runs, stages, gates, drift, cost and ledger in a browser; read-only, by a token, on this machine."""
    output = Output(as_json=False)

    def work() -> Exit:
        import uvicorn  # noqa: PLC0415 - only this command serves

        from automation.console.app import Console  # noqa: PLC0415
        from automation.console.view import sources_of  # noqa: PLC0415

        tls = certificate is not None and private_key is not None
        if not loopback(host) and not tls:
            raise Ending(
                Exit.REFUSED, "console", f"--host {host} is seen by others: give --certificate and --private-key too"
            )
        given = os.environ.get(TOKEN_VARIABLE, "")
        token = token_of(given)
        served = Console(sources_of(project, records), token, secure=tls).app(["127.0.0.1", "localhost", name or host])
        config = uvicorn.Config(
            served, host=host, port=port, log_level="warning", server_header=False, access_log=False, lifespan="off",
            timeout_graceful_shutdown=2,
            ssl_certfile=certificate, ssl_keyfile=str(private_key) if private_key else None,
        )  # fmt: skip
        socket = config.bind_socket()
        scheme = "https" if tls else "http"
        output.err.print(f"{scheme}://{name or host}:{socket.getsockname()[1]}/", markup=False, highlight=False)
        if not given:
            output.err.print(f"token: {token}", markup=False, highlight=False)
        uvicorn.Server(config).run(sockets=[socket])
        return Exit.OK

    perform(output, work)
