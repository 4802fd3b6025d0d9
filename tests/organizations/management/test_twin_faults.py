"""The command that sets limits and faults of a twin."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from django.core.management import CommandError, call_command

from organizations.models import Organization, TwinFault, TwinLimits

pytestmark = pytest.mark.django_db


def make_twin() -> Organization:
    return Organization.objects.create(name="practice", kind=Organization.Kind.DYNAMICS_TWIN)


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    call_command("twin_faults", "practice", "--json", *arguments)
    found: dict[str, Any] = orjson.loads(capsys.readouterr().out)
    return found


def test_it_sets_limits_and_faults(capsys: pytest.CaptureFixture[str]) -> None:
    make_twin()
    latency, dropped = told(
        capsys,
        "--limits=requests=600,window_seconds=30,page_size=100,concurrent=8",
        "--set=latency:milliseconds=200,jitter=50",
        "--set=dropped:probability=0.02,seed=7,requests=read+batch",
    )["faults"]
    assert (latency["kind"], latency["milliseconds"], latency["jitter"]) == ("latency", 200, 50)
    assert (dropped["probability"], dropped["seed"]) == (0.02, 7)
    assert dropped["requests"] == ["read", "batch"]
    limits = TwinLimits.objects.get()
    assert (limits.requests, limits.window_seconds, limits.page_size) == (600, 30, 100)


def test_it_switches_faults_off(capsys: pytest.CaptureFixture[str]) -> None:
    make_twin()
    told(capsys, "--set=latency", "--set=dropped")
    left = told(capsys, "--off=latency")["faults"]
    assert [fault["kind"] for fault in left] == ["dropped"]
    assert told(capsys, "--clear")["faults"] == []
    assert not TwinFault.objects.filter(is_on=True).exists()


def test_it_tells_how_things_are(capsys: pytest.CaptureFixture[str]) -> None:
    make_twin()
    call_command("twin_faults", "practice")
    text = capsys.readouterr().out
    assert "requests=6000, window_seconds=300, execution_seconds=1200" in text
    assert "No fault is on." in text
    assert not TwinLimits.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["practice", "--set=gremlins"], "There is no fault 'gremlins'."),
        (["practice", "--set=dropped:often"], "'often' is no SETTING=VALUE."),
        (["practice", "--set=dropped:seed=x"], "'seed': 'x' is no number."),
        (["practice", "--off=dropped"], "The fault 'dropped' is not on."),
        (["practice", "--limits=speed=1"], "There is no limit 'speed'."),
        (["practice", "--limits=requests=0"], "'requests': Ensure this value is greater"),
        (["nobody"], "There is no organization 'nobody'."),
    ],
)
def test_it_says_what_is_wrong(arguments: list[str], message: str) -> None:
    make_twin()
    with pytest.raises(CommandError) as caught:
        call_command("twin_faults", *arguments)
    assert str(caught.value).startswith(message)
