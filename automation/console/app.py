"""The console's server: a token at the door, the loopback only, nothing that changes anything."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import (
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Route

from automation.console import pages
from automation.console.view import Sources, read

COOKIE: Final = "console"
LONGEST_FORM: Final = 4096
PAUSE_SECONDS: Final = 1.0
HEARTBEAT: Final = 15
"""Looks without a change after which a comment keeps the connection alive."""
HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
Endpoint = Callable[[Request], Awaitable[Response]]


class Console:
    """The routes over some sources; `token` opens them."""

    def __init__(self, sources: Sources, token: str, *, secure: bool = False) -> None:
        self.sources, self.secure = sources, secure
        self._token = token.encode()
        self._session = hmac.new(self._token, b"console-session", hashlib.sha256).hexdigest()

    def _known(self, request: Request) -> bool:
        given = request.headers.get("authorization", "")
        if given.lower().startswith("bearer "):
            return hmac.compare_digest(given[7:].strip().encode(), self._token)
        return hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), self._session.encode())

    def guarded(self, endpoint: Endpoint) -> Endpoint:
        """Only for who has the token: a person is shown the door, a program is told 401."""

        async def inner(request: Request) -> Response:
            if self._known(request):
                return _with_headers(await endpoint(request))
            if request.url.path == "/":
                return _with_headers(HTMLResponse(pages.login(wrong=False), status_code=401))
            return _with_headers(PlainTextResponse("sign in first\n", status_code=401))

        return inner

    async def page(self, _: Request) -> Response:
        """Everything."""
        return HTMLResponse(pages.page(await run_in_threadpool(read, self.sources)))

    async def part(self, _: Request) -> Response:
        """What changes on the page."""
        return HTMLResponse(pages.part(await run_in_threadpool(read, self.sources)))

    async def data(self, _: Request) -> Response:
        """The same as JSON."""
        return JSONResponse(await run_in_threadpool(read, self.sources))

    async def events(self, request: Request) -> Response:
        """Server-sent events: one `changed` for each change of a source, none that carries data."""

        async def stream() -> AsyncIterator[str]:
            known = await run_in_threadpool(self.sources.fingerprint)
            yield "retry: 2000\n\n"
            quiet = 0
            while not await request.is_disconnected():
                await asyncio.sleep(PAUSE_SECONDS)
                now = await run_in_threadpool(self.sources.fingerprint)
                quiet += 1
                if now != known:
                    known, quiet = now, 0
                    yield "event: changed\ndata: 1\n\n"
                elif quiet >= HEARTBEAT:
                    quiet = 0
                    yield ": still here\n\n"

        return StreamingResponse(stream(), media_type="text/event-stream")

    async def login(self, request: Request) -> Response:
        """Exchange the token for a cookie that scripts and other sites do not get."""
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > LONGEST_FORM:
                return _with_headers(PlainTextResponse("too long\n", status_code=413))
        given = parse_qs(body.decode("utf-8", "replace")).get("token", [""])[0]
        if not hmac.compare_digest(given.encode(), self._token):
            return _with_headers(HTMLResponse(pages.login(wrong=True), status_code=401))
        answer = RedirectResponse("/", status_code=303)
        answer.set_cookie(COOKIE, self._session, httponly=True, samesite="strict", secure=self.secure)
        return _with_headers(answer)

    def app(self, hosts: list[str]) -> Starlette:
        """The application; other names in `Host` are refused, so that no foreign page can pretend to be this one."""

        async def style(_: Request) -> Response:
            return _with_headers(Response(pages.STYLE, media_type="text/css"))

        async def script(_: Request) -> Response:
            return _with_headers(Response(pages.SCRIPT, media_type="text/javascript"))

        guarded = {"/": self.page, "/part": self.part, "/data.json": self.data, "/events": self.events}
        routes = [Route(path, self.guarded(endpoint), methods=["GET"]) for path, endpoint in guarded.items()]
        routes += [Route("/console.css", style), Route("/console.js", script)]
        routes.append(Route("/login", self.login, methods=["POST"]))
        return Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=hosts)])


def _with_headers(answer: Response) -> Response:
    for name, value in HEADERS.items():
        answer.headers[name] = value
    return answer
