"""What was written is kept as it was, and for as long as the connection says."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from connections.models import Connection, SyncedEntity
from organizations.records import Action, Row, Value
from syncjobs import images, retention
from syncjobs.engine.values import Images, Side
from syncjobs.models import Image, Run
from syncjobs.state import DatabaseState
from tests.syncjobs.making import make_connection, make_job, make_run

pytestmark = pytest.mark.django_db


def make_images(action: Action = Action.UPDATE, before: Sequence[Row] = ()) -> Images:
    count = len(before) or 2
    return Images(
        side=Side.CLIENT,
        action=action,
        ids=[str(uuid.uuid4()) for _ in range(count)],
        versions=list(range(7, 7 + count)),
        columns=("accountid", "value"),
        before=before,
    )


def make_key() -> int:
    return SyncedEntity.objects.get(name="account").pk


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        2**53 + 1,
        Decimal("1.50"),
        Decimal("12345678901234567890.1234567890"),
        1.0,
        -0.0,
        0.1,
        1e300,
        "",
        "2024-05-01T10:00:00Z",
        "2024-05-01",
        "ä € 😀 \n",
        '["decimal", "1"]',
    ],
)
def test_it_keeps_a_row_as_it_was(value: Value) -> None:
    make_connection()
    written = make_images(before=[("a", value)])
    images.keep(make_key(), written, None)
    (row,) = images.read(Image.objects.get()).before
    assert row[0] == "a"
    assert type(row[1]) is type(value)
    assert repr(row[1]) == repr(value)


def test_it_keeps_ids_and_versions_with_the_run() -> None:
    run = make_run(make_connection(), state=Run.State.RUNNING, fence=3)
    written = make_images(before=[("a", 1), ("b", None)])
    DatabaseState(run).remember(make_key(), written)
    image = Image.objects.get()
    assert image.run == run
    found = images.read(image)
    assert (found.ids, list(found.versions)) == (written.ids, written.versions)
    assert (found.columns, found.before) == (written.columns, written.before)


@pytest.mark.parametrize("versions", [range(7, 12), [12, 7, 0, 9, 2**62], [5]])
def test_it_keeps_versions_in_whatever_order(versions: Sequence[int]) -> None:
    make_connection()
    written = make_images(before=[("a", 1)] * len(versions))
    images.keep(make_key(), replace(written, versions=versions), None)
    assert list(images.read(Image.objects.get()).versions) == list(versions)


def test_a_creation_keeps_no_row() -> None:
    make_connection()
    written = make_images(Action.CREATE)
    images.keep(make_key(), written, None)
    image = Image.objects.get()
    assert (image.run, image.before) == (None, None)
    found = images.read(image)
    assert found.ids == written.ids
    assert (found.columns, found.before) == ((), [])


@pytest.mark.parametrize(("days", "left"), [(30, 0), (40, 1)])
def test_it_keeps_images_as_long_as_the_connection_says(
    monkeypatch: pytest.MonkeyPatch, days: int, left: int
) -> None:
    monkeypatch.setattr(images, "_BATCH", 1)
    make_connection()
    Connection.objects.update(image_days=days)
    for _ in range(2):
        images.keep(make_key(), make_images(), None)
    Image.objects.update(at=timezone.now() - timedelta(days=31))
    assert retention.retain() == 2 * (1 - left)
    assert Image.objects.count() == 2 * left


@pytest.mark.parametrize(("age", "stays"), [(2, True), (31, False)])
def test_a_run_that_wrote_stays_as_long_as_it_can_be_taken_back(*, age: int, stays: bool) -> None:
    connection = make_connection()
    at = timezone.now() - timedelta(days=age)
    job = make_job(connection, keep_logs=False)
    run = make_run(connection, job=job, state="succeeded", finished=at)
    images.keep(make_key(), make_images(), run.pk)
    Image.objects.update(at=at)
    retention.retain()
    assert Run.objects.exists() is stays
