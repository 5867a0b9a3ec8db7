"""Judges what a file or the engine hands over: all problems at once, or the stack."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError

from stacks.checks import every_problem
from stacks.checks.placement import measured
from stacks.checks.tenants import places
from stacks.checks.workloads import Asked, carried, inside
from stacks.demand import DemandFileError, read_demand
from stacks.envelope import KEY, find_secure
from stacks.model import Stack
from stacks.plaintext import find_secrets
from stacks.problems import Problem
from stacks.shape import bad_paths, shape_problems
from stacks.tree import Path, Tree


def judge(data: Any, project: FilePath) -> tuple[Stack | None, list[Problem]]:
    """Return the stack, or None and every problem of the structured key; paths begin with `stack`."""
    data = json.loads(json.dumps(data, sort_keys=True))  # in the order in which a program gets it
    raw = Tree(data)
    secrets = list(_secrets(data))
    hidden = {problem.path for problem in secrets}
    stack: Stack | None = None
    shape: list[Problem] = []
    try:
        stack = Stack.model_validate_json(json.dumps(data), context={"checked": True})
    except ValidationError as error:
        shape = [problem for problem in shape_problems(Stack, error, raw) if not _within(problem.path, hidden)]
    tree = Tree(data, bad_paths(shape) | hidden)
    found = [*secrets, *shape, *every_problem(tree), *_demand(tree, project)]
    problems = [replace(problem, path=("stack", *problem.path)) for problem in found]
    return (None if problems else stack), problems


def _secrets(data: Any) -> Iterator[Problem]:
    for path in find_secure(data):
        fix = "move it to a key of its own: `pulumi config set --secret NAME`"
        yield Problem(
            path=path, what=f"is an encrypted value inside `{KEY}`, which would make all of it secret", fix=fix
        )
    for path, form in find_secrets(data):
        fix = "remove it, take it out of use if it was ever shared, store a new one: `pulumi config set --secret NAME`"
        yield Problem(path=path, what=f"is a secret in plain text ({form})", fix=fix)


def _within(path: Path, around: set[Path]) -> bool:
    return any(path[:end] in around for end in range(1, len(path) + 1))


def _demand(tree: Tree, project: FilePath) -> Iterator[Problem]:
    """Say what is wrong with the demand file, and with its rows against the pools."""
    name = tree.text("demand", "file")
    path = ("demand", "file")
    if not name or ".." in FilePath(name).parts:
        return
    try:
        rows = read_demand(project / name)
    except DemandFileError as error:
        for what in error.problems:
            yield Problem(path=path, what=f"{name}: {what}", fix="correct the file, or name another one")
        return
    known = places(tree)
    for row in rows:
        where = inside(tree, ("workloads", known[row.name])) if row.name in known else ()
        for problem in carried(tree, Asked((name, row.name), row.pools, row.spot or "", row.gpu, where)):
            yield replace(problem, path=path, what=f"{name}: row {row.name}, {problem.path[2]}: {problem.what}")
    for problem in measured(tree, path, {row.name: row.replicas for row in rows}):
        yield replace(problem, what=f"{name}: {problem.what}")
