"""Connect New Organization: the public page, and the page that shows how the job goes on."""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from connections.connect import admission
from connections.connect.errors import ClientRefused, ConnectError
from organizations.errors import InvalidRequest
from organizations.throttle import Throttled
from syncjobs.doors import connect_async
from syncjobs.doors.register_form import RegisterForm
from syncjobs.models import Run

_SALT = "register"
_TAKEN = "This name cannot be used. Choose another one."


@never_cache
@sensitive_post_parameters("password", "confirm_password", "backend_password", "key")
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """Show the form; take it, connect, and go on to the job's page."""
    if settings.RESCO_SYNC_REGISTRATION == admission.CLOSED:
        return render(request, "register/closed.html", status=403)
    form = RegisterForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        run = _connect(form, request.META.get("REMOTE_ADDR", ""))
        if run is not None:
            return redirect("register_job", signing.dumps(str(run.pk), salt=_SALT))
    status = 400 if form.is_bound else 200
    return render(request, "register/form.html", {"form": form}, status=status)


@never_cache
@require_GET
def register_job(request: HttpRequest, token: str) -> HttpResponse:
    """Show how connecting goes on, to whoever has the signed address of the page."""
    run = _run(token)
    if request.headers.get("Accept") == "application/json":
        return JsonResponse(_progress(run))
    links = {
        name: request.build_absolute_uri(reverse(path, args=(run.connection.name,)))
        for name, path in (("connect", "connect_async"), ("sync", "sync_async"))
    }
    return render(
        request,
        "register/job.html",
        {"run": run, "connection": run.connection, "links": links, "progress": _progress(run)},
    )


def _connect(form: RegisterForm, address: str) -> Run | None:
    """Return the job, or None after the fault was put into the form."""
    data = form.cleaned_data
    try:
        return connect_async.start(
            form.request(),
            data["organization"],
            data["email"],
            data["password"],
            address=address,
            reason="connect page",
        )
    except ClientRefused:
        form.add_fault("ClientOrganization", _TAKEN)
    except (InvalidRequest, ConnectError) as error:
        form.add_fault(error.element, str(error))
    except Throttled as error:
        form.add_error(None, f"Too many attempts. Wait {max(1, round(error.after))} seconds.")
    return None


def _run(token: str) -> Run:
    try:
        pk = signing.loads(token, salt=_SALT, max_age=24 * 3600)
    except signing.BadSignature as error:
        raise Http404 from error
    return get_object_or_404(Run.objects.select_related("connection"), pk=pk)


def _progress(run: Run) -> dict[str, object]:
    return {
        "state": run.state,
        "label": run.get_state_display(),
        "message": run.connection.problem or run.message,
        "active": run.is_active,
    }
