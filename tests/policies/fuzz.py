"""Odd resources from a seed: good examples with parts replaced, and shapes that no example has."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any, Final

from charter.examples import cases, written
from charter.values import UNKNOWN

BATCH: Final = 50
"""Resources per seed: Hypothesis chooses seeds, and shrinks to the smallest that fails."""
WORDS: Final = (
    *("spec", "template", "metadata", "labels", "containers", "policy", "rules", "tags", "ingress", "name", "env"),
    *("namespace", "vpcConfig", "securityContext", "properties", "egress", "ports", "from", "to", "selector", "items"),
    *("policyTypes", "value", "resources", "subjects", "document", "pool_objects", "values", "image", "policyData"),
)
TEXTS: Final = (
    *(
        "",
        "*",
        "0.0.0.0/0",
        "::/0",
        "true",
        "-1",
        "a" * 300,
        "[",
        "{",
        "null",
        "{}",
        "[1]",
        '"x"',
        "\x00",
        "é",
        "1e999",
    ),
    *(
        '{"Statement":"x"}',
        '{"Statement":[1,{"Effect":1,"Action":{},"Principal":[]}]}',
        "sha256:",
        "rate(x days)",
        "5m",
    ),
    *('{"bindings":[{"role":1,"members":{}}]}', "arn:aws:iam::", "../../x", "$(A)", "%s", "99999999999999999999"),
)


def _leaf(chance: random.Random) -> Any:
    return chance.choice(
        (None, True, False, 0, -1, 65536, 1e308, -0.5, 2**63, UNKNOWN, chance.choice(TEXTS), chance.choice(WORDS))
    )


def value(chance: random.Random, depth: int = 0) -> Any:
    """Return a value of any shape, four levels deep at most."""
    turn = chance.random()
    if depth > 3 or turn < 0.5:
        return _leaf(chance)
    if turn < 0.75:
        return [value(chance, depth + 1) for _ in range(chance.randrange(3))]
    return {chance.choice(WORDS): value(chance, depth + 1) for _ in range(chance.randrange(4))}


def _places(held: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    for key, item in held.items() if isinstance(held, dict) else enumerate(held) if isinstance(held, list) else ():
        yield (*path, key)
        yield from _places(item, (*path, key))


SEEDS: Final = [
    (resource["type"], resource.get("props", {}), list(_places(resource.get("props", {}))))
    for rule in sorted(written())
    for resource in next(cases(rule)).resources.values()
]
"""Every resource of a good example, with the places in it."""


def odd(chance: random.Random) -> tuple[str, dict[str, Any]]:
    """Return a type with properties: mostly a good example with up to three parts replaced, taken away or wrapped."""
    kind, props, places = chance.choice(SEEDS)
    if not places or chance.random() < 0.2:
        return kind, {chance.choice(WORDS): value(chance) for _ in range(chance.randrange(5))}
    made = copy.deepcopy(dict(props))
    for _ in range(chance.randrange(1, 4)):
        _spoil(made, chance.choice(places), chance)
    return kind, made


def _spoil(made: Any, path: tuple[Any, ...], chance: random.Random) -> None:
    target = made
    for step in path[:-1]:
        try:
            target = target[step]
        except (KeyError, IndexError, TypeError):
            return  # a part above was spoilt before
    last = path[-1]
    here = target.keys() if isinstance(target, dict) else range(len(target)) if isinstance(target, list) else ()
    if last not in here:
        return
    turn = chance.randrange(4)
    if turn == 0:
        del target[last]
    elif turn == 1:
        target[last] = [target[last], value(chance, 2)]
    elif turn == 2:
        target[last] = {chance.choice(WORDS): target[last]}
    else:
        target[last] = value(chance)
