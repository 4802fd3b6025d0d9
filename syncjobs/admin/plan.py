"""The plan that a dry run made: what it would do, and the button that does exactly that."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from organizations.errors import InvalidRequest
from syncjobs import dispatch
from syncjobs.admin.page import Pages, starter
from syncjobs.models import PlanChange, Run, RunEntity
from syncjobs.plan_document import document

KINDS = dict(PlanChange.Kind.choices)


class PlanPages(Pages[Run]):
    """Adds the plan to the admin of runs."""

    def plan_urls(self) -> list[URLPattern]:
        """Return the addresses of these pages."""
        wrap = self.admin_site.admin_view
        return [
            path("<uuid:pk>/plan/", wrap(self.plan_view), name="syncjobs_run_plan"),
            path("<uuid:pk>/plan/apply/", wrap(self.apply_plan), name="syncjobs_run_apply"),
        ]

    def plan_view(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Show the plan, one entity's samples with `?entity=`."""
        run = self.row(request, pk)
        if run.kind != Run.Kind.SYNC or not run.options.get("dry_run"):
            return redirect("admin:syncjobs_run_change", pk)
        plan, wanted = document(run), request.GET.get("entity", "")
        entities = plan["entities"]
        return self.page(
            request,
            "admin/syncjobs/plan.html",
            title=f"Plan · {run}",
            original=run,
            run=run,
            connection=run.connection,
            plan=plan,
            entity=wanted,
            counts=RunEntity.COUNTS,
            rows=[(entity, [entity[name] for name in RunEntity.COUNTS]) for entity in entities],
            shown=[
                (entity["name"], {**change, "words": KINDS[change["kind"]]})
                for entity in entities
                if wanted in ("", entity["name"])
                for change in entity["changes"]
            ],
        )

    def apply_plan(self, request: HttpRequest, pk: str) -> HttpResponse:
        """Start a run that carries out this plan and nothing else."""
        run = self.row(request, pk)
        if request.method != "POST":
            return redirect("admin:syncjobs_run_plan", pk)
        user = starter(request)
        try:
            started = dispatch.start_apply(
                run.connection, run.pk, reason="button", user=user, actor=user.get_username()
            )
        except InvalidRequest as error:
            messages.error(request, str(error))
            return redirect("admin:syncjobs_run_plan", pk)
        return redirect("admin:syncjobs_run_change", started.pk)
