"""What of a program's standard error is passed on, and what is not."""

import os
import threading
from collections.abc import Callable, Iterator

import pytest

from toolchain.engine.language_host import quiet
from toolchain.engine.language_host.quiet import QuietStderr

OWN = b"Traceback (most recent call last):\n  File x\n    raise\nValueError: mine\n"
INTERRUPT = b"Traceback (most recent call last):\n  File x\n    wait()\nKeyboardInterrupt\n"


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], bytes]]:
    monkeypatch.setattr(quiet, "DOUBT_SECONDS", 0.3)
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    monkeypatch.setattr(quiet, "STDERR", theirs)
    yield lambda: os.read(ours, 1 << 20)
    os.close(ours)
    os.close(theirs)


def follow() -> tuple[QuietStderr, int]:
    stderr = QuietStderr()
    program = os.dup(stderr.write_end)
    stderr.follow()
    return stderr, program


def spoken(*pieces: bytes, stop: str = "close") -> None:
    """Say the pieces and end as a program does."""
    stderr, program = follow()
    for piece in pieces:
        os.write(program, piece)
    if stop != "close":
        getattr(stderr, stop)()
        os.write(program, b"after\n")
    os.close(program)
    stderr.close()


@pytest.mark.parametrize(
    "pieces",
    [
        [b"a word\n", OWN, b"another"],
        [OWN[:40], OWN[40:]],
        [b"before\n" + OWN + OWN + b"after"],
        [OWN[:40]],
        [INTERRUPT],
        [b"a quoted " + OWN],
    ],
)
def test_everything_a_program_says_is_passed_on(heard: Callable[[], bytes], pieces: list[bytes]) -> None:
    spoken(*pieces)
    assert heard() == b"".join(pieces)


def test_what_was_said_before_a_cancel_is_passed_on_and_nothing_after(heard: Callable[[], bytes]) -> None:
    spoken(b"before\n", stop="mute")
    assert heard() == b"before\n"


def test_a_cancel_that_comes_after_the_end_finds_nothing_to_mute(heard: Callable[[], bytes]) -> None:
    stderr, program = follow()
    os.close(program)
    stderr.close()
    reused = os.pipe()  # the numbers that were closed: nobody may read them now
    os.write(reused[1], b"another's")
    stderr.mute()
    assert os.read(reused[0], 64) == b"another's"
    for descriptor in reused:
        os.close(descriptor)


def test_a_cancel_while_an_interrupt_is_in_doubt_is_heard_at_once(
    heard: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quiet, "DOUBT_SECONDS", 3600.0)
    stderr, program = follow()
    os.write(program, b"before\n" + INTERRUPT)
    os.close(program)
    closing = threading.Thread(target=stderr.close, daemon=True)
    closing.start()
    closing.join(0.2)
    assert closing.is_alive()
    stderr.mute()
    closing.join(30)
    assert not closing.is_alive()
    assert heard() == b"before\n"


def test_an_interrupts_traceback_that_came_before_the_stop_is_not_passed_on(heard: Callable[[], bytes]) -> None:
    spoken(b"before\n", stop="close")
    stderr, program = follow()
    os.write(program, INTERRUPT)
    stderr.hush()
    os.close(program)
    stderr.close()
    assert heard() == b"before\n"


def test_an_interrupt_that_nobody_sent_is_passed_on_after_a_doubt(
    heard: Callable[[], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quiet, "DOUBT_SECONDS", 0.05)
    stderr, program = follow()
    os.write(program, INTERRUPT + b"more\n")
    said = b""
    while len(said) < len(INTERRUPT):
        try:
            said += heard()
        except BlockingIOError:
            continue
    os.close(program)
    stderr.close()
    assert said == INTERRUPT + b"more\n"
