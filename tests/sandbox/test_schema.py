"""The schema read from the SDKs, and the validator over it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.behaviour import every_rule, rules  # noqa: F401
from sandbox.behaviour.rows import Row, rows
from sandbox.paths import parts
from sandbox.schema.derive import derive
from sandbox.schema.model import Kind, Shape, TypeSchema
from sandbox.schema.store import SchemaStore
from sandbox.schema.tokens import PACKAGES, tokens
from sandbox.schema.validate import validate
from sandbox.wire import UNKNOWN

CLOUDS = ("aws", "gcp", "azure-native", "cloudflare")
DEEP = {
    "aws": "aws:eks/nodeGroup:NodeGroup",
    "gcp": "gcp:container/cluster:Cluster",
    "azure-native": "azure-native:containerservice:ManagedCluster",
    "cloudflare": "cloudflare:index/ruleset:Ruleset",
    "kubernetes": "kubernetes:apps/v1:Deployment",
}


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SchemaStore]:
    cache = tmp_path_factory.mktemp("schema")
    return {package: SchemaStore(package, cache) for package in PACKAGES}


@pytest.mark.parametrize(
    ("package", "least"),
    [("aws", 1700), ("gcp", 1400), ("azure-native", 2200), ("kubernetes", 500), ("cloudflare", 300)],
)
def test_every_sdk_lists_its_types(package: str, least: int) -> None:
    assert len(tokens(package)) >= least


def test_wire_names_required_inputs_enums_and_constants_are_known(stores: dict[str, SchemaStore]) -> None:
    cluster = stores["azure-native"].get(DEEP["azure-native"])
    assert cluster.inputs.required == ("resourceGroupName",)
    assert cluster.inputs.props["diskEncryptionSetID"] == {"k": "str"}
    net = cluster.nested["in:containerservice:ContainerServiceNetworkProfileArgs"]
    assert net.props["networkPlugin"] == {"k": "enum", "values": ["azure", "kubenet", "none"], "open": True}
    assert cluster.outputs.props["azureApiVersion"]["k"] == "const"
    deployment = stores["kubernetes"].get(DEEP["kubernetes"])
    assert deployment.inputs.props["apiVersion"] == {"k": "const", "value": "apps/v1"}
    assert "in:meta/v1:ObjectMetaArgs" in deployment.nested


def test_a_cached_schema_equals_a_derived_one(tmp_path: Path) -> None:
    token = "aws:ec2/subnet:Subnet"
    first = SchemaStore("aws", tmp_path).get(token)
    again = SchemaStore("aws", tmp_path).get(token)
    assert first == again == derive("aws", token)


def test_a_damaged_cache_is_derived_anew(tmp_path: Path) -> None:
    token = "aws:ec2/subnet:Subnet"
    good = SchemaStore("aws", tmp_path).get(token)
    (file,) = tmp_path.rglob("*.json")
    file.write_text("{")
    assert SchemaStore("aws", tmp_path).get(token) == good


def _sample(schema: TypeSchema, kind: Kind, depth: int) -> Any:
    name = kind["k"]
    if name == "obj":
        return _object(schema, schema.nested[kind["ref"]], depth + 1)
    if name == "list":
        return [_sample(schema, kind["of"], depth)]
    if name == "map":
        return {"key": _sample(schema, kind["of"], depth)}
    if name == "union":
        return _sample(schema, kind["of"][0], depth)
    if name == "enum":
        return kind["values"][0]
    if name == "const":
        return kind["value"]
    return {"str": "text", "int": 1, "float": 1.5, "bool": True, "any": "text", "asset": {}}[name]


def _object(schema: TypeSchema, shape: Shape, depth: int) -> dict[str, Any]:
    wanted = shape.props if depth < 4 else {key: shape.props[key] for key in shape.required}
    return {key: _sample(schema, kind, depth) for key, kind in wanted.items()}


def _objects(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(value, dict):
        yield path
        for key, item in value.items():
            yield from _objects(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _objects(item, (*path, index))


@pytest.mark.parametrize("package", DEEP)
def test_a_misspelt_property_is_named_at_every_level(stores: dict[str, SchemaStore], package: str) -> None:
    schema = stores[package].get(DEEP[package])
    good = _object(schema, schema.inputs, 0)
    assert validate(schema, good) == []
    checked = 0
    for place in _objects(good):
        bad = copy.deepcopy(good)
        inner = bad
        for part in place:
            inner = inner[part]
        if not inner or "key" in inner:
            continue  # a free map
        key = min(inner)
        inner[key + "x"] = inner[key]
        failures = validate(schema, bad)
        assert [failure for failure in failures if failure.path.endswith(key + "x")], place
        assert f"did you mean '{key}'" in " ".join(failure.reason for failure in failures)
        checked += 1
    assert checked >= 5


def test_a_python_name_is_answered_with_the_wire_name(stores: dict[str, SchemaStore]) -> None:
    schema = stores["aws"].get("aws:ec2/vpc:Vpc")
    (failure,) = validate(schema, {"cidr_block": "10.0.0.0/16"})
    assert (failure.path, "did you mean 'cidrBlock'" in failure.reason) == ("cidr_block", True)


@pytest.mark.parametrize(
    ("inputs", "path", "words"),
    [
        ({"vpcConfig": {"subnetIds": "one"}, "roleArn": "a"}, "vpcConfig.subnetIds", "must be a list"),
        ({"vpcConfig": {"subnetIds": [1]}, "roleArn": "a"}, "vpcConfig.subnetIds[0]", "must be a string"),
        ({"vpcConfig": {"subnetIds": []}}, "roleArn", "required"),
        ({"vpcConfig": {}, "roleArn": "a"}, "vpcConfig.subnetIds", "required"),
        ({"vpcConfig": [], "roleArn": "a"}, "vpcConfig", "must be an object"),
        (
            {"vpcConfig": {"subnetIds": [], "endpointPublicAccess": 3}, "roleArn": "a"},
            "vpcConfig.endpointPublicAccess",
            "boolean",
        ),
        ({"vpcConfig": {"subnetIds": []}, "roleArn": "a", "tags": ["x"]}, "tags", "must be a map"),
    ],
)
def test_wrong_types_and_missing_inputs(
    stores: dict[str, SchemaStore], inputs: dict[str, Any], path: str, words: str
) -> None:
    failures = {
        failure.path: failure.reason for failure in validate(stores["aws"].get("aws:eks/cluster:Cluster"), inputs)
    }
    assert words in failures[path]


def test_a_bad_enum_names_what_is_allowed(stores: dict[str, SchemaStore]) -> None:
    schema = stores["azure-native"].get(DEEP["azure-native"])
    inputs = {"resourceGroupName": "g", "identity": {"type": "UserAsigned"}}
    (failure,) = validate(schema, inputs)
    assert failure.path == "identity.type"
    assert "UserAssigned" in failure.reason


def test_unknown_values_are_accepted_anywhere(stores: dict[str, SchemaStore]) -> None:
    schema = stores["aws"].get("aws:eks/cluster:Cluster")
    assert validate(schema, {"vpcConfig": UNKNOWN, "roleArn": UNKNOWN, "tags": {"a": UNKNOWN}}) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    inputs=st.dictionaries(st.sampled_from(["vpcConfig", "roleArn", "tags", "version", "nonsense"]), JSON, max_size=5)
)
def test_no_input_whatever_breaks_the_validator(stores: dict[str, SchemaStore], inputs: dict[str, Any]) -> None:
    failures = validate(stores["aws"].get("aws:eks/cluster:Cluster"), inputs)
    assert all(failure.path for failure in failures)
    assert ("nonsense" in inputs) <= any(failure.path == "nonsense" for failure in failures)


def _reaches(schema: TypeSchema, shape: Shape, names: tuple[str, ...]) -> bool:
    return not names or (names[0] in shape.props and _kind_reaches(schema, shape.props[names[0]], names[1:]))


def _kind_reaches(schema: TypeSchema, kind: Kind, names: tuple[str, ...]) -> bool:
    if not names:
        return True
    if kind["k"] in {"list", "map"}:
        return _kind_reaches(schema, kind["of"], names[1:] if names[0] == "*" or kind["k"] == "map" else names)
    if kind["k"] == "obj":
        return _reaches(schema, schema.nested[kind["ref"]], names)
    if kind["k"] == "union":
        return any(_kind_reaches(schema, option, names) for option in kind["of"])
    return bool(kind["k"] == "any")


def _patterns(row: Row) -> Iterator[str]:
    yield from (*row.replaces, *row.references, *row.enums, *row.ranges, *row.patterns, *row.lengths, *row.required)
    yield from (*row.immutable, *row.drift)
    for group in (*row.exclusive, *row.one_of, *row.ordered):
        yield from group
    if row.name:
        yield from (row.name.property, *row.name.parent)
    if row.protection:
        yield row.protection


@pytest.mark.parametrize("package", CLOUDS)
def test_rows_speak_of_properties_that_exist(stores: dict[str, SchemaStore], package: str) -> None:
    wrong = []
    for token, row in rows(package).items():
        schema = stores[package].get(token)
        wrong += [(token, text) for text in _patterns(row) if not _reaches(schema, schema.inputs, parts(text))]
        wrong += [(token, key) for key in (*row.outputs, *row.volatile) if key not in schema.outputs.props]
        known = rules.CHECKS.keys() | rules.CREATES.keys() | rules.OUTPUTS.keys()
        wrong += [(token, name) for name in row.rules if name not in known]
        wrong += [
            (token, to) for item in row.references.values() for to in item.to if to not in stores[to.split(":")[0]]
        ]
        assert row.source
    assert wrong == []
