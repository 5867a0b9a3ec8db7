"""`python -m toolchain.actionlint`: build it; exit code 0; 1 when the build failed; 2 and one sentence: do that."""

from __future__ import annotations

import sys

from toolchain.actionlint.recipe import recipe
from toolchain.build import command

if __name__ == "__main__":
    sys.exit(command(recipe(), "actionlint"))
