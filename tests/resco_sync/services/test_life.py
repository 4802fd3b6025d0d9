"""The embedded services as separate processes see them: started, shared, killed, stopped."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from resco_sync.liveness import is_alive
from resco_sync.services.layout import Layout
from tests.resco_sync.services import programs
from tests.resco_sync.services.places import made_place

KEEP = "database.execute('CREATE TABLE IF NOT EXISTS kept (n int)');"
WRITE = KEEP + "database.execute('INSERT INTO kept VALUES (7)'); cache.set('kept', 'seven')"
READ = "print(database.execute('SELECT n FROM kept').fetchall(), cache.get('kept'))"
NUMBERS = (
    "print(database.execute('SELECT pg_postmaster_start_time()::text').fetchone()[0],"
    " cache.info()['process_id'])"
)


@pytest.fixture
def place() -> Iterator[Layout]:
    """Give a data folder whose services are gone at the end."""
    with made_place() as layout:
        yield layout


def wait_stopped(place: Layout) -> None:
    """Wait until nothing of the services runs."""
    programs.wait_for(lambda: not programs.servers(place))


def test_it_starts_with_the_first_user_and_stops_with_the_last(place: Layout) -> None:
    first = programs.started(place.var)
    numbers = programs.run(place.var, NUMBERS)
    assert programs.run(place.var, NUMBERS) == numbers
    assert len(programs.servers(place)) == 3
    programs.end(first)
    wait_stopped(place)


def test_it_starts_once_for_many_users_at_once(place: Layout) -> None:
    several = [programs.start(place.var, NUMBERS) for _ in range(4)]
    numbers = {program.stdout.readline() for program in several if program.stdout}
    assert len(numbers) == 1
    for program in several:
        programs.end(program)


def test_it_keeps_data_over_a_stop(place: Layout) -> None:
    programs.run(place.var, WRITE)
    wait_stopped(place)
    assert programs.run(place.var, READ) == "[(7,)] seven\nready\n"


def test_it_keeps_data_when_everything_is_killed(place: Layout) -> None:
    program = programs.started(place.var, WRITE)
    program.kill()
    for process in programs.servers(place):
        process.kill()
    program.wait()
    wait_stopped(place)
    assert (place.var / "postgres/postmaster.pid").exists()
    assert programs.run(place.var, READ) == "[(7,)] seven\nready\n"


def test_it_takes_over_servers_whose_supervisor_was_killed(place: Layout) -> None:
    first = programs.started(place.var, WRITE)
    supervisor = next(one for one in programs.servers(place) if "-m" in one.cmdline())
    supervisor.kill()
    programs.wait_for(lambda: not is_alive(supervisor))
    second = programs.started(place.var)
    programs.wait_for(lambda: len(programs.servers(place)) == 3)
    programs.end(first)
    assert programs.run(place.var, READ) == "[(7,)] seven\nready\n"
    programs.end(second)
    wait_stopped(place)


def test_it_starts_a_killed_server_again(place: Layout) -> None:
    user = programs.started(place.var, WRITE)
    for process in programs.servers(place):
        if "-m" not in process.cmdline():
            process.kill()
    programs.wait_for(lambda: "seven" in programs.run(place.var, READ))
    programs.end(user)
    wait_stopped(place)


def test_it_believes_no_pid_file_that_names_another_program(place: Layout) -> None:
    programs.run(place.var, WRITE)
    wait_stopped(place)
    for path in (place.var / "postgres/postmaster.pid", place.var / "valkey/valkey.pid"):
        path.write_text("1\n/nowhere\n")
    assert programs.run(place.var, READ) == "[(7,)] seven\nready\n"


def test_it_starts_nothing_with_both_urls_set(place: Layout) -> None:
    urls = {"DATABASE_URL": "postgresql://nowhere.invalid/none", "REDIS_URL": "redis://none"}
    output = programs.run(place.var, **urls)
    assert "services.ensure" not in output
    assert list(place.var.iterdir()) == []


def test_it_stops_at_data_of_another_major_version(place: Layout) -> None:
    programs.run(place.var, WRITE)
    wait_stopped(place)
    (place.var / "postgres/PG_VERSION").write_text("16\n")
    message = programs.run(place.var, READ)
    assert f"{place.var}/postgres was made by PostgreSQL 16; this version runs 18." in message
    assert f"/pginstall/bin/pg_dump -U postgres -h {place.sockets}/pg resco_sync" in message
    assert programs.servers(place) == []


def test_it_says_why_a_server_does_not_start(place: Layout) -> None:
    programs.run(place.var)
    wait_stopped(place)
    (place.var / "postgres/postgresql.conf").write_text("no such setting\n")
    message = programs.run(place.var)
    log = place.var / "log/postgresql.log"
    assert f"PostgreSQL ended while starting; the reason is in {log}." in message
    assert "syntax error" in log.read_text()
    wait_stopped(place)


def test_it_works_in_a_folder_with_a_long_name_and_blanks(place: Layout) -> None:
    var = place.var / "a folder with blanks and a name that is too long for the path of a socket"
    var.mkdir()
    programs.run(var, WRITE)
    assert programs.run(var, READ) == "[(7,)] seven\nready\n"
    programs.wait_for(lambda: not programs.servers(Layout(var, var)))
