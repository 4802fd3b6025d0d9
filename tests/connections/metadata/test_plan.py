"""Plans as values: digest, counts, JSON and back."""

from __future__ import annotations

from dataclasses import replace

from connections.metadata.plan import (
    Element,
    EntityPlan,
    Item,
    MetadataPlan,
    Verb,
    plan_from_json,
    plan_to_json,
)


def make_plan() -> MetadataPlan:
    items = (
        Item(verb=Verb.ADD, element=Element.ATTRIBUTE, name="account.fax", after="String (50)"),
        Item(verb=Verb.REMOVE, element=Element.ATTRIBUTE, name="account.telex", at_risk=4),
    )
    return MetadataPlan(entities=(EntityPlan(entity="account", items=items),), unchanged=7)


def test_it_survives_json() -> None:
    plan = make_plan()
    assert plan_from_json(plan_to_json(plan)) == plan


def test_it_counts_by_element_and_verb() -> None:
    assert make_plan().counts() == {"attribute added": 1, "attribute removed": 1}


def test_it_has_another_digest_when_an_item_differs() -> None:
    plan = make_plan()
    account = plan.entities[0]
    other = replace(
        account, items=(replace(account.items[0], after="String (60)"), account.items[1])
    )
    assert replace(plan, entities=(other,)).digest != plan.digest


def test_it_has_the_same_digest_when_only_record_counts_moved() -> None:
    plan = make_plan()
    account = plan.entities[0]
    other = replace(account, items=(account.items[0], replace(account.items[1], at_risk=5)))
    assert replace(plan, entities=(other,)).digest == plan.digest
