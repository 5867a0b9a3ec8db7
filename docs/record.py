"""Record a real preview as a picture of a terminal: `python docs/record.py` writes docs/pictures/preview.svg."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parents[1]
COMMAND = ("-m", "automation", "preview", "dev", "--offline")
WIDTH = 160  # of a terminal that is none: automation/command_line.py


def main() -> None:
    """Run the command in a fresh state folder and keep what it printed, colours included."""
    with tempfile.TemporaryDirectory() as state:
        ran = subprocess.run(  # noqa: S603  our own command
            [sys.executable, *COMMAND],
            cwd=ROOT,
            env={**os.environ, "ECOSYSTEM_STATE": state, "COLUMNS": str(WIDTH), "FORCE_COLOR": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
        )
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    console.print(Text(f"$ python {' '.join(COMMAND)}", style="bold"))
    console.print(Text.from_ansi(ran.stdout))
    console.save_svg(str(ROOT / "docs" / "pictures" / "preview.svg"), title="a preview of the dev stack")


if __name__ == "__main__":
    main()
