"""The server of dynamic resources goes when whoever started it goes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil

SERVER = Path(__file__).parents[2] / "toolchain" / "engine" / "dynamic_provider.py"

PARENT = """
import subprocess, sys
server = subprocess.Popen([sys.executable, "-u", sys.argv[1], "127.0.0.1:1"], stdout=subprocess.PIPE)
print(server.pid, int(server.stdout.readline()), flush=True)
sys.stdin.read()
"""


def test_it_ends_with_the_engine(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PARENT, str(SERVER)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as parent:
        assert parent.stdout
        pid, port = map(int, parent.stdout.readline().split())
        assert port
        server = psutil.Process(pid)
        parent.kill()
    assert not psutil.wait_procs([server], timeout=60)[1]
