"""Pre-shared keys: at random, in the form that all clouds take, and never changed but on purpose."""

from __future__ import annotations

import re

from components.link_keys import KeysProvider, made

PROPS = {"generation": 1, "tunnels": 2, "code": "a" * 64, "keys": None}


def test_keys_have_the_form_that_every_cloud_takes() -> None:
    keys = {made() for _ in range(200)}
    assert len(keys) == 200
    assert all(re.fullmatch(r"(?!0)[A-Za-z0-9._]{8,64}", each) for each in keys)  # the narrowest is AWS's
    assert all(len(each) == 48 for each in keys)


def test_another_generation_or_number_makes_new_keys_and_an_edited_module_does_not() -> None:
    provider = KeysProvider()
    first = provider.create(dict(PROPS))
    assert first.outs is not None
    assert len(set(first.outs["keys"])) == 2
    assert not any(key in str(first.id) for key in first.outs["keys"])
    for change, replaced in (({}, []), ({"code": "b" * 64}, []), ({"generation": 2}, ["generation"]),
                             ({"tunnels": 1}, ["tunnels"])):  # fmt: skip
        news = {**PROPS, **change}
        found = provider.diff(str(first.id), first.outs, news)
        assert found.replaces == replaced
        assert found.changes == bool(change)
        assert not found.delete_before_replace
    kept = provider.update(str(first.id), first.outs, {**PROPS, "code": "b" * 64})
    assert kept.outs is not None
    assert kept.outs["keys"] == first.outs["keys"]
    again = provider.create({**PROPS, "generation": 2})
    assert again.outs is not None
    assert not set(again.outs["keys"]) & set(first.outs["keys"])


def test_nobody_gives_keys() -> None:
    checked = KeysProvider().check({}, {**PROPS, "keys": ["mine"]})
    assert checked.inputs["keys"] is None
