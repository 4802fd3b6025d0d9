"""Web hooks are called at least once, in order, and never at a refused address."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest
from django.utils import timezone

from organizations.catalog import delete_organization
from organizations.models import WebHook
from organizations.store import Store
from syncjobs import hooks
from tests.fakes.server import Answer, Request, serve
from tests.organizations.making import make_account, make_store


@pytest.fixture
def store(db: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    monkeypatch.setattr(hooks, "wake", lambda organization_id: None)
    made = make_store(make_account())
    yield made
    delete_organization(made.organization)


def make_hook(store: Store, url: str, action: str = "create") -> WebHook:
    return WebHook.objects.create(
        organization=store.organization,
        entity="account",
        action=action,
        url=url,
        version=store.row_version(),
    )


class Listener:
    """Answers with the given statuses, then 200, and remembers what it was told."""

    def __init__(self, *statuses: int) -> None:
        self.told: list[str] = []
        self._statuses = list(statuses)

    def __call__(self, request: Request) -> Answer:
        status = self._statuses.pop(0) if self._statuses else 200
        if status == 200:
            self.told.append(orjson.loads(request.body)["id"])
        return Answer(status)


def call(store: Store) -> None:
    hooks.call(store.organization.pk)


def test_it_tells_the_ids_of_its_action_in_order(store: Store) -> None:
    listener = Listener()
    with serve(listener) as url:
        hook = make_hook(store, url)
        ids = [store.create("account", {"name": str(n)}).id for n in range(3)]
        store.update("account", ids[0], {"name": "x"})
        call(store)
        call(store)
        hook.refresh_from_db()
        assert listener.told == ids
        assert (hook.version, hook.problem, hook.next_attempt) == (store.row_version(), "", None)
        store.delete("account", ids[0])
        call(store)
    assert listener.told == ids


@pytest.mark.parametrize("action", ["update", "delete"])
def test_each_action_has_its_hooks(store: Store, action: str) -> None:
    listener = Listener()
    with serve(listener) as url:
        make_hook(store, url, action)
        account = store.create("account", {"name": "A"}).id
        store.update("account", account, {"name": "B"})
        store.delete("account", account)
        call(store)
    assert listener.told == [account]


def test_it_tries_again_later_and_loses_nothing(store: Store) -> None:
    listener = Listener(200, 500)
    with serve(listener) as url:
        hook = make_hook(store, url)
        ids = [store.create("account", {"name": str(n)}).id for n in range(3)]
        call(store)
        hook.refresh_from_db()
        assert listener.told == ids[:1]
        assert hook.problem == "The address answered with status 500."
        assert hook.failures == 1
        assert hook.next_attempt is not None
        assert hook.next_attempt > timezone.now()
        call(store)
        assert listener.told == ids[:1]
        WebHook.objects.update(next_attempt=timezone.now() - timedelta(seconds=1))
        call(store)
        hook.refresh_from_db()
    assert listener.told == ids
    assert (hook.failures, hook.problem) == (0, "")


def test_the_wait_grows_but_not_for_ever(store: Store) -> None:
    with serve(Listener(*[503] * 20)) as url:
        hook = make_hook(store, url)
        store.create("account", {"name": "A"})
        waits = []
        for _ in range(12):
            WebHook.objects.update(next_attempt=None)
            call(store)
            hook.refresh_from_db()
            assert hook.next_attempt is not None
            waits.append((hook.next_attempt - timezone.now()).total_seconds())
    assert waits[:10] == sorted(waits[:10])
    assert 0 < waits[0] <= 5
    assert 3500 < waits[-1] <= 3600


def test_a_refused_address_is_not_called(store: Store, settings: Any) -> None:
    settings.RESCO_SYNC_EGRESS_ALLOW = []
    listener = Listener()
    with serve(listener) as url:
        hook = make_hook(store, url)
        store.create("account", {"name": "A"})
        call(store)
    hook.refresh_from_db()
    assert listener.told == []
    assert "is refused" in hook.problem


def test_a_hook_that_somebody_works_on_is_left_to_them(store: Store) -> None:
    listener = Listener()
    with serve(listener) as url:
        hook = make_hook(store, url)
        store.create("account", {"name": "A"})
        WebHook.objects.filter(pk=hook.pk).update(next_attempt=timezone.now() + hooks.HELD)
        call(store)
    assert listener.told == []


def test_a_change_and_the_tick_call_a_worker_where_a_hook_is_behind(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[object] = []
    monkeypatch.setattr(hooks, "wake", called.append)
    hooks.on_changed(organization_id=store.organization.pk)
    make_hook(store, "https://hooks.example/x")
    hooks.on_changed(organization_id=store.organization.pk)
    assert called == []
    store.create("account", {"name": "A"})
    hooks.on_changed(organization_id=store.organization.pk)
    hooks.wake_due()
    assert called == [store.organization.pk] * 2
