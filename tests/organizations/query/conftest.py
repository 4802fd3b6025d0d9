"""Tables for queries, made once, and a transaction of its own for every test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from django.db import connection, transaction
from pytest_django.plugin import DjangoDbBlocker

from tests.organizations.query import tables


@pytest.fixture(scope="session")
def query_tables(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        tables.make_tables()
        yield
        tables.drop_tables()
        connection.close()


@pytest.fixture
def records(query_tables: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture
def query_transaction(records: None) -> Callable[[], AbstractContextManager[None]]:
    """Return a transaction for each example of a property: nothing in it stays."""

    @contextmanager
    def example() -> Iterator[None]:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)

    return example
