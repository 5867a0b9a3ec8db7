"""Pre-shared keys of tunnels: made once, at random, and secret from then on."""

from __future__ import annotations

import secrets
import string
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, Resource, UpdateResult
from pulumi.dynamic import ResourceProvider as DynamicProvider

LENGTH: Final = 48
"""285 bits. AWS takes 8 to 64 letters, digits, points and underscores, the first no zero

(docs.aws.amazon.com/vpn/latest/s2svpn/VPNTunnels.html); Azure takes 128 characters of ASCII
(https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-vpn-faq), 2026-11-21.
"""
REPLACED_BY: Final = ("generation", "tunnels")


def made() -> str:
    """Make one key: a letter first, then letters and digits."""
    rest = string.ascii_letters + string.digits
    return secrets.choice(string.ascii_letters) + "".join(secrets.choice(rest) for _ in range(LENGTH - 1))


class KeysProvider(DynamicProvider):
    """Makes keys in `create` only; module path and name are a promise, the engine stores this class by reference."""

    serialize_as_secret_always = False

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Take the inputs without `keys`, which nobody gives."""
        return CheckResult({**news, "keys": None}, [])

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Another generation, or another number of tunnels, means other keys; an edited module alone means none."""
        replaces = [name for name in REPLACED_BY if _olds.get(name) != _news.get(name)]
        changed = bool(replaces) or _olds.get("code") != _news.get("code")
        return DiffResult(changes=changed, replaces=replaces, stables=["keys"], delete_before_replace=False)

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make the keys; the id says nothing about them."""
        keys = [made() for _ in range(int(props["tunnels"]))]
        return CreateResult(f"keys-{secrets.token_hex(8)}", {**props, "keys": keys})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return what is stored: keys have no life outside the state."""
        return ReadResult(id_, props)

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Keep the keys; the inherited method would wipe them."""
        return UpdateResult({**_news, "keys": _olds["keys"]})


class PresharedKeys(Resource, module="links", name="PresharedKeys"):
    """Keys of one half of a link's tunnels."""

    keys: pulumi.Output[Sequence[str]]

    def __init__(self, name: str, generation: int, tunnels: int, opts: pulumi.ResourceOptions) -> None:
        """`generation` is the number in the stack file: a higher one makes new keys."""
        props = {"keys": None, "generation": generation, "tunnels": tunnels, "code": code_hash()}
        secret = pulumi.ResourceOptions(additional_secret_outputs=["keys"])
        super().__init__(KeysProvider(), name, props, pulumi.ResourceOptions.merge(opts, secret))

    def of(self, place: int) -> pulumi.Output[str]:
        """Return one key; nobody sees it in a preview or a log."""
        return pulumi.Output.secret(self.keys.apply(lambda keys: str(keys[place])))


def code_hash() -> str:
    """Hash this module, so that an edit of it shows in the plan (CH-06)."""
    return sha256(Path(__file__).read_bytes()).hexdigest()
