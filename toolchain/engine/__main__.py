"""`python -m toolchain.engine build|locate`: exit code 0; 1 when a build failed; 2 and one sentence: do that."""

from __future__ import annotations

import argparse
import sys

from toolchain.build import BuildError, exit_code, say
from toolchain.engine.location import EngineNotFoundError, locate, on_path, switch
from toolchain.engine.recipe import recipe


def _build() -> None:
    wanted = switch()
    if wanted != "build":
        folder, _ = on_path()
        if folder is not None:
            say(f"using the engine on PATH: {folder} (ENGINE=build builds one here)")
            return
        if wanted == "path":
            locate()  # raises, and says why it cannot be used
    recipe().build()


def main() -> int:
    """Build the engine, or print its folder."""
    parser = argparse.ArgumentParser(prog="python -m toolchain.engine", description=__doc__)
    parser.add_argument("command", choices=["build", "locate"])
    command = parser.parse_args().command
    try:
        if command == "build":
            _build()
        else:
            sys.stdout.write(f"{locate()}\n")
    except BuildError as error:
        say(str(error))
        return exit_code(error)
    except EngineNotFoundError as error:
        say(str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
