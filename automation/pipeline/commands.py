"""Registers every command of the delivery on the command line."""

from __future__ import annotations

from automation.integrity import commands as integrity_commands
from automation.ledger import commands as ledger_commands
from automation.pipeline import laptop
from automation.pullrequest import commands as report_commands
from automation.signing import commands as signing_commands

REGISTERED = (signing_commands, ledger_commands, laptop, integrity_commands, report_commands)
