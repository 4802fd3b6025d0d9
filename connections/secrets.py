"""Sealed secrets: AES-256-GCM, key id in the text, the row's id as associated data (decision 11).

A sealed text is ``1.<key id>.<base64url of nonce and ciphertext>``. The key id is the head of a
digest of the key, so the right key is found after a rotation without trying them all. Because
the row's id is authenticated, a text copied into another row does not open.

Secrets are write-only: nothing but a connector opens one, and no error text ever holds one.
`settings.RESCO_SYNC_SECRET_KEYS` lists long random texts, from which the keys are derived by
HKDF (RFC 5869); the first one seals, all open.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from connections.errors import Refused
from connections.models import Endpoint

_FORMAT = "1"
_NONCE_BYTES = 12
_KEY_BYTES = 32
_SHORTEST_TEXT = 16
_INFO = b"resco-crm-sync endpoint secrets"
_BOUND_FIELDS = ("backend", "url", "user_name", "login_kind")
"""What a secret belongs to: were one of these changed under it, it would go to somebody else."""


def seal(text: str, row_id: UUID | str) -> str:
    """Return `text` sealed for the row; empty text stays empty."""
    if not text:
        return ""
    key_id, key = next(iter(_keys().items()))
    nonce = os.urandom(_NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), _bound(row_id, key_id))
    return f"{_FORMAT}.{key_id}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"


def open_(sealed: str, row_id: UUID | str) -> str:
    """Return the text that was sealed for the row. Raises Refused when it cannot be opened."""
    if not sealed:
        return ""
    key_id, body = _parts(sealed)
    key = _keys().get(key_id)
    if key is None:
        raise Refused(
            f"The stored secret was sealed with key {key_id}, which is not among "
            "RESCO_SYNC_SECRET_KEYS. Add that key again, or enter the secret again."
        )
    try:
        nonce, sealed_bytes = body[:_NONCE_BYTES], body[_NONCE_BYTES:]
        return AESGCM(key).decrypt(nonce, sealed_bytes, _bound(row_id, key_id)).decode()
    except (InvalidTag, ValueError) as error:
        raise Refused(
            "The stored secret does not belong to this endpoint or was damaged. "
            "Enter the secret again."
        ) from error


def rotate() -> Mapping[str, int]:
    """Seal every endpoint's secret with the first key; returns counts `sealed` and `current`.

    Each row is its own transaction, so it may run while the product works, and may be repeated.
    Raises Refused at the first secret that no key opens; rows before it are done.
    """
    current = next(iter(_keys()))
    counts = {"sealed": 0, "current": 0}
    rows = Endpoint.objects.exclude(sealed_secret="").values_list("pk", flat=True)
    for pk in list(rows):
        counts["sealed" if _rotate_one(pk, current) else "current"] += 1
    return counts


def keep_secret_bound(endpoint: Endpoint) -> bool:
    """Drop the secret of an endpoint whose back end, URL or user changed since it was saved.

    Call it before saving an edited endpoint (and before `set_secret`); returns whether a secret
    was dropped, so that the form can ask for it again.
    """
    saved = Endpoint.objects.filter(pk=endpoint.pk).values(*_BOUND_FIELDS).first()
    if saved is None or not endpoint.sealed_secret:
        return False
    if all(saved[name] == getattr(endpoint, name) for name in _BOUND_FIELDS):
        return False
    endpoint.sealed_secret = ""
    endpoint.authority = ""
    return True


def set_secret(endpoint: Endpoint, text: str) -> None:
    """Seal a newly entered password or client secret into the (unsaved) endpoint."""
    endpoint.sealed_secret = seal(text, endpoint.pk)


def check_keys() -> None:
    """Raise ImproperlyConfigured with a sentence unless there is a key and all keys are keys."""
    _keys()


def _rotate_one(pk: Any, current: str) -> bool:
    with transaction.atomic():
        endpoint = Endpoint.objects.select_for_update().get(pk=pk)
        if not endpoint.sealed_secret or _parts(endpoint.sealed_secret)[0] == current:
            return False
        set_secret(endpoint, open_(endpoint.sealed_secret, endpoint.pk))
        endpoint.save(update_fields=["sealed_secret"])
        return True


def _keys() -> dict[str, bytes]:
    texts = [text.strip() for text in getattr(settings, "RESCO_SYNC_SECRET_KEYS", ()) or ()]
    keys = [_key(text, position) for position, text in enumerate(texts, 1) if text]
    if not keys:
        raise ImproperlyConfigured(
            "RESCO_SYNC_SECRET_KEYS is empty: without a key no password can be kept. Give at "
            "least one long random text (openssl rand -base64 32)."
        )
    return {hashlib.sha256(b"id" + key).hexdigest()[:8]: key for key in keys}


def _key(text: str, position: int) -> bytes:
    if len(text) < _SHORTEST_TEXT:
        raise ImproperlyConfigured(
            f"RESCO_SYNC_SECRET_KEYS: key {position} has {len(text)} characters; give at least "
            f"{_SHORTEST_TEXT} random ones (openssl rand -base64 32)."
        )
    return HKDF(hashes.SHA256(), length=_KEY_BYTES, salt=None, info=_INFO).derive(text.encode())


def _parts(sealed: str) -> tuple[str, bytes]:
    parts = sealed.split(".")
    try:
        if len(parts) != 3 or parts[0] != _FORMAT:
            raise ValueError(parts[0])
        return parts[1], base64.urlsafe_b64decode(parts[2])
    except (binascii.Error, ValueError) as error:
        raise Refused("The stored secret is damaged. Enter the secret again.") from error


def _bound(row_id: UUID | str, key_id: str) -> bytes:
    return f"{_FORMAT}.{key_id}.{str(row_id).lower()}".encode()
