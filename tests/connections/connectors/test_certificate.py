"""What is asked of a certificate before anything is sent."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import PrivateFormat

from connections.connectors.certificate import Certificate, InvalidCertificate
from tests.fakes.certificates import TODAY, certificate_pem, key_pem, make_certificate, make_key

OWN = certificate_pem(make_certificate(make_key()))
KEY = key_pem(make_key())


def test_it_reads_certificate_and_key_in_any_order() -> None:
    certificate = make_certificate(make_key())
    text = certificate_pem(certificate)
    found = Certificate.of(f"Bag Attributes\r\n{KEY}\n{text}".replace("\n", "\r\n"))
    assert found.thumbprint == certificate.fingerprint(hashes.SHA1()).hex().upper()
    assert found.until == TODAY + timedelta(days=364)
    assert found.credential == {"private_key": KEY.strip(), "public_certificate": text.strip()}
    assert "PRIVATE" not in repr(found)


def test_it_takes_a_chain_and_the_older_form_of_a_key() -> None:
    issuer = certificate_pem(make_certificate(make_key(1)))
    older = key_pem(make_key(), form=PrivateFormat.TraditionalOpenSSL)
    assert "RSA PRIVATE KEY" in Certificate.of(older + OWN + issuer).key


EXPIRED = certificate_pem(make_certificate(make_key(), since=TODAY - timedelta(days=9), days=2))
EARLY = certificate_pem(make_certificate(make_key(), since=TODAY + timedelta(days=2)))
CURVE = ec.generate_private_key(ec.SECP256R1())
TRADITIONAL = PrivateFormat.TraditionalOpenSSL


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a password", "not PEM text.*openssl pkcs12 -in my.pfx -nodes"),
        (OWN, "a certificate but not its private key. Put both"),
        (KEY, "a private key but no certificate. Put both"),
        (OWN + key_pem(make_key(), phrase="x"), "protected by a pass phrase.*openssl pkey"),
        (OWN + key_pem(make_key(), phrase="x", form=TRADITIONAL), "protected by a pass phrase"),
        (OWN + key_pem(make_key(1)), "not that of the first certificate"),
        (EXPIRED + KEY, f"expired on {TODAY - timedelta(days=7):%Y-%m-%d}. Make a new one"),
        (EARLY + KEY, "not valid before .*Check the clock"),
        (certificate_pem(make_certificate(CURVE)) + key_pem(CURVE), "not an RSA key"),
        (OWN.replace("MII", "XII", 1) + KEY, "certificate in the PEM text cannot be read"),
        (OWN + KEY.replace("MII", "XII", 1), "private key in the PEM text cannot be read"),
    ],
)
def test_each_mistake_has_its_own_sentence(text: str, message: str) -> None:
    with pytest.raises(InvalidCertificate, match=message):
        Certificate.of(text)
