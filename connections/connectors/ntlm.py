"""Windows-integrated authentication: NTLM, or Kerberos where the system has it (dataverse.md §1.2).

An on-premises server logs in the connection, not the request: the answers of one handshake must
travel on one connection, which `egress.Session.authenticate` sees to. The tokens are made by
pyspnego, an optional dependency (`resco-crm-sync[onprem]`), which also ties them to the TLS
certificate of the server (extended protection, RFC 5929 §4).
"""

from __future__ import annotations

import re
import struct
from base64 import b64decode, b64encode
from typing import Any

import requests
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from requests.auth import AuthBase

from connections.addresses import same_origin, target_of
from connections.connectors.authority import windows_scheme
from connections.errors import LoginFailed, Refused
from connections.logins import Login, LoginKind

try:
    import spnego
    import spnego.channel_bindings
    import spnego.exceptions
except ImportError:  # the extra is not installed
    spnego = None  # type: ignore[assignment]

_LEGS = 4
"""NTLM needs two of ours, Kerberos one or two."""
_LONGEST_BODY = 1 << 20
_WEAK = (hashes.MD5, hashes.SHA1)


class WindowsLogin(AuthBase):
    """Answers the challenges of one server for one user; safe for several threads."""

    def __init__(self, login: Login, endpoint: str) -> None:
        """Raises Refused when the extra is not installed or the login is of another kind."""
        if spnego is None:
            raise Refused(
                f"{target_of(endpoint)} wants Windows-integrated authentication (NTLM or "
                "Kerberos). Install what it needs: pip install 'resco-crm-sync[onprem]'"
            )
        if login.kind != LoginKind.SECRET or login.is_application:
            raise Refused(
                f"{target_of(endpoint)} wants Windows-integrated authentication. Enter a user "
                "name (DOMAIN\\user) and a password."
            )
        self._login, self._endpoint = login, endpoint

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Ask to see the answer."""
        request.register_hook("response", self._seen)  # type: ignore[no-untyped-call]
        return request

    def _seen(self, response: requests.Response, **options: Any) -> requests.Response:
        scheme = windows_scheme(response.headers.get("WWW-Authenticate", ""))
        is_ours = same_origin(str(response.url), self._endpoint)
        if response.status_code != 401 or not scheme or not is_ours:
            return response
        try:
            return self._logged_in(response, scheme, options)
        except (spnego.exceptions.SpnegoError, struct.error, ValueError) as error:
            raise LoginFailed(
                f"The Windows login at {target_of(self._endpoint)} could not be completed. Enter "
                "the user name as DOMAIN\\user or user@domain, and check the address."
            ) from error

    def _logged_in(
        self, response: requests.Response, scheme: str, options: dict[str, Any]
    ) -> requests.Response:
        context = self._context(response, scheme)
        token = context.step()
        for _ in range(_LEGS):
            response = _repeated(response, scheme, token, options)
            if response.status_code != 401:
                return response
            said = _token(response, scheme)
            token = context.step(said) if said and not context.complete else None
            if not token:
                break
        raise LoginFailed(
            f"{target_of(self._endpoint)} did not accept the Windows login. Check user name "
            "(DOMAIN\\user) and password, and that the user is not locked."
        )

    def _context(self, response: requests.Response, scheme: str) -> Any:
        return spnego.client(
            self._login.user_name,
            self._login.secret,
            hostname=target_of(self._endpoint).host,
            service="http",
            protocol=scheme.lower(),
            channel_bindings=_bindings(response),
        )


def _repeated(
    response: requests.Response, scheme: str, token: bytes | None, options: dict[str, Any]
) -> requests.Response:
    """Send the request again on the same connection, which is free once the body was read."""
    if len(response.raw.read(_LONGEST_BODY, decode_content=False)) >= _LONGEST_BODY:
        raise Refused(f"{target_of(str(response.url))} answered a login with too much.")
    response.raw.release_conn()
    request = response.request.copy()
    request.headers["Authorization"] = f"{scheme} {b64encode(token or b'').decode()}"
    return response.connection.send(request, **options)


def _token(response: requests.Response, scheme: str) -> bytes:
    header = response.headers.get("WWW-Authenticate", "")
    found = re.search(rf"(?:^|,)\s*{scheme}\s+([A-Za-z0-9+/=]+)", header, re.IGNORECASE)
    return b64decode(found[1], validate=True) if found else b""


def _bindings(response: requests.Response) -> Any:
    """Return what ties the login to the server's certificate; None without TLS."""
    connection = getattr(response.raw, "_connection", None)
    own = getattr(getattr(connection, "sock", None), "getpeercert", None)
    certificate = own(True) if own else None
    if not certificate:
        return None
    return spnego.channel_bindings.GssChannelBindings(
        application_data=b"tls-server-end-point:" + _digest(certificate)
    )


def _digest(certificate: bytes) -> bytes:
    """Digest by the certificate's own algorithm, SHA-256 in the place of a weak one."""
    try:
        algorithm = x509.load_der_x509_certificate(certificate).signature_hash_algorithm
    except (ValueError, UnsupportedAlgorithm):
        algorithm = None
    is_weak = algorithm is None or isinstance(algorithm, _WEAK)
    digest = hashes.Hash(hashes.SHA256() if is_weak or algorithm is None else algorithm)
    digest.update(certificate)
    return digest.finalize()
