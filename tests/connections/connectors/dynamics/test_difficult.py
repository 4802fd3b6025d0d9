"""Every table that is difficult to synchronize is handled, or refused with a reason."""

from __future__ import annotations

from uuid import uuid4

import pytest

from connections.connectors.base import Batch
from connections.connectors.dynamics import difficult
from connections.connectors.dynamics.difficult import Handling
from organizations.records import Action
from tests.connections.metadata.generated import make_named
from tests.fakes.dataverse import connected, told

REFUSED = [
    "activityparty",
    "activitypointer",
    "calendarrule",
    "complexcontrol",
    "dataperformance",
    "knowledgearticlescategories",
    "languageprovisioningstate",
    "lookupmapping",
    "managedproperty",
    "metadatabase",
    "msdyn_casesuggestion",
    "msdyn_knowledgearticlesuggestion",
    "msdyn_nonrelationalds",
    "officegraphdocument",
    "optionset",
    "organizationdatasyncsubscription",
    "organizationdatasyncsubscriptionentity",
    "organizationdatasyncstate",
    "pluginassembly",
    "plugintype",
    "postregarding",
    "principalobjectaccess",
    "ribbonmetadatatoprocess",
    "runtimedependency",
    "sdkmessageprocessingstep",
    "similarityrule",
    "subscriptionmanuallytrackedobject",
    "subscriptionstatisticsoutlook",
    "subscriptionsyncentryoffline",
    "subscriptionsyncentryoutlook",
    "systemusersyncmappingprofiles",
    "teamsyncattributemappingprofiles",
    "timestampdatemapping",
]
NOTED = [
    "annotation",
    "businessunit",
    "calendar",
    "connection",
    "customeraddress",
    "incident",
    "opportunity",
    "queue",
    "quote",
    "role",
    "salesorder",
    "systemuser",
    "systemuserroles",
    "team",
    "transactioncurrency",
]


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_a_reason(name: str) -> None:
    found = difficult.treatment(name)
    assert found is not None
    assert found.handling is Handling.REFUSED
    assert found.problem.endswith(".")
    assert (found.note, difficult.problem(name)) == ("", found.problem)
    assert len(found.problem) <= 500


@pytest.mark.parametrize("name", NOTED)
def test_it_is_carried_with_a_note(name: str) -> None:
    found = difficult.treatment(name)
    assert found is not None
    assert (found.handling, found.problem) == (Handling.CARRIED, "")
    assert found.note.endswith(".")
    assert difficult.write_refusal(name) == ""


@pytest.mark.parametrize("name", ["account", "contact", "new_subscription", "task", "lead"])
def test_an_ordinary_table_is_not_difficult(name: str) -> None:
    assert difficult.treatment(name) is None
    assert difficult.problem(name) == difficult.write_refusal(name) == ""


def test_the_type_of_a_table_counts_too() -> None:
    virtual = difficult.treatment("new_far", table_type="Virtual")
    assert virtual is not None
    assert "every run reads them all" in virtual.note
    assert difficult.treatment("new_near", table_type="Standard") is None


def test_the_list_of_entities_says_it() -> None:
    listed = [
        {"LogicalName": name, "EntitySetName": f"{name}s", "TableType": kind}
        for name, kind in (("plugintype", "Standard"), ("role", "Standard"), ("new_x", "Elastic"))
    ]
    listed[1]["CanChangeTrackingBeEnabled"] = {"Value": True}  # type: ignore[assignment]
    with connected({"GET EntityDefinitions": [told({"value": listed})]}) as (_, connector):
        plugin, role, elastic = connector.entities()
    assert "solution component" in plugin.problem
    assert (role.problem, role.can_track_changes, plugin.can_track_changes) == ("", True, False)
    assert "matched by name" in role.note
    assert "elastic" in elastic.note


@pytest.mark.parametrize("name", ["listmember", "roleprivileges", "plugintype"])
def test_rows_that_are_written_by_actions_are_never_sent(name: str) -> None:
    ids = [str(uuid4()), str(uuid4())]
    entity = make_named(name)
    batch = Batch(
        action=Action.CREATE,
        columns=(entity.primary_id,),
        rows=[(item,) for item in ids],
        expected=[0, 0],
    )
    with connected({}) as (fake, connector):
        result = connector.write(entity, batch)
    assert fake.asked == []
    assert (result.ids, list(result.failed)) == (ids, [0, 1])
    assert result.failed[0].code == "read-only"
    assert result.failed[0].message == difficult.write_refusal(name)
