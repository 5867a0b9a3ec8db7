"""Exit codes: one table for the command line, the README and the tests."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Exit(IntEnum):
    """How a run ended."""

    OK = 0
    FAILED = 1
    WRONG_INPUT = 2
    WATCHDOG = 3
    REFUSED = 4
    DRIFT = 5


MEANING: Final[dict[Exit, str]] = {
    Exit.OK: "everything asked for was done",
    Exit.FAILED: "the run failed: the engine, the program or a cloud said no",
    Exit.WRONG_INPUT: "wrong input: stack file, option or file; nothing was started",
    Exit.WATCHDOG: "no progress: the watchdog ended the run and named what it waited for",
    Exit.REFUSED: "refused: policy, gate (budget, account, stateful data), signature or an approved plan that is stale",
    Exit.DRIFT: "drift found: the clouds differ from the state",
}


class Ending(Exception):  # noqa: N818 - an ending is not always an error
    """The run ends here, with this code, for this reason; `details` are one line each.

    `reason` is a short code that machines read (`budget`, `account`, `stateful`, `policy`, `plan`, `locked`, ...).
    """

    def __init__(self, code: Exit, reason: str, sentence: str, details: tuple[str, ...] = ()) -> None:
        super().__init__(sentence)
        self.code = code
        self.reason = reason
        self.sentence = sentence
        self.details = details

    def __str__(self) -> str:
        return "\n".join((self.sentence, *(f"  {line}" for line in self.details)))
