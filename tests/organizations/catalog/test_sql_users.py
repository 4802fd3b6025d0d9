"""An organization's SQL user reads its tables and views, and that is all it can do."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any

import orjson
import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import ProgrammingError, connection, transaction

from organizations import deletions
from organizations.catalog import define, delete_organization, enable, sql_users
from organizations.errors import InvalidRequest, NotFound, SchemaConflict
from organizations.models import Organization
from organizations.tables.database import fetch, one, run
from tests.organizations.making import make_account, make_organization, make_rivals, make_store

pytestmark = pytest.mark.django_db


def make_reader() -> Organization:
    organization = make_store(make_account()).organization
    sql_users.make(organization)
    return organization


@contextmanager
def acting_as(role: str) -> Iterator[None]:
    """Do what is inside with the rights of another role."""
    with transaction.atomic():
        run(f'SET LOCAL ROLE "{role}"')
        yield
        run("RESET ROLE")


@contextmanager
def reading(organization: Organization) -> Iterator[None]:
    with acting_as(sql_users.role_name(organization)):
        yield


def assert_denied(organization: Organization, statement: str) -> None:
    with (
        pytest.raises(ProgrammingError, match="permission denied"),
        reading(organization),
    ):
        run(statement)


def roles() -> set[str]:
    return {name for (name,) in fetch("SELECT rolname FROM pg_roles")}


def test_it_reads_tables_and_views_also_those_made_later() -> None:
    organization = make_reader()
    deletions.define(organization)
    define(organization, [make_rivals()])
    enable(organization, ["accountrivals"])
    with reading(organization):
        for name in ("account", "accountrivals", "trackingdelete"):
            assert one(f'SELECT count(*) FROM "{organization.schema}"."{name}"') == (0,)


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM {schema}.account",
        "UPDATE {schema}.account SET name = 'x'",
        "INSERT INTO {schema}.account (accountid, versionnumber) VALUES (gen_random_uuid(), 1)",
        "TRUNCATE {schema}.account",
        "LOCK TABLE {schema}.account IN EXCLUSIVE MODE",
        "CREATE TABLE {schema}.mine (id integer)",
        "CREATE TABLE public.mine (id integer)",
        "CREATE ROLE another",
    ],
)
def test_it_cannot_write_or_make_anything(statement: str) -> None:
    organization = make_reader()
    assert_denied(organization, statement.format(schema=f'"{organization.schema}"'))


def test_it_sees_no_other_organization_and_nothing_of_the_product() -> None:
    organization, other = make_reader(), make_organization(make_account())
    assert_denied(organization, f'SELECT * FROM "{other.schema}".account')
    tables = fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    assert len(tables) > 30
    with reading(organization):
        readable = fetch(
            "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE c.relkind IN ('r', 'v', 'm', 'p', 'S') AND n.nspname NOT IN "
            "('pg_catalog', 'information_schema') AND has_table_privilege(c.oid, 'SELECT')"
        )
    assert {name for (name,) in readable} == {organization.schema}


def test_a_view_shows_it_no_rows_of_others_through_an_error() -> None:
    store, other = make_store(make_account()), make_store(make_account())
    deletions.define(store.organization)
    sql_users.make(store.organization)
    other.delete("account", other.create("account", {"name": "A"}).id)
    with reading(store.organization):
        view = f'"{store.organization.schema}".trackingdelete'
        assert fetch(f"SELECT * FROM {view} WHERE entityname::integer = 1") == []


def test_only_a_digest_of_the_password_is_kept() -> None:
    organization = make_organization(make_account())
    password = sql_users.make(organization)
    role = sql_users.role_name(organization)
    (kept,) = one("SELECT rolpassword FROM pg_authid WHERE rolname = %s", [role]) or ("",)
    assert password not in kept
    parameters, keys = kept.removeprefix("SCRAM-SHA-256$").split("$")
    rounds, salt = parameters.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(rounds))
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    assert keys.split(":")[0] == base64.b64encode(hashlib.sha256(client_key).digest()).decode()


def test_the_second_time_it_is_refused() -> None:
    organization = make_reader()
    with pytest.raises(SchemaConflict, match="is there already. Remove it to get a new password"):
        sql_users.make(organization)


def test_a_role_of_somebody_else_is_neither_used_nor_removed() -> None:
    organization = make_organization(make_account())
    role = sql_users.role_name(organization)
    run(f'CREATE ROLE "{role}"')
    assert sql_users.find(organization) == ""
    with pytest.raises(SchemaConflict, match=f"has a role '{role}' that this organization did not"):
        sql_users.make(organization)
    with pytest.raises(NotFound, match=f"There is no SQL user '{role}'"):
        sql_users.remove(organization)
    delete_organization(organization)
    assert role in roles()


def test_it_can_be_removed_and_made_again() -> None:
    organization = make_reader()
    sql_users.remove(organization)
    assert sql_users.role_name(organization) not in roles()
    assert sql_users.make(organization)
    assert sql_users.find(organization) in roles()


def test_it_goes_with_its_organization() -> None:
    organization = make_reader()
    role = sql_users.role_name(organization)
    delete_organization(organization)
    assert role not in roles()


def test_what_somebody_else_gave_it_stands_in_the_way() -> None:
    organization, other = make_reader(), make_organization(make_account())
    role = sql_users.role_name(organization)
    run(f'GRANT USAGE ON SCHEMA "{other.schema}" TO "{role}"')
    with pytest.raises(SchemaConflict, match=f"privileges for schema {other.schema}"):
        sql_users.remove(organization)
    with reading(organization):
        assert one(f'SELECT count(*) FROM "{organization.schema}".account') == (0,)


def test_without_the_right_to_make_roles_it_says_what_to_do() -> None:
    reader, organization = make_reader(), make_organization(make_account())
    run("CREATE ROLE plain_worker")
    advice = 'may not {} the SQL user .* ALTER ROLE "plain_worker" CREATEROLE'
    for act, word, whose in (
        (sql_users.make, "make", organization),
        (sql_users.remove, "remove", reader),
        (delete_organization, "remove", reader),
    ):
        with (
            pytest.raises(InvalidRequest, match=advice.format(word)),
            acting_as("plain_worker"),
        ):
            act(whose)
    assert Organization.objects.filter(pk=reader.pk).exists()


def test_the_command_makes_and_removes_it() -> None:
    organization = make_organization(make_account())
    role = sql_users.role_name(organization)
    made = command(organization.name)
    assert f"'{role}' reads this organization and nothing else" in made
    assert f"--username {role}" in made
    assert command(organization.name, "--remove") == f"The SQL user '{role}' was removed.\n"
    shown = orjson.loads(command(organization.name, "--json"))
    assert (shown["user"], len(shown["password"])) == (role, 32)
    assert sql_users.find(organization) == role


def test_the_command_says_what_is_wrong() -> None:
    organization = make_organization(make_account())
    with pytest.raises(CommandError, match="There is no SQL user 'ro_"):
        command(organization.name, "--remove")
    with pytest.raises(CommandError, match="There is no organization 'nowhere'"):
        command("nowhere")


def command(*arguments: Any) -> str:
    out = StringIO()
    call_command("sql_user", *arguments, stdout=out)
    return out.getvalue()


REFUSED = (
    "UPDATE account SET name = 'x'",
    "DELETE FROM account",
    "CREATE TABLE mine (id integer)",
    'SELECT * FROM "{other}".account',
    "SELECT * FROM public.organizations_member",
    "SELECT * FROM public.connections_endpoint",
)


@pytest.mark.django_db(transaction=True)
def test_it_signs_in_and_finds_its_tables_without_their_schema() -> None:
    organization, other = make_organization(make_account()), make_organization(make_account())
    given = connection.get_connection_params()
    login = {name: given[name] for name in ("dbname", "host", "port") if name in given}
    password = sql_users.make(organization)
    try:
        with psycopg.connect(
            **login, user=sql_users.role_name(organization), password=password
        ) as reader:
            assert reader.execute("SELECT count(*) FROM account").fetchone() == (0,)
            reader.commit()
            with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
                reader.execute("CREATE TEMPORARY TABLE mine (id integer)")
            reader.rollback()
            # Somebody who asks for it may try to write, and is not allowed to.
            reader.execute("SET default_transaction_read_only = off")
            reader.commit()
            for statement in REFUSED:
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    reader.execute(statement.format(other=other.schema))
                reader.rollback()
    finally:
        delete_organization(organization)
        delete_organization(other)
