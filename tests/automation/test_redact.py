"""No form of a secret leaves."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from automation.redact import MASK, Redactor, of_environment

SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=8, max_size=40)


@given(SECRETS, st.binary(max_size=7), st.binary(max_size=7))
def test_every_form_is_masked(secret: str, before: bytes, after: bytes) -> None:
    redact = Redactor([secret]).text
    raw = secret.encode()
    for form in (
        secret,
        json.dumps({"x": secret}),
        json.dumps({"x": secret}, ensure_ascii=False),
        json.dumps(json.dumps(secret)),
        repr(secret),
        f"https://host/?token={quote(secret, safe='')}",
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode(),
    ):
        shown = redact(f"a {form} b")
        assert MASK in shown
        assert secret not in shown
    inside = redact(base64.b64encode(before + raw + after).decode())
    assert MASK in inside, "base64 of a longer text that holds the secret"


def test_values_of_any_shape_are_masked() -> None:
    redactor = Redactor(["hunter2-hunter2"])
    shown = redactor.value({"a": ["x hunter2-hunter2", 1, None], "hunter2-hunter2": {"b": "hunter2-hunter2"}})
    assert "hunter2" not in json.dumps(shown)
    assert shown["a"][1:] == [1, None]


def test_lines_of_a_key_are_masked_one_by_one() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEF\nAASCBKcwggSjAgEAAoIBAQC7\n-----END KEY-----"
    assert "MIIEvQIBADANBgkqhkiG9w0BAQEF" not in Redactor([key]).text("  MIIEvQIBADANBgkqhkiG9w0BAQEF")


@pytest.mark.parametrize("name", ["AWS_SECRET_ACCESS_KEY", "PULUMI_CONFIG_PASSPHRASE", "CLOUDFLARE_API_TOKEN"])
def test_secrets_of_the_environment_are_known(name: str) -> None:
    assert of_environment({name: "value-of-it", "OTHER": "x"}) == ["value-of-it"]


def test_short_values_mask_nothing() -> None:
    assert Redactor(["a", ""]).text("banana") == "banana"
