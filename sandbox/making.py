"""How a thing comes about: layers of what the program sets, what the cloud computes, and what stays from before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.behaviour import rules
from sandbox.behaviour.outputs import complete
from sandbox.behaviour.rows import Row
from sandbox.behaviour.rules import Moment
from sandbox.paths import each
from sandbox.profiles import Profile
from sandbox.schema.model import Kind, Shape, TypeSchema
from sandbox.state import Stored, Thing

_ARN = "arn:{partition}:{service}:{region}:{account}:{id}"


def keep(schema: TypeSchema, known: Row | None, olds: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
    """Lay new inputs over those old outputs that stay: what the program does not set and the cloud computed."""
    given = known.outputs if known else {}
    computed = {
        key: value
        for key, value in olds.items()
        if key in schema.outputs.props and (key not in schema.inputs.props or key in schema.outputs.required)
    }
    laid = merge(computed, news)
    for key, value in laid.items():
        kind = schema.inputs.props.get(key)
        if kind is not None and key in olds:
            laid[key] = _inner(schema.nested, kind, olds[key], value, given.get(key))
    return laid


def _inner(nested: Mapping[str, Shape], kind: Kind, old: Any, new: Any, given: Any) -> Any:
    """Keep what the cloud computed inside an object that the program sets."""
    if kind["k"] == "list" and isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [_inner(nested, kind["of"], before, after, None) for before, after in zip(old, new, strict=True)]
    if kind["k"] != "obj" or not isinstance(old, Mapping) or not isinstance(new, Mapping):
        return new
    shape = nested[kind["ref"]]
    laid = dict(new)
    for key, before in old.items():
        hint = given.get(key) if isinstance(given, Mapping) else None
        if key not in new:
            if key not in shape.props or hint is not None:
                laid[key] = before
        elif key in shape.props:
            laid[key] = _inner(nested, shape.props[key], before, new[key], hint)
    return laid


def make(  # noqa: PLR0913, PLR0917 - the layers
    profile: Profile,
    schema: TypeSchema,
    known: Row | None,
    moment: Moment,
    stored: Stored,
    kept: Mapping[str, Any] | None = None,
) -> Thing:
    """Put a thing together (or, with `kept`, together again) and note the values that it is known by."""
    seed, old = moment.seed, moment.old
    seed.outputs = values = merge(kept or {}, moment.inputs)
    if kept is not None:
        values |= {key: value for key, value in kept.items() if isinstance(value, Mapping | list)}
    template = (known.id if known else "") or profile.default_id(schema.token)
    seed.facts["id"] = old.id if old else str(seed.fill(template))
    given = known.outputs if known else {}
    if "arn" in schema.outputs.props:
        values["arn"] = seed.facts["arn"] = values.get("arn") or str(seed.fill(given.get("arn") or _ARN))
    for key, item in given.items():
        values[key] = under(values.get(key), seed.fill(item))
    if "tagsAll" in schema.outputs.props:
        values["tagsAll"] = json.loads(seed.facts.get("default_tags", "{}")) | (moment.inputs.get("tags") or {})
    if profile.package == "azure-native":
        values.setdefault("name", seed.facts["name"])
    for name in known.rules if known else ():
        if name in rules.OUTPUTS:
            rules.OUTPUTS[name](moment, values)
    seed.outputs = outputs = complete(schema, values, seed)
    names = [seed.facts["id"], seed.facts.get("arn", ""), seed.facts["name"], *(known.handles if known else ())]
    stored.handles = [str(value) for value in map(seed.fill, names) if value]
    stored.handles += [str(outputs[key]) for key in ("selfLink", "name") if outputs.get(key)]
    stored.handles += hosts(outputs)
    return Thing(
        profile.package,
        schema.token,
        seed.facts["id"],
        old.urn if old else seed.urn,
        seed.generation,
        moment.scope,
        moment.region,
        seed.facts["name"],
        dict(moment.inputs),
        outputs,
        moment.pk,
    )


def hosts(outputs: Mapping[str, Any]) -> list[str]:
    """Addresses under which a cluster's API server is reached."""
    texts = [outputs.get(key) for key in ("endpoint", "fqdn", "privateFQDN")]
    texts += [value for _, value in each(outputs, "privateClusterConfig.privateEndpoint")]
    texts += [value for _, value in each(outputs, "controlPlaneEndpointsConfig.dnsEndpointConfig.endpoint")]
    names = (str(text or "").removeprefix("https://").partition(":")[0].partition("/")[0].lower() for text in texts)
    return [name for name in names if name]


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one set of properties over another; what is absent above shows through."""
    return {**base, **{key: value for key, value in over.items() if value is not None}}


def under(value: Any, filler: Any) -> Any:
    """Put what a row says under what is there already."""
    if value is None:
        return filler
    if isinstance(value, Mapping) and isinstance(filler, Mapping):
        return {**value, **{key: under(value.get(key), item) for key, item in filler.items()}}
    return value
