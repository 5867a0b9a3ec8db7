"""The mock cloud itself: what it remembers and what it refuses."""

from __future__ import annotations

import pulumi
import pytest

from tests.components.mock_cloud import Cloud


class Thing(pulumi.CustomResource):
    """A bare resource of no SDK."""

    colour: pulumi.Output[str]

    def __init__(self, name: str, colour: str, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("test:index:Thing", name, {"colour": colour}, opts)


def test_remembers_what_was_asked_and_hands_values_back(cloud: Cloud) -> None:
    assert cloud.run(lambda: Thing("one", "red").colour) == "red"
    assert cloud.of_type("test:index:Thing") == {"one": {"colour": "red"}}
    assert cloud.without_provider() == ["test:index:Thing one"]


def test_an_unknown_look_up_names_itself(cloud: Cloud) -> None:
    with pytest.raises(Exception, match="looked up test:index:thing"):
        cloud.run(lambda: pulumi.runtime.invoke_output("test:index:thing", {}, pulumi.InvokeOutputOptions()))
