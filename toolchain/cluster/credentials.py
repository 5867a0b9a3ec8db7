"""The secrets of one control plane: certificates, a signing key, one token. They live as long as it does."""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import secrets
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
LIFETIME = dt.timedelta(days=1)
SLACK = dt.timedelta(hours=1)  # of a clock that is set while a test runs


@dataclass(frozen=True)
class Credentials:
    """The files of a control plane's folder that its programs share."""

    authority: Path
    certificate: Path
    key: Path
    signing_key: Path
    tokens: Path
    token: str


def make(folder: Path) -> Credentials:
    """Write fresh credentials into the folder."""
    from cryptography import x509  # noqa: PLC0415 - building needs no library, running does
    from cryptography.hazmat.primitives import hashes, serialization  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    def write(name: str, body: bytes) -> Path:
        path = folder / name
        path.touch(mode=0o600)
        path.write_bytes(body)
        return path

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    def private(key: ec.EllipticCurvePrivateKey) -> bytes:
        return key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        )

    def certificate(subject: str, key: ec.EllipticCurvePrivateKey, *, authority: bool) -> x509.CertificateBuilder:
        now = dt.datetime.now(dt.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name(subject))
            .issuer_name(name("control-plane"))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - SLACK)
            .not_valid_after(now + LIFETIME)
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
            )
        )

    authority_key, server_key, signing_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(3))
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    authority = certificate("control-plane", authority_key, authority=True).add_extension(usage, critical=True)
    names = x509.SubjectAlternativeName(
        [
            x509.IPAddress(ipaddress.ip_address(LOOPBACK)),
            x509.DNSName("localhost"),
            x509.DNSName("kubernetes.default.svc"),
        ]
    )
    server = certificate("kube-apiserver", server_key, authority=False).add_extension(names, critical=False)
    pem = serialization.Encoding.PEM
    token = secrets.token_urlsafe(32)
    return Credentials(
        authority=write("authority.crt", authority.sign(authority_key, hashes.SHA256()).public_bytes(pem)),
        certificate=write("apiserver.crt", server.sign(authority_key, hashes.SHA256()).public_bytes(pem)),
        key=write("apiserver.key", private(server_key)),
        signing_key=write("service-accounts.key", private(signing_key)),
        tokens=write("tokens.csv", f'{token},admin,admin,"system:masters"\n'.encode()),
        token=token,
    )


def kubeconfig(credentials: Credentials, server: str) -> str:
    """Return the text of a kubeconfig for the administrator (JSON is YAML too)."""
    import base64  # noqa: PLC0415 - here only

    authority = base64.b64encode(credentials.authority.read_bytes()).decode()
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "plane", "cluster": {"server": server, "certificate-authority-data": authority}}],
            "users": [{"name": "admin", "user": {"token": credentials.token}}],
            "contexts": [{"name": "plane", "context": {"cluster": "plane", "user": "admin"}}],
            "current-context": "plane",
        },
        indent=1,
    )
