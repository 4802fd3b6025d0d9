"""Certificates made for a test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey
TODAY = datetime.now(UTC).replace(microsecond=0)


@cache
def make_key(number: int = 0) -> rsa.RSAPrivateKey:
    """Return a key, the same for the same number."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def make_certificate(
    key: PrivateKey, *, since: datetime = TODAY - timedelta(days=1), days: int = 365
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Resco CRM Sync")])
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + timedelta(days=days))
        .sign(key, hashes.SHA256())
    )


def certificate_pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(Encoding.PEM).decode()


def key_pem(key: PrivateKey, *, phrase: str = "", form: PrivateFormat = PrivateFormat.PKCS8) -> str:
    sealing: KeySerializationEncryption = NoEncryption()
    if phrase:
        sealing = BestAvailableEncryption(phrase.encode())
    return key.private_bytes(Encoding.PEM, form, sealing).decode()


def make_pem() -> tuple[x509.Certificate, str]:
    """Return a certificate, and it with its key as PEM text."""
    certificate = make_certificate(make_key())
    return certificate, certificate_pem(certificate) + key_pem(make_key())
