"""Opportunities, currencies, units and price lists of the Sales template."""

from __future__ import annotations

from organizations.samples.sales.columns import (
    active,
    choice,
    customer,
    day,
    decimal,
    flag,
    line,
    lookup,
    money,
    native,
    owner,
    required,
    states,
    whole,
    written,
)
from organizations.schema import Entity, Ownership

_OPPORTUNITY = {
    0: ("Open", {1: "In Progress", 2: "On Hold"}),
    1: ("Won", {3: "Won"}),
    2: ("Lost", {4: "Canceled", 5: "Out-Sold"}),
}
_SHARED = {"ownership": Ownership.ORGANIZATION}


def opportunity() -> Entity:
    """Make the entity of possible sales."""
    return native(
        "opportunity",
        ("Opportunity", "Opportunities"),
        [
            required(line("name", "Topic", 300)),
            customer("customerid", "Customer"),
            lookup("originatingleadid", "Originating Lead", "lead"),
            choice("opportunityratingcode", "Rating", {1: "Hot", 2: "Warm", 3: "Cold"}, 2),
            flag("isrevenuesystemcalculated", "Revenue Is Calculated"),
            money("estimatedvalue", "Est. Revenue"),
            money("actualvalue", "Actual Revenue"),
            day("actualclosedate", "Actual Close Date"),
            lookup("pricelevelid", "Price List", "pricelevel"),
            lookup("transactioncurrencyid", "Currency", "transactioncurrency"),
            states(_OPPORTUNITY),
            owner(),
            written(),
        ],
    )


def transactioncurrency() -> Entity:
    """Make the entity of currencies."""
    return native(
        "transactioncurrency",
        ("Currency", "Currencies"),
        [
            required(line("name", "Currency Name", 100)),
            required(line("isocurrencycode", "Currency Code", 5)),
            required(line("currencysymbol", "Currency Symbol", 13)),
            whole("currencyprecision", "Currency Precision"),
            active(),
            written(),
        ],
        **_SHARED,
    )


def uom() -> Entity:
    """Make the entity of units."""
    return native(
        "uom",
        ("Unit", "Units"),
        [
            required(line("name", "Name", 100)),
            lookup("baseuom", "Base Unit", "uom"),
            decimal("quantity", "Quantity", 10),
            flag("isschedulebaseuom", "Is Base Unit of the Group"),
            lookup("uomscheduleid", "Unit Group", "uomschedule"),
            written(),
        ],
        **_SHARED,
    )


def pricelevel() -> Entity:
    """Make the entity of price lists."""
    return native(
        "pricelevel",
        ("Price List", "Price Lists"),
        [
            required(line("name", "Name", 100)),
            day("begindate", "Start Date"),
            day("enddate", "End Date"),
            lookup("transactioncurrencyid", "Currency", "transactioncurrency"),
            written(),
        ],
        **_SHARED,
    )
