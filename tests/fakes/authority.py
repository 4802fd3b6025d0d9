"""A strict Microsoft Entra over real HTTP: it issues only what the documents allow.

It stands in for login.microsoftonline.com, so a `Session` of `towards` leads that host to it;
nothing leaves the machine. One user, one application, one organization.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import orjson
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from connections.addresses import Allowlist
from connections.egress import Reply, Session
from tests.fakes.server import Answer, Request

HOST = "https://login.microsoftonline.com"
TENANT = "0f0f0f0f-0000-0000-0000-000000000000"
AUTHORITY = f"{HOST}/{TENANT}"
CLIENT_ID = "cccccccc-0000-0000-0000-000000000001"
USER = "joe@contoso.com"
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


class Refused(Exception):
    """What the authority does not allow: OAuth error and AADSTS number."""

    def __init__(self, error: str, number: int) -> None:
        self.error, self.number = error, number
        super().__init__(error)


@dataclass
class FakeAuthority:
    """Codes are good once, refresh tokens until they are revoked; a used one is replaced."""

    redirect_uri: str
    resource: str
    certificate: x509.Certificate | None = None
    client_secret: str = ""
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    refresh_tokens: set[str] = field(default_factory=set)
    access_tokens: set[str] = field(default_factory=set)
    forms: list[dict[str, str]] = field(default_factory=list)
    busy: list[str] = field(default_factory=list)
    """Retry-After of the next answers of the token endpoint, which are 429."""
    ends: int = 0
    """The AADSTS number with which refresh tokens are refused, 0 for none."""
    gives_refresh_tokens: bool = True

    def __call__(self, request: Request) -> Answer:
        path = request.path.removeprefix(f"/{TENANT}")
        if path == "/v2.0/.well-known/openid-configuration":
            return told(self._discovery())
        try:
            if path == "/oauth2/v2.0/authorize" and request.method == "GET":
                return self._authorize(request.query)
            if path == "/oauth2/v2.0/token" and request.method == "POST":
                return self._token(request)
        except Refused as refused:
            return failed(refused)
        return Answer(404)

    def _discovery(self) -> dict[str, str]:
        return {
            "token_endpoint": f"{AUTHORITY}/oauth2/v2.0/token",
            "authorization_endpoint": f"{AUTHORITY}/oauth2/v2.0/authorize",
            "issuer": f"{AUTHORITY}/v2.0",
        }

    def _authorize(self, asked: Mapping[str, str]) -> Answer:
        """The page on which Joe has signed in already: it sends him back with a code."""
        need(asked["client_id"] == CLIENT_ID, "unauthorized_client", 700016)
        need(asked["redirect_uri"] == self.redirect_uri, "invalid_request", 50011)
        need(asked["response_type"] == "code", "unsupported_response_type", 70005)
        need(asked["code_challenge_method"] == "S256", "invalid_request", 9002325)
        need(len(asked["code_challenge"]) == 43, "invalid_request", 501481)
        self._check_scope(asked["scope"])
        code = secrets.token_urlsafe(24)
        self.codes[code] = dict(asked)
        back = urlencode({"code": code, "state": asked["state"], "session_state": "x"})
        return Answer(302, headers={"Location": f"{self.redirect_uri}?{back}"})

    def _token(self, request: Request) -> Answer:
        if self.busy:
            return Answer(429, b"{}", {"Retry-After": self.busy.pop(0)})
        need(request.headers["content-type"].startswith("application/x-www"), "invalid_request", 1)
        form = dict(parse_qsl(request.body.decode(), strict_parsing=True))
        self.forms.append(form)
        grants = {
            "authorization_code": self._by_code,
            "refresh_token": self._by_refresh_token,
            "client_credentials": self._by_assertion,
        }
        need(form["grant_type"] in grants, "unsupported_grant_type", 70003)
        return told(grants[form["grant_type"]](form))

    def _by_code(self, form: dict[str, str]) -> dict[str, Any]:
        self._check_client(form)
        asked = self.codes.pop(form["code"], None)
        if asked is None:
            raise Refused("invalid_grant", 54005)
        need(form["redirect_uri"] == asked["redirect_uri"], "invalid_request", 50011)
        digest = hashlib.sha256(form["code_verifier"].encode("ascii")).digest()
        need(url64(digest) == asked["code_challenge"], "invalid_grant", 501481)
        return self._for_joe(form) | {"id_token": id_token(asked["nonce"])}

    def _by_refresh_token(self, form: dict[str, str]) -> dict[str, Any]:
        self._check_client(form)
        need(not self.ends, "invalid_grant", self.ends)
        need(form["refresh_token"] in self.refresh_tokens, "invalid_grant", 70000)
        return self._for_joe(form)

    def _by_assertion(self, form: dict[str, str]) -> dict[str, Any]:
        need(form["client_id"] == CLIENT_ID, "unauthorized_client", 700016)
        need(form["scope"] == f"{self.resource}/.default", "invalid_scope", 70011)
        need(form.get("client_assertion_type") == JWT_BEARER, "invalid_client", 7000216)
        assert self.certificate is not None
        check_assertion(form["client_assertion"], self.certificate)
        return self._access()

    def _check_client(self, form: Mapping[str, str]) -> None:
        need(form["client_id"] == CLIENT_ID, "unauthorized_client", 700016)
        if self.client_secret:
            need("client_secret" in form, "invalid_client", 7000218)
            need(form["client_secret"] == self.client_secret, "invalid_client", 7000215)
        else:
            need("client_secret" not in form, "invalid_client", 700025)

    def _check_scope(self, scope: str) -> None:
        wanted = scope.split()
        need(f"{self.resource}/user_impersonation" in wanted, "invalid_scope", 70011)
        need({"openid", "offline_access"} <= set(wanted), "invalid_scope", 70011)

    def _for_joe(self, form: Mapping[str, str]) -> dict[str, Any]:
        self._check_scope(form["scope"])
        if not self.gives_refresh_tokens:
            return self._access()
        token = f"refresh-{secrets.token_urlsafe(24)}"
        self.refresh_tokens.add(token)
        return self._access() | {"refresh_token": token}

    def _access(self) -> dict[str, Any]:
        token = f"access-{secrets.token_urlsafe(24)}"
        self.access_tokens.add(token)
        return {"token_type": "Bearer", "expires_in": 3599, "access_token": token}


class Towards(Session):
    """A session to which Microsoft's host is the fake; every other host is as it is."""

    def __init__(self, authority: str) -> None:
        super().__init__(allow=Allowlist.of(["127.0.0.1"]))
        self._authority_at = authority

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Reply:
        real = url.replace(HOST, self._authority_at, 1) if url.startswith(f"{HOST}/") else url
        return super().request(method, real, headers=headers, body=body)


def need(is_so: bool, error: str, number: int) -> None:
    if not is_so:
        raise Refused(error, number)


def told(document: object) -> Answer:
    return Answer(200, orjson.dumps(document), {"Content-Type": "application/json"})


def failed(refused: Refused) -> Answer:
    document = {
        "error": refused.error,
        "error_description": f"AADSTS{refused.number}: words of the authority. Trace ID: 1",
        "error_codes": [refused.number],
    }
    return Answer(400, orjson.dumps(document), {"Content-Type": "application/json"})


def url64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unurl64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def id_token(nonce: str) -> str:
    now = int(time.time())
    claims = {
        "iss": f"{AUTHORITY}/v2.0",
        "aud": CLIENT_ID,
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
        "nonce": nonce,
        "preferred_username": USER,
        "sub": "joe",
        "tid": TENANT,
        "oid": "joe",
    }
    parts = [orjson.dumps({"alg": "none", "typ": "JWT"}), orjson.dumps(claims), b""]
    return ".".join(map(url64, parts))


def check_assertion(text: str, certificate: x509.Certificate) -> None:
    """Check a client assertion as Entra documents it: thumbprint, signature, times, audience.

    msal pads the thumbprint, which Entra is known to take.
    """
    head, body, signature = text.split(".")
    header, claims = orjson.loads(unurl64(head)), orjson.loads(unurl64(body))
    thumbprint = url64(certificate.fingerprint(hashes.SHA256()))
    need(header["alg"] == "PS256", "invalid_client", 700027)
    need(header["x5t#S256"].rstrip("=") == thumbprint, "invalid_client", 700027)
    key = certificate.public_key()
    assert isinstance(key, RSAPublicKey)
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
    key.verify(unurl64(signature), f"{head}.{body}".encode(), pss, hashes.SHA256())
    need(claims["aud"] == f"{AUTHORITY}/oauth2/v2.0/token", "invalid_client", 700023)
    need(claims["iss"] == claims["sub"] == CLIENT_ID, "invalid_client", 700021)
    need(claims["exp"] > time.time() and bool(claims["jti"]), "invalid_client", 700024)
