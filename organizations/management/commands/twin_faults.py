"""`manage.py twin_faults NAME`: limits and faults of a Dynamics twin."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError

from organizations.dynamics import faults_switching as switching
from organizations.dynamics import protection
from organizations.errors import InvalidRequest, OrganizationError
from organizations.models import Organization, RequestKind, TwinFault


class Command(BaseCommand):
    """Show or change how strict and how unreliable a twin is."""

    help = (
        "Show the limits and faults of a Dynamics twin, or change them: --limits "
        "requests=600,window_seconds=30 --set latency:milliseconds=200,jitter=50 "
        "--set dropped:probability=0.02,seed=7 --off latency. Faults: "
        f"{', '.join(TwinFault.Kind.values)}. Requests: {', '.join(RequestKind.values)} "
        "(several joined by +)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments."""
        parser.add_argument("name", help="the twin")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="FAULT[:SETTING=VALUE,…]",
            help=f"switch a fault on; settings: {', '.join(switching.SETTABLE)}",
        )
        parser.add_argument(
            "--off", action="append", default=[], metavar="FAULT", help="switch a fault off"
        )
        parser.add_argument("--clear", action="store_true", help="first switch all faults off")
        parser.add_argument(
            "--limits",
            default="",
            metavar="LIMIT=VALUE,…",
            help=f"change limits: {', '.join(switching.LIMITS)}",
        )
        parser.add_argument("--json", action="store_true", help="print the result as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do what is asked for, then say how things are."""
        twin = Organization.objects.filter(name=options["name"]).first()
        if twin is None:
            raise CommandError(f"There is no organization '{options['name']}'.")
        try:
            _change(twin, options)
        except OrganizationError as error:
            raise CommandError(str(error)) from error
        shown = document(twin)
        text = orjson.dumps(shown).decode() if options["json"] else "\n".join(_lines(shown))
        self.stdout.write(text)


def _change(twin: Organization, options: Mapping[str, Any]) -> None:
    if options["clear"]:
        switching.switch_off(twin)
    for kind in options["off"]:
        if not switching.switch_off(twin, kind):
            raise InvalidRequest(f"The fault '{kind}' is not on.", "off")
    for text in options["set"]:
        kind, _, settings = text.partition(":")
        switching.switch_on(twin, kind, _settings(settings))
    if options["limits"]:
        switching.set_limits(twin, _settings(options["limits"]))


def document(twin: Organization) -> dict[str, Any]:
    """Return limits and faults as JSON values."""
    limits = protection.limits_of(twin)
    faults = TwinFault.objects.filter(organization=twin, is_on=True)
    names = ("kind", *switching.SETTABLE, "seen", "struck")
    return {
        "name": twin.name,
        "limits": {name: getattr(limits, name) for name in switching.LIMITS},
        "faults": [{name: getattr(fault, name) for name in names} for fault in faults],
    }


def _lines(shown: Mapping[str, Any]) -> list[str]:
    limits = ", ".join(f"{name}={value}" for name, value in shown["limits"].items())
    lines = [f"Limits: {limits}"]
    for fault in shown["faults"]:
        settings = ", ".join(f"{name}={fault[name]}" for name in switching.SETTABLE)
        lines.append(f"{fault['kind']}: {settings}; struck {fault['struck']} of {fault['seen']}")
    return lines if shown["faults"] else [*lines, "No fault is on."]


def _settings(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in filter(None, text.split(",")):
        name, equals, value = part.partition("=")
        if not equals:
            raise InvalidRequest(f"'{part}' is no SETTING=VALUE.", "set")
        found[name.strip()] = _value(name.strip(), value.strip())
    return found


def _value(name: str, text: str) -> Any:
    if name == "requests" and not text.isdecimal():
        return text.split("+")
    if name == "is_on":
        return text.lower() in ("1", "true", "yes", "on")
    try:
        return float(text) if name == "probability" else int(text)
    except ValueError as error:
        raise InvalidRequest(f"'{name}': '{text}' is no number.", name) from error
