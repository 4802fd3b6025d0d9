"""Account, contact, lead and competitor of the Sales template."""

from __future__ import annotations

from organizations.samples.sales.columns import (
    active,
    address,
    choice,
    customer,
    day,
    flag,
    line,
    lookup,
    money,
    native,
    owner,
    pairs,
    required,
    states,
    written,
)
from organizations.schema import Entity, ManyToMany, Origin

_SOURCES = {
    1: "Advertisement",
    2: "Employee Referral",
    3: "External Referral",
    4: "Partner",
    5: "Public Relations",
    6: "Seminar",
    7: "Trade Show",
    8: "Web",
    9: "Word of Mouth",
    10: "Other",
}
_LEAD = {
    0: ("Open", {1: "New", 2: "Contacted"}),
    1: ("Qualified", {3: "Qualified"}),
    2: (
        "Disqualified",
        {4: "Lost", 5: "Cannot Contact", 6: "No Longer Interested", 7: "Canceled"},
    ),
}


def account() -> Entity:
    """Make the entity of companies."""
    return native(
        "account",
        ("Account", "Accounts"),
        [
            required(line("name", "Account Name", 160)),
            line("emailaddress1", "E-mail", 100, "Email"),
            line("telephone1", "Main Phone", 50, "PhoneNumber"),
            line("fax", "Fax", 50, "PhoneNumber"),
            line("websiteurl", "Website", 200, "Url"),
            address(),
            lookup("primarycontactid", "Primary Contact", "contact"),
            lookup("originatingleadid", "Originating Lead", "lead"),
            lookup("defaultpricelevelid", "Price List", "pricelevel"),
            lookup("transactioncurrencyid", "Currency", "transactioncurrency"),
            active(),
            owner(),
            written(),
        ],
    )


def contact() -> Entity:
    """Make the entity of people."""
    return native(
        "contact",
        ("Contact", "Contacts"),
        [
            line("name", "Full Name", 160),
            line("firstname", "First Name", 50),
            required(line("lastname", "Last Name", 50)),
            line("jobtitle", "Job Title", 100),
            line("emailaddress1", "E-mail", 100, "Email"),
            line("telephone1", "Business Phone", 50, "PhoneNumber"),
            line("mobilephone", "Mobile Phone", 50, "PhoneNumber"),
            line("fax", "Fax", 50, "PhoneNumber"),
            address(),
            choice("contacttype", "Contact Type", {1: "Business", 2: "Private"}),
            customer("parentcustomerid", "Company"),
            lookup("originatingleadid", "Originating Lead", "lead"),
            flag("resco_portalaccess", "Portal Access"),
            line("resco_portaluserid", "Portal User", 100),
            active(),
            owner(),
            written(),
        ],
    )


def lead() -> Entity:
    """Make the entity of possible customers."""
    return native(
        "lead",
        ("Lead", "Leads"),
        [
            line("name", "Name", 160),
            required(line("subject", "Topic", 300)),
            line("firstname", "First Name", 50),
            required(line("lastname", "Last Name", 50)),
            required(line("companyname", "Company Name", 100)),
            line("emailaddress1", "E-mail", 100, "Email"),
            line("telephone1", "Business Phone", 50, "PhoneNumber"),
            line("mobilephone", "Mobile Phone", 50, "PhoneNumber"),
            address(),
            customer("customerid", "Customer"),
            money("estimatedamount", "Est. Value"),
            money("estimatedamount_base", "Est. Value (Base)"),
            day("estimatedclosedate", "Est. Close Date"),
            choice("leadqualitycode", "Rating", {1: "Hot", 2: "Warm", 3: "Cold"}, 2),
            choice("leadsourcecode", "Lead Source", _SOURCES),
            lookup("transactioncurrencyid", "Currency", "transactioncurrency"),
            states(_LEAD),
            owner(),
            written("createdby"),
        ],
    )


def competitor() -> Entity:
    """Make the entity of competitors; its attributes are not published (assumed)."""
    return native(
        "competitor",
        ("Competitor", "Competitors"),
        [
            required(line("name", "Name", 100)),
            line("websiteurl", "Website", 200, "Url"),
            lookup("transactioncurrencyid", "Currency", "transactioncurrency"),
            written(),
        ],
    )


def leadcompetitors() -> Entity:
    """Make the pairs of leads and competitors; not published, so named as in Dynamics (assumed)."""
    joined = ManyToMany(
        name="leadcompetitors_association",
        entity1="lead",
        attribute1="leadid",
        entity2="competitor",
        attribute2="competitorid",
        intersect_entity="leadcompetitors",
        origin=Origin.NATIVE,
    )
    return pairs("leadcompetitors", ("Lead Competitor", "Lead Competitors"), joined)
