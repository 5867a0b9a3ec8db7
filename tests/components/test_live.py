"""The stack's last state as the program reads it, while the engine may be writing it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from components import live

TORN = (
    "invoke of pulumi:pulumi:readStackOutputs failed: invocation of pulumi:pulumi:readStackOutputs returned an error: "
    "failed to load checkpoint: EOF"
)
POOLS = {
    "urn:pulumi:prod::p::aws:eks/nodeGroup:NodeGroup::aws-eu-west-1-general-0": {
        "type": "aws:eks/nodeGroup:NodeGroup",
        "outputs": {"scalingConfig": {"desiredSize": 7}},
    },
    "urn:pulumi:prod::p::gcp:container/nodePool:NodePool::gcp-europe-west1-general-0": {
        "type": "gcp:container/nodePool:NodePool",
        "outputs": {"nodeCount": 3},
    },
}


class Engine:
    """Answers the two questions; the first `torn` answers come while the checkpoint is being written."""

    def __init__(self, torn: int, error: str = TORN) -> None:
        self.torn, self.error, self.asked = torn, error, 0

    def __call__(self, question: str, _about: dict[str, str]) -> SimpleNamespace:
        self.asked += 1
        if self.asked <= self.torn:
            raise Exception(self.error)  # noqa: TRY002 - the type that the SDK raises
        return SimpleNamespace(value={"outputs": POOLS if "Resource" in question else {"environment": "prod"}})


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live._ask.retry, "sleep", lambda _seconds: None)
    monkeypatch.setattr(live.pulumi, "get_stack", lambda: "prod")


def test_half_a_checkpoint_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "invoke", Engine(torn=5))
    sizes = live.from_state()
    assert sizes.of("aws-eu-west-1", "general-0") == 7
    assert sizes.of("gcp-europe-west1", "general-0") is None, "GKE's autoscaler owns the size"


def test_a_checkpoint_that_stays_broken_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "invoke", Engine(torn=100))
    with pytest.raises(Exception, match="failed to load checkpoint: EOF"):
        live.from_state()


def test_another_failure_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(torn=1, error="access denied")
    monkeypatch.setattr(live, "invoke", engine)
    with pytest.raises(Exception, match="access denied"):
        live.from_state()
    assert engine.asked == 1


def test_a_stack_without_outputs_has_no_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "invoke", lambda *_: SimpleNamespace(value={"outputs": {}}))
    assert live.from_state().sizes == {}
