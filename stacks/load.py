"""Reads a stack file, or the same from inside a running program. The only file here that knows pulumi."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from stacks.envelope import KEY, check_bag, check_file, from_engine
from stacks.judge import judge
from stacks.model import Stack
from stacks.problems import Problem, StackFileError
from stacks.tree import Path as ReportPath
from stacks.workloads import PROJECT
from stacks.yaml_core import YamlError, read

__all__ = ["StackFileError", "from_config", "read_file", "read_text", "with_demand"]


def read_file(path: Path) -> Stack:
    """Read and judge a stack file. Raises StackFileError, whose text is the report of every problem."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise StackFileError(path.name, [_file("does not exist", "check the stack's name")]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise StackFileError(
            path.name, [_file(f"cannot be read ({type(error).__name__})", "save it as UTF-8")]
        ) from None
    return read_text(text, path.name)


def read_text(text: str, name: str) -> Stack:
    """Judge the text of a stack file. Raises StackFileError."""
    try:
        document = read(text)
    except YamlError as error:
        lines = {error.problem.path: error.line} if error.line else {}
        raise StackFileError(name, [error.problem], lines) from None
    problems = [problem for problem, _ in document.problems]
    problems += check_file(document.data)
    stack: Stack | None = None
    config = document.data.get("config") if isinstance(document.data, dict) else None
    if isinstance(config, dict) and KEY in config:
        stack, found = judge(config[KEY], PROJECT)
        problems += found
    lines = {_report_path(path): line for path, line in document.lines.items()}
    lines.update({problem.path: line for problem, line in document.problems})
    if problems or stack is None:
        raise StackFileError(name, (_shortened(problem) for problem in problems), lines)
    return stack


def with_demand(stack: Stack, file: Path) -> Stack:
    """Return the stack with another file of measured demand. Raises StackFileError, as reading it would."""
    data = {**stack.model_dump(mode="json", exclude_none=True), "demand": {"file": str(file.resolve())}}
    changed, problems = judge(data, PROJECT)
    if changed is None:
        raise StackFileError(file.name, problems)
    return changed


def from_config() -> Stack:
    """Read the stack inside a running program. Raises pulumi.RunError with the same report, and no traceback."""
    import pulumi  # noqa: PLC0415 - a file is read without the engine's SDK
    from pulumi.runtime import config  # noqa: PLC0415

    bag: dict[str, Any] = {**config.get_config_env(), **config.CONFIG.get()}
    problems = list(check_bag(bag, {key for key in bag if config.is_config_secret(key)}))
    stack: Stack | None = None
    if KEY in bag and not config.is_config_secret(KEY):
        stack, found = judge(from_engine(bag[KEY]), PROJECT)
        problems += found
    if problems or stack is None:
        name = f"Pulumi.{pulumi.get_stack()}.yaml"
        folder = pulumi.get_root_directory()
        lines = _lines_of(Path(folder or ".") / name, bag.get(KEY))
        raise pulumi.RunError(str(StackFileError(name, problems, lines)))
    return stack


def _lines_of(path: Path, value: Any) -> dict[ReportPath, int]:
    """Return the lines of the file that the engine read, when it lies where it should and says the same."""
    try:
        document = read(path.read_text(encoding="utf-8-sig"))
        config = document.data["config"]
    except (OSError, ValueError, TypeError, KeyError):
        return {}
    same = isinstance(config, dict) and config.get(KEY) == from_engine(value)
    return {_report_path(path): line for path, line in document.lines.items()} if same else {}


def _report_path(path: ReportPath) -> ReportPath:
    """Inside the structured key, paths begin with `stack`."""
    return ("stack", *path[2:]) if path[:2] == ("config", KEY) else path


def _shortened(problem: Problem) -> Problem:
    return replace(problem, path=_report_path(problem.path)) if problem.path[:2] == ("config", KEY) else problem


def _file(what: str, fix: str) -> Problem:
    return Problem(path=("file",), what=what, fix=fix)
