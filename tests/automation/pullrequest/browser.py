"""A headless Chromium over its debugging protocol: exact width, light or dark, what the page measured, a picture."""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import websocket


@dataclass(frozen=True)
class Served:
    """A page that a server shows: headers of each request, a script that runs before the page's, a wait afterwards."""

    url: str
    headers: dict[str, str]
    script: str
    later: str = ""
    then: Callable[[], object] = lambda: None


def visit(
    program: str, page: Path, width: int, *, dark: bool, shot: Path, served: Served | None = None
) -> dict[str, Any]:
    """Open a page and read its element `probe`; `served` opens an address instead, `page` then only says where."""
    words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--remote-allow-origins=*"]
    profile = f"--user-data-dir={page.parent / 'profile'}"
    with subprocess.Popen(
        [program, *words, profile, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as browser:
        try:
            assert browser.stderr is not None
            for line in browser.stderr:
                if found := re.search(r"ws://\S+", line):
                    return _talk(found[0], page, width, dark=dark, shot=shot, served=served)
            raise AssertionError("the browser did not say where it listens")
        finally:
            browser.kill()


def _talk(address: str, page: Path, width: int, *, dark: bool, shot: Path, served: Served | None) -> dict[str, Any]:
    socket = websocket.create_connection(address, timeout=60)
    try:
        session: dict[str, str] = {}
        number = 0

        def call(method: str, **params: Any) -> dict[str, Any]:
            nonlocal number
            number += 1
            socket.send(json.dumps({"id": number, "method": method, "params": params, **session}))
            while True:
                answer = json.loads(socket.recv())
                if answer.get("id") == number:
                    assert "error" not in answer, answer
                    result: dict[str, Any] = answer["result"]
                    return result

        target = call("Target.createTarget", url="about:blank")["targetId"]
        session["sessionId"] = call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        call("Page.enable")
        call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        theme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        call("Emulation.setEmulatedMedia", features=[theme])
        if served is not None:
            call("Network.enable")
            call("Network.setExtraHTTPHeaders", headers=served.headers)
            call("Page.addScriptToEvaluateOnNewDocument", source=served.script)
        call("Page.navigate", url=served.url if served else page.as_uri())
        wait = (
            "new Promise(done => { const look = () => { const p = document.getElementById('probe');"
            " p ? done(p.textContent) : setTimeout(look, 20) }; look() })"
        )
        value = call("Runtime.evaluate", expression=wait, awaitPromise=True)["result"]["value"]
        shot.write_bytes(base64.b64decode(call("Page.captureScreenshot", format="png")["data"]))
        read: dict[str, Any] = json.loads(value)
        if served is not None and served.later:
            served.then()
            found = call("Runtime.evaluate", expression=served.later, awaitPromise=True)
            read["later"] = found["result"].get("value")
        return read
    finally:
        socket.close()
