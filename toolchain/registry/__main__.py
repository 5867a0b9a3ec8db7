"""`python -m toolchain.registry`: build it; exit code 0; 1 when the build failed; 2 and one sentence: do that."""

from __future__ import annotations

import sys

from toolchain.build import BuildError, exit_code, say
from toolchain.registry.recipe import recipe


def main() -> int:
    """Build the registry and print where it is."""
    try:
        sys.stdout.write(f"{recipe().build() / 'bin' / 'registry'}\n")
    except BuildError as error:
        say(str(error))
        return exit_code(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())
