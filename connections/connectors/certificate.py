"""The certificate of an application user: PEM text that holds certificate and private key.

Checked before it is used, so that each mistake has a sentence of its own. Nothing here shows the
key; the thumbprint is what Entra's portal shows beside an application's certificates.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from connections.errors import LoginFailed

LONGEST = 32_000
"""Characters of PEM text; a key of 4,096 bits with a chain of certificates has a third of it."""
_BLOCK = re.compile(r"-----BEGIN ([A-Z0-9 ]+)-----.*?-----END \1-----", re.DOTALL)
_KEY = "PRIVATE KEY"


class InvalidCertificate(LoginFailed):
    """The PEM text cannot be used to log in."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate with its key. Never printed."""

    certificate: str
    key: str = field(repr=False)
    thumbprint: str
    until: datetime

    @classmethod
    def of(cls, text: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Certificate:
        """Read PEM text. Raises InvalidCertificate with what is wrong and what to do."""
        blocks = [(found[1], found[0]) for found in _BLOCK.finditer(text.replace("\r\n", "\n"))]
        certificates = [block for name, block in blocks if name == "CERTIFICATE"]
        keys = [(name, block) for name, block in blocks if name.endswith(_KEY)]
        _check_blocks(certificates, keys)
        key = _key(*keys[0])
        own = _belonging(certificates, key)
        _check_time(own, now())
        return cls(
            certificate="\n".join(certificates),
            key=keys[0][1],
            thumbprint=own.fingerprint(hashes.SHA1()).hex().upper(),  # noqa: S303 - a name
            until=own.not_valid_after_utc,
        )

    @property
    def credential(self) -> dict[str, str]:
        """Return the form that msal asks for (`client_credential`)."""
        return {"private_key": self.key, "public_certificate": self.certificate}


def _check_blocks(certificates: list[str], keys: list[tuple[str, str]]) -> None:
    if not certificates and not keys:
        raise InvalidCertificate(
            "This is not PEM text: it has no line '-----BEGIN CERTIFICATE-----'. A .pfx file is "
            "converted by: openssl pkcs12 -in my.pfx -nodes -out my.pem"
        )
    if not certificates:
        raise InvalidCertificate(
            "The PEM text holds a private key but no certificate. Put both into it."
        )
    if not keys:
        raise InvalidCertificate(
            "The PEM text holds a certificate but not its private key. Put both into it."
        )


def _key(name: str, block: str) -> RSAPrivateKey:
    if name.startswith("ENCRYPTED") or "Proc-Type: 4,ENCRYPTED" in block:
        raise InvalidCertificate(
            "The private key is protected by a pass phrase. Give it without one, it is sealed "
            "here: openssl pkey -in my.pem -out plain.pem"
        )
    try:
        key = load_pem_private_key(block.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InvalidCertificate(
            "The private key in the PEM text cannot be read. Export it again."
        ) from error
    if not isinstance(key, RSAPrivateKey):
        raise InvalidCertificate(
            "The private key is not an RSA key, which Microsoft Entra asks for. Make another "
            "certificate."
        )
    return key


def _belonging(certificates: list[str], key: RSAPrivateKey) -> x509.Certificate:
    """Return the certificate of the key; it stands first in the text, its issuers after it."""
    try:
        first = x509.load_pem_x509_certificate(certificates[0].encode())
        public = first.public_key()
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidCertificate(
            "The certificate in the PEM text cannot be read. Export it again."
        ) from error
    if public != key.public_key():
        raise InvalidCertificate(
            "The private key is not that of the first certificate in the PEM text. Put the "
            "application's certificate first, with its own key."
        )
    return first


def _check_time(own: x509.Certificate, now: datetime) -> None:
    if now >= own.not_valid_after_utc:
        raise InvalidCertificate(
            f"The certificate expired on {own.not_valid_after_utc:%Y-%m-%d}. Make a new one, "
            "register it with the application, and enter it here."
        )
    if now < own.not_valid_before_utc:
        raise InvalidCertificate(
            f"The certificate is not valid before {own.not_valid_before_utc:%Y-%m-%d %H:%M} UTC. "
            "Check the clock of this installation, or wait."
        )
