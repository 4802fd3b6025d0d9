"""`$hook`: web hooks are made, listed and removed (resco.md §3.4).

Who makes one may see and remove all of the organization's. The calls themselves are somebody
else's work: they are at least once, in the order of the changes of one entity (assumed: nothing
is published), and hold the record's id only.
"""

from __future__ import annotations

from urllib.parse import urlsplit
from uuid import UUID

from django.http import HttpResponse

from organizations.models import WebHook
from organizations.odata.call import Call, answer, nothing
from organizations.odata.errors import ODataError, unknown
from organizations.odata.writing import wrong_method

MOST = 100
"""Hooks of one organization."""
_URL = "callbackurl"


def serve(call: Call) -> HttpResponse:
    """Answer POST, GET and DELETE."""
    if call.method == "POST":
        return _make(call)
    if call.method == "GET":
        return answer({"value": [_told(hook) for hook in call.organization.hooks.all()]})
    if call.method == "DELETE":
        return _remove(call)
    raise wrong_method(call, "GET", "POST", "DELETE")


def _make(call: Call) -> HttpResponse:
    entity = call.shape(_option(call, "$entity")).entity.name
    action = _option(call, "$action").lower()
    if action not in WebHook.Action.values:
        raise ODataError(
            f"$action is Create, Update or Delete, not '{action[:40]}'.", target="$action"
        )
    if call.organization.hooks.count() >= MOST:
        raise ODataError(f"An organization has at most {MOST} hooks. Remove one first.")
    hook = WebHook.objects.create(
        organization=call.organization,
        entity=entity,
        action=action,
        url=_address(call),
        version=call.store.row_version(),
    )
    response = answer(_told(hook), 201)
    response["Location"] = f"{call.root}$hook?$id={hook.pk}"
    return response


def _remove(call: Call) -> HttpResponse:
    text = _option(call, "$id")
    try:
        removed, _ = call.organization.hooks.filter(pk=UUID(text)).delete()
    except ValueError:
        removed = 0
    if not removed:
        raise unknown("hook", text)
    return nothing()


def _option(call: Call, name: str) -> str:
    text = call.options.get(name, "")
    if not text:
        raise ODataError(f"The query option {name} is missing.", target=name)
    return text


def _address(call: Call) -> str:
    body = {name.lower(): value for name, value in call.body().items()}
    url = body.get(_URL)
    if not isinstance(url, str) or not url.lower().startswith(("http://", "https://")):
        raise ODataError("CallbackUrl must be an address that begins with https://.", target=_URL)
    if len(url) > 2000 or not url.isprintable() or not _host(url):
        raise ODataError("CallbackUrl must name a host, in 2,000 characters.", target=_URL)
    return url


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _told(hook: WebHook) -> dict[str, object]:
    return {
        "id": str(hook.pk),
        "entity": hook.entity,
        "action": hook.get_action_display(),
        "callbackUrl": hook.url,
        "problem": hook.problem or None,
    }
