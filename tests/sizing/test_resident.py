"""Circuits run in one thread that stays: qiskit dies when the thread that loaded it is gone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sizing.resident import NAME, resident

ROOT = Path(__file__).parents[2]
THREADS = """
import sys
import threading
import sizing
from tests.sizing.factory import TINY, problem

def solve(seed):
    sys.stdout.write(sizing.solve(problem(types=TINY, seed=seed)).quantum["status"] + " ")

for seed in range(3):  # each loads, solves and ends
    thread = threading.Thread(target=solve, args=(seed,))
    thread.start()
    thread.join()
many = [threading.Thread(target=solve, args=(seed,)) for seed in range(2)]
for thread in many:
    thread.start()
for thread in many:
    thread.join()
"""


def test_solving_in_threads_that_end_does_not_kill_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", THREADS], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.split()) == (0, ["ran"] * 5), done.stderr[-2000:]


def test_the_thread_stays_the_same_and_may_call_itself() -> None:
    names = []
    for _ in range(2):
        caller = threading.Thread(target=lambda: names.append(resident(lambda: threading.current_thread().name)))
        caller.start()
        caller.join()
    assert names[0] == names[1] == resident(lambda: resident(lambda: threading.current_thread().name))
    assert names[0].startswith(NAME)


def test_what_goes_wrong_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        resident(lambda: 1 // 0)


def test_a_forked_child_gets_a_thread_of_its_own() -> None:
    resident(os.getpid)
    code = (
        "import os\nfrom sizing.resident import resident\nresident(os.getpid)\npid = os.fork()\n"
        "if not pid:\n    os._exit(0 if resident(os.getpid) == os.getpid() else 9)\n"
        "print(os.waitpid(pid, 0)[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout.strip() == "0", done.stderr
