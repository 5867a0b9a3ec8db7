"""Structure, locks and honesty of a checkout."""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from automation.exits import Ending
from automation.integrity.findings import Findings

ROOMS: Final = ("stacks", "sizing", "components", "policies", "automation", "sandbox", "toolchain", "tests", "config")
FILES: Final = ("Pulumi.yaml", "__main__.py", "requirements.in", "requirements.txt", "pyproject.toml", "README.md",
                "policies/PulumiPolicy.yaml", "config/actions.lock.json", "config/credentials.yaml")  # fmt: skip
PRODUCTION: Final = ("stacks", "sizing", "components", "policies", "__main__.py")
STAND_INS: Final = re.compile(
    r"^(unittest(\.mock)?|mock|pytest|hypothesis|moto|responses|faker|doctest|tests?|sandbox|conftest|charter\.mocked)(\.|$)"
)
TEST_DOORS: Final = frozenset({"policies/charter/mocked.py"})
"""Files of production rooms that exist for unit tests: they may know mocks, and no production code may import them."""
NAMES: Final = re.compile(r"(^|_)(mock|fake|dummy|stub)(s|_|$)", re.IGNORECASE)
_PIN: Final = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)(\[[^]]*\])?==(\S+)")


def structure(project: Path) -> Findings:
    """Rooms and files that have to be there."""
    found = Findings(checked=["rooms and files"])
    found.problems += [f"{name}/: the room is missing" for name in ROOMS if not (project / name).is_dir()]
    found.problems += [f"{name}: is missing" for name in FILES if not (project / name).is_file()]
    return found


def locks(project: Path) -> Findings:
    """Every package pinned and hashed, everything asked for in the lock; Go sums and workflows of their definition."""
    found = Findings(checked=["requirements.txt", "go.sum", "workflows"])
    names = _packages(project / "requirements.txt", found)
    asked = project / "requirements.in"
    if asked.is_file():
        for line in asked.read_text(encoding="utf-8").splitlines():
            name = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line.strip())
            if name and _plain(name[0]) not in names:
                found.problems.append(f"requirements.in: {name[0]} is not in requirements.txt: make lock")
    for module in sorted((project / "toolchain").glob("*/go.mod")):
        if not module.with_name("go.sum").is_file():
            found.problems.append(f"{module.relative_to(project)}: has no go.sum beside it")
    _workflows(project, found)
    return found


def _packages(lock: Path, found: Findings) -> set[str]:
    """Names in the lock; what is not pinned and hashed goes to the findings."""
    names: set[str] = set()
    if lock.is_file():
        blocks = re.split(r"\n(?=\S)", re.sub(r"(?m)^\s*#.*\n?", "", lock.read_text(encoding="utf-8")))
        for block in filter(str.strip, blocks):
            head = block.strip().splitlines()[0].rstrip("\\ ")
            pin = _PIN.match(head)
            if head.startswith("-"):
                found.problems.append(
                    f"requirements.txt: {head.split()[0]} changes where packages come from: take it out"
                )
            elif pin is None:
                found.problems.append(f"requirements.txt: {head[:60]} is not pinned by ==")
            elif not re.search(r"--hash=sha256:[0-9a-f]{64}", block):
                found.problems.append(f"requirements.txt: {pin[1]} has no hash")
            else:
                names.add(_plain(pin[1]))
    return names


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _workflows(project: Path, found: Findings) -> None:
    from automation.pipeline.files import problems  # noqa: PLC0415

    try:
        found.problems += problems(project)
    except (Ending, OSError, ValueError, KeyError) as error:
        found.problems.append(f"workflows cannot be judged: {error}")


def _sources(project: Path) -> Iterator[Path]:
    for name in PRODUCTION:
        path = project / name
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def honesty(project: Path) -> Findings:
    """Production code that imports mocks, fakes, tests or the stand-in clouds, also lazily or by name."""
    found = Findings(checked=["imports of production code"])
    for path in _sources(project):
        name = path.relative_to(project)
        if str(name) in TEST_DOORS:
            continue
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError) as error:
            found.problems.append(f"{name}: cannot be read as Python ({type(error).__name__})")
            continue
        for node in ast.walk(tree):
            for module in _imported(node):
                if STAND_INS.match(module) or NAMES.search(module.replace(".", "_")):
                    line = getattr(node, "lineno", 0)
                    found.problems.append(f"{name}:{line}: production code imports {module}")
                    break
    return found


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and not node.level:
        return [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)][:1] + [
            f"{node.module}.{alias.name}" for alias in node.names if NAMES.search(alias.name)
        ]
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if called in {"import_module", "__import__"} and node.args and isinstance(node.args[0], ast.Constant):
            return [str(node.args[0].value)]
    return []


def signatures(project: Path) -> Findings:
    """The list of signers holds together; the newest commit is signed where git can tell."""
    from automation.signing import trust  # noqa: PLC0415

    found = Findings()
    file = project / trust.FILE
    if file.is_file():
        found.checked.append(str(trust.FILE))
        try:
            trust.load(file)
        except Ending as ending:
            found.problems.append(str(ending))
    else:
        found.unchecked.append(f"{trust.FILE} does not exist: nobody can sign plans yet")
    try:
        asked = subprocess.run(
            ["git", "log", "-1", "--format=%G?"],  # noqa: S607 - git of the user's PATH
            cwd=project,
            capture_output=True,
            text=True,
            check=False,
        )
        mark = asked.stdout.strip() if asked.returncode == 0 else ""
    except OSError:
        mark = ""
    if mark in {"B", "R"}:
        found.problems.append("the newest commit has a bad signature or one of a revoked key")
    elif mark == "G":
        found.checked.append("signature of the newest commit")
    else:
        found.unchecked.append("signature of the newest commit: it has none that can be checked here")
    return found
