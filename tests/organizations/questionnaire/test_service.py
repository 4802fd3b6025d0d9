"""The Questionnaire OData service: sets of templates and versions, records, groups, metadata."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from lxml import etree

from organizations.catalog import create_organization, delete_organization, hide
from organizations.members import add_member
from organizations.models import Organization
from organizations.questionnaire import answers, ordering, reading
from tests.organizations.questionnaire.visit import (
    CHOICE,
    DECIMAL,
    FLAG,
    MOMENT,
    WHOLE,
    Service,
    Visits,
    make_organization,
)
from tests.organizations.rest.office import EMAIL, PASSWORD

EDM = {"e": "http://docs.oasis-open.org/odata/ns/edm"}
COUNTED = "Store_visit"


@pytest.fixture(scope="module")
def organization(django_db_setup: None, django_db_blocker: Any) -> Iterator[Organization]:
    with django_db_blocker.unblock():
        made = make_organization()
    yield made
    with django_db_blocker.unblock():
        delete_organization(made)


@pytest.fixture
def visits(organization: Organization, db: None) -> Visits:
    return Visits(organization)


@pytest.fixture
def service(organization: Organization, db: None) -> Service:
    return Service(organization)


class World:
    """A template in two versions, and three answered ones."""

    def __init__(self, visits: Visits) -> None:
        self.visits = visits
        self.first = visits.template("Store visit", 1)
        self.second = visits.template("Store visit", 2)
        for of, kind in ((self.first, WHOLE), (self.second, DECIMAL)):
            visits.question(of, "open?", FLAG, resco_label="Is it open?", resco_index=1)
            visits.question(of, "visitors", WHOLE, resco_index=2)
            visits.question(of, "score", kind, resco_index=3)
            people = visits.group(of, "The people", resco_isrepeatable=True)
            visits.question(of, "who", group=people, resco_index=4)
            visits.question(of, "age", WHOLE, group=people, resco_index=5)
        visits.question(self.second, "opinion", CHOICE, resco_index=6)
        visits.question(self.second, "at", MOMENT, resco_index=7)
        self.one = self._answered(self.first, "One", visitors="12", score="3")
        self.two = self._answered(self.second, "Two", visitors="7", score="3.5")
        self.three = self._answered(self.second, "Three", visitors="many", resco_completionstatus=1)
        visits.answer(self.two, "opinion", "2", "Good")
        visits.answer(self.two, "at", "2026-01-02T03:04:05Z")
        visits.answer(self.two, "never asked", "lost")

    def _answered(self, template: str, name: str, **given: Any) -> str:
        own = {key: given.pop(key) for key in list(given) if key.startswith("resco_")}
        made = self.visits.answered(template, name, **own)
        for question, value in given.items():
            self.visits.answer(made, question, value)
        self.visits.answer(made, "open?", "True", "Yes")
        for number, who in ((2, "Bob"), (1, "Ann")):
            group = self.visits.group(made, "The people", resco_repeatindex=number)
            self.visits.answer(made, "who", who, group=group)
            self.visits.answer(made, "age", str(30 + number), group=group)
        return made


@pytest.fixture
def world(visits: Visits) -> World:
    return World(visits)


def names(document: dict[str, Any]) -> list[str]:
    return sorted(item["resco_name"] for item in document["value"])


def test_it_lists_each_template_and_its_versions(service: Service, world: World) -> None:
    world.visits.template("1st check / new")
    found = service.get()
    assert found["@odata.context"].endswith("/odata/questionnaires/v4/visits/$metadata")
    # Both templates may have been made in the same second: then any of them comes first.
    assert sorted((item["name"], item["title"]) for item in found["value"]) == [
        ("Store_visit", "Store visit"),
        ("Store_visit_v1", "Store visit (version 1)"),
        ("Store_visit_v2", "Store visit (version 2)"),
        ("_1st_check___new", "1st check / new"),
        ("_1st_check___new_v1", "1st check / new (version 1)"),
    ]
    assert {item["kind"] for item in service.get("?$kind=QuestionnaireSet")["value"]} == {
        "QuestionnaireSet"
    }
    assert "$kind=Property" in service.error("?$kind=Property", 501)["message"]


def test_templates_whose_names_are_written_alike_have_sets_of_their_own(
    service: Service, visits: Visits
) -> None:
    for name in ("A b", "A-b"):
        visits.template(name, 1)
    found = [item["name"] for item in service.get()["value"]]
    assert sorted(found) == ["A_b", "A_b_2", "A_b_v1", "A_b_v1_2"]


def test_a_version_has_its_own_answers_and_all_versions_together_have_all(
    service: Service, world: World
) -> None:
    assert names(service.get("Store_visit_v1")) == ["One"]
    assert names(service.get("Store_visit_v2")) == ["Three", "Two"]
    assert names(service.get("Store_visit")) == ["One", "Three", "Two"]


def test_answers_have_the_types_of_their_questions(service: Service, world: World) -> None:
    two = service.get(f"Store_visit_v2({world.two})")
    assert (two["open_"], two["visitors"], two["score"]) == (True, 7, 3.5)
    assert (two["opinion"], two["at"]) == ("2", "2026-01-02T03:04:05Z")
    assert two["__resco_templateid_id"] == world.second
    assert two["@odata.context"].endswith("$metadata#Store_visit_v2/$entity")
    assert "never_asked" not in two
    quoted = service.get(f"Store_visit_v2('{world.two}')")
    assert quoted["visitors"] == 7


def test_what_has_two_types_in_two_versions_is_text(service: Service, world: World) -> None:
    assert service.get(f"Store_visit({world.two})")["score"] == "3.5"
    assert service.get(f"Store_visit_v1({world.one})")["score"] == 3


def test_repeated_groups_are_records_of_their_own_in_order(service: Service, world: World) -> None:
    one = service.get(f"Store_visit_v1({world.one})")
    assert one["The_people"] == [
        {"resco_repeatindex": 1, "who": "Ann", "age": 31},
        {"resco_repeatindex": 2, "who": "Bob", "age": 32},
    ]


def test_an_answer_that_is_no_such_value_is_told_as_it_is(service: Service, world: World) -> None:
    three = service.get(f"Store_visit_v2({world.three})")
    assert three["visitors"] is None
    assert three["visitors@RescoCloud.Text"] == "many"
    chosen = service.get(f"Store_visit_v2({world.three})?$select=resco_name")
    assert "visitors@RescoCloud.Text" not in chosen


def test_it_tells_what_people_saw_where_wanted(service: Service, world: World) -> None:
    wanted = {"Prefer": 'odata.include-annotations="*"'}
    two = service.get(f"Store_visit_v2({world.two})", **wanted)
    assert two["opinion@RescoCloud.FormattedValue"] == "Good"
    assert two["__resco_templateid_id@RescoCloud.FormattedValue"] == "Store visit"
    assert "opinion@RescoCloud.FormattedValue" not in service.get(f"Store_visit_v2({world.two})")


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ("resco_name eq 'One'", ["One"]),
        ("visitors gt 7", ["One"]),
        ("visitors eq null", ["Three"]),
        ("open_ eq true and resco_completionstatus eq 1", ["Three"]),
        ("resco_name eq 'One' or opinion eq '2'", ["One", "Two"]),
        ("not (opinion eq '2')", ["One", "Three"]),
        ("startswith(resco_name,'T') and at gt 2026-01-01T00:00:00Z", ["Two"]),
        ("visitors in (7,12)", ["One", "Two"]),
    ],
)
def test_it_filters_by_attributes_and_answers(
    service: Service, world: World, filter: str, found: list[str]
) -> None:
    assert names(service.get(f"Store_visit?$filter={filter}")) == found
    counted = service.send(f"Store_visit/$count?$filter={filter}")
    assert counted.content.decode() == str(len(found))


def test_it_selects_attributes_answers_and_groups(service: Service, world: World) -> None:
    (one,) = service.get("Store_visit_v1?$select=visitors,The_people")["value"]
    assert set(one) == {"@odata.etag", "resco_questionnaireid", "visitors", "The_people"}
    (one,) = service.get("Store_visit_v1?$select=The_people")["value"]
    assert set(one) == {"@odata.etag", "resco_questionnaireid", "The_people"}
    assert service.error("Store_visit_v1?$select=nothing", 400)["target"] == "nothing"


def test_it_pages_and_counts(service: Service, world: World) -> None:
    first = service.get("Store_visit?$count=true", Prefer="odata.maxpagesize=2")
    assert first["@odata.count"] == 3
    assert len(first["value"]) == 2
    rest = service.get(first["@odata.nextLink"])
    assert "@odata.nextLink" not in rest
    assert sorted(names(first) + names(rest)) == ["One", "Three", "Two"]
    top = service.get("Store_visit?$top=2", Prefer="odata.maxpagesize=1")
    last = service.get(top["@odata.nextLink"], Prefer="odata.maxpagesize=1")
    assert "@odata.nextLink" not in last
    ordered = [item["resco_name"] for item in service.get("Store_visit")["value"]]
    assert [item["resco_name"] for item in service.get("Store_visit?$skip=1")["value"]] == ordered[
        1:
    ]
    assert service.get("Store_visit?$top=0")["value"] == []


def test_a_filter_by_answers_looks_at_so_many_records_a_page(
    service: Service, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "PORTION", 1)
    monkeypatch.setattr(reading, "PORTION", 1)
    monkeypatch.setattr(reading, "MOST_LOOKED_AT", 2)
    found, link = [], "Store_visit?$filter=visitors gt 0"
    for _ in range(3):
        page = service.get(link)
        found += names(page)
        if (link := page.get("@odata.nextLink", "")) == "":
            break
    assert sorted(found) == ["One", "Two"]
    assert (
        "counted among 2"
        in service.error("Store_visit/$count?$filter=visitors gt 0", 501)["message"]
    )
    assert "reaches 2 records" in service.error("Store_visit?$skip=3", 400)["message"]


@pytest.mark.parametrize(
    ("order", "found"),
    [
        ("resco_name", ["One", "Three", "Two"]),
        ("resco_name desc", ["Two", "Three", "One"]),
        ("resco_completionstatus desc,resco_name", ["Three", "One", "Two"]),
        ("visitors", ["Three", "Two", "One"]),
        ("visitors desc", ["One", "Two", "Three"]),
        ("open_,resco_name desc", ["Two", "Three", "One"]),
        ("resco_name&$filter=visitors gt 0", ["One", "Two"]),
        ("opinion desc,resco_name&$skip=1&$top=1", ["One"]),
    ],
)
def test_it_orders_by_attributes_and_answers(
    service: Service, world: World, order: str, found: list[str]
) -> None:
    page = service.get(f"Store_visit?$orderby={order}")
    assert [item["resco_name"] for item in page["value"]] == found
    assert "@odata.nextLink" not in page


@pytest.mark.parametrize("order", ["resco_name", "visitors desc"])
def test_ordered_pages_go_on_where_the_last_one_ended(
    service: Service, world: World, order: str
) -> None:
    link, found = f"Store_visit?$orderby={order}&$top=3", []
    while link:
        page = service.get(link, Prefer="odata.maxpagesize=1")
        found += [item["resco_name"] for item in page["value"]]
        link = page.get("@odata.nextLink", "")
    assert found == [
        item["resco_name"] for item in service.get(f"Store_visit?$orderby={order}")["value"]
    ]
    assert len(found) == 3


def test_by_answers_so_many_are_ordered(
    service: Service, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "PORTION", 1)
    monkeypatch.setattr(ordering, "PORTION", 1)
    monkeypatch.setattr(ordering, "MOST_LOOKED_AT", 2)
    message = service.error("Store_visit?$orderby=visitors", 501)["message"]
    assert "ordered by answers among 2 at most" in message
    assert names(service.get("Store_visit?$orderby=resco_name")) == ["One", "Three", "Two"]


@pytest.mark.parametrize("given", ["The_people", "*"])
def test_a_repeated_group_may_be_expanded(service: Service, world: World, given: str) -> None:
    (one,) = service.get(f"Store_visit_v1?$select=visitors&$expand={given}")["value"]
    assert [person["who"] for person in one["The_people"]] == ["Ann", "Bob"]
    one = service.get(f"Store_visit_v1({world.one})?$expand={given}")
    assert (one["visitors"], len(one["The_people"])) == (12, 2)


def test_its_metadata_name_sets_questions_and_groups(service: Service, world: World) -> None:
    world.visits.template("Store visit_The_people", 1)
    response = service.send("$metadata")
    assert response["Content-Type"].startswith("application/xml")
    root = etree.fromstring(response.content)
    sets = {item.get("Name") for item in root.iterfind(".//e:EntitySet", EDM)}
    assert {"Store_visit", "Store_visit_v1", "Store_visit_v2"} < sets
    kinds = [item.get("Name") for item in root.iterfind(".//e:EntityType", EDM)]
    groups = [item.get("Name") for item in root.iterfind(".//e:ComplexType", EDM)]
    assert len({*kinds, *groups}) == len(kinds) + len(groups)
    (entity,) = root.iterfind(".//e:EntityType[@Name='Store_visit_v2']", EDM)
    types = {item.get("Name"): item.get("Type") for item in entity.iterfind("e:Property", EDM)}
    wanted = {
        "resco_questionnaireid": "Edm.Guid",
        "open_": "Edm.Boolean",
        "visitors": "Edm.Int64",
        "score": "Edm.Decimal",
        "at": "Edm.DateTimeOffset",
        "The_people": "Collection(RescoCrm.Store_visit_v2_The_people)",
    }
    assert wanted.items() <= types.items()
    (group,) = root.iterfind(".//e:ComplexType[@Name='Store_visit_v2_The_people']", EDM)
    names_ = [item.get("Name") for item in group.iterfind("e:Property", EDM)]
    assert names_ == ["resco_repeatindex", "who", "age"]


def test_its_json_schema_names_them_too(service: Service, world: World) -> None:
    found = service.get("$schema/Store_visit_v1")
    assert found["title"] == "Store visit (version 1)"
    assert found["properties"]["open_"] == {"type": "boolean", "title": "Is it open?"}
    assert found["properties"]["The_people"]["items"]["properties"]["age"]["type"] == "integer"
    assert service.error("$schema/nothing", 404)


def test_a_record_that_is_known_is_not_sent_again(service: Service, world: World) -> None:
    response = service.send(f"Store_visit({world.one})")
    again = service.send(f"Store_visit({world.one})", If_None_Match=response["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    head = service.send("Store_visit", method="HEAD")
    assert (head.status_code, head.content) == (200, b"")


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("nothing", 404, "no questionnaire 'nothing'"),
        ("Store_visit(1)", 400, "The key is a GUID"),
        ("Store_visit(99999999-9999-4999-8999-999999999999)", 404, "no record of 'Store_visit'"),
        ("Store_visit/visitors", 404, "no resource"),
        ("$batch", 501, "$batch is not served"),
        ("Store_visit?$orderby=nothing", 400, "no property 'nothing'"),
        ("Store_visit?$orderby=visitors up", 400, "then asc or desc"),
        ("Store_visit?$orderby=length(opinion)", 501, "$orderby of"),
        ("Store_visit?$orderby=visitors&$skip=50000", 400, "50,000 records deep"),
        ("Store_visit?$expand=visitors", 501, "$expand of 'visitors'"),
        ("Store_visit?$expand=The_people($select=who)", 501, "$expand of 'The_people("),
        ("Store_visit?$search=x", 501, "$search is not served"),
        ("Store_visit?$apply=x", 501, "$apply is not served"),
        ("Store_visit?$filter=nothing eq 1", 400, "no property 'nothing'"),
        ("Store_visit?$filter=resco_regardingid_account/name eq 'A'", 501, "other entities"),
        ("Store_visit?$top=x", 400, "$top is a whole number"),
    ],
)
def test_it_says_what_it_does_not_serve(
    service: Service, world: World, path: str, status: int, words: str
) -> None:
    assert words in service.error(path, status)["message"]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_it_is_only_read(service: Service, world: World, method: str) -> None:
    response = service.send("Store_visit", method=method)
    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD")


def test_another_versions_record_is_not_in_a_set(service: Service, world: World) -> None:
    service.error(f"Store_visit_v1({world.two})", 404)


def test_it_wants_a_login(service: Service, organization: Organization) -> None:
    response = service.send("", Authorization="Basic bm9ib2R5Om5vdGhpbmc=")
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Basic")


@pytest.mark.django_db
def test_an_organization_without_questionnaires_has_no_sets() -> None:
    made = create_organization("bare-office")
    add_member(made, EMAIL, PASSWORD)
    assert Service(made).get()["value"] == []
    twin = create_organization("bare-twin", Organization.Kind.DYNAMICS_TWIN)
    add_member(twin, EMAIL, PASSWORD)
    assert Service(twin).send().status_code == 404


@pytest.mark.django_db
def test_another_layout_is_refused_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, service: Service, world: World, organization: Organization
) -> None:
    needed = {"resco_question": ("resco_answer",)}
    monkeypatch.setattr("organizations.questionnaire.layout._NEEDED", needed)
    message = service.error("", 501)["message"]
    assert message == (
        "Questionnaires cannot be served: 'resco_question' has no attribute 'resco_answer'."
    )
    hide(organization, ["resco_question"])
    assert service.get()["value"] == []
