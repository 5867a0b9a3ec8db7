"""Registers every command of the delivery on the command line."""

from __future__ import annotations

from automation import manifests, off_hours, propagation
from automation.answers import commands as answer_commands
from automation.console import commands as console_commands
from automation.guard import commands as guard_commands
from automation.images import commands as image_commands
from automation.integrity import commands as integrity_commands
from automation.ledger import commands as ledger_commands
from automation.notify import commands as alert_commands
from automation.pipeline import deploy, laptop, rollback
from automation.pullrequest import commands as report_commands
from automation.release import commands as release_commands
from automation.signing import commands as signing_commands
from automation.signing import rotation
from automation.story import commands as story_commands

REGISTERED = (
    signing_commands, ledger_commands, laptop, rollback, integrity_commands, report_commands, story_commands,
    answer_commands, deploy, rotation, release_commands, guard_commands, alert_commands, console_commands, off_hours,
    image_commands, propagation, manifests,
)  # fmt: skip
