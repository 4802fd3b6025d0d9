"""The entity competitor, and the pairs of leads and competitors."""

from __future__ import annotations

from organizations.samples.contoso.columns import (
    Column,
    floating,
    identifier,
    key,
    line,
    memo,
    money,
    name,
    required,
    whole,
)
from organizations.samples.contoso.common import (
    DEFAULT,
    address,
    audit,
    currency,
    imported,
    picture,
    shipping,
    version,
)
from organizations.samples.contoso.tables import table
from organizations.schema import Entity, ManyToMany, Ownership

_LEADCOMPETITORS = ManyToMany(
    name="leadcompetitors_association",
    entity1="lead",
    attribute1="leadid",
    entity2="competitor",
    attribute2="competitorid",
    intersect_entity="leadcompetitors",
    navigation1="leadcompetitors_association",
    navigation2="leadcompetitors_association",
)


def competitor() -> Entity:
    """Make the entity of rivals."""
    return table(
        "Competitor",
        ("Competitor|Mitbewerber|Konkurent", "Competitors|Mitbewerber|Konkurenti"),
        [
            key("CompetitorId", "Competitor|Mitbewerber|Konkurent"),
            required(
                name(line("Name", 100, "Competitor Name|Name des Mitbewerbers|Názov konkurenta"))
            ),
            line("KeyProduct", 200, "Key Product|Schlüsselprodukt|Kľúčový produkt"),
            *_assessment(),
            *_reports(),
            line("WebSiteUrl", 200, "Website|Website|Webová stránka", "Url"),
            line(
                "ReferenceInfoUrl",
                200,
                "Reference Info URL|Referenz-URL|Referenčná adresa URL",
                "Url",
            ),
            *address(1, kinds=DEFAULT),
            shipping(1),
            *currency("competitor"),
            *picture(),
            *audit("competitor"),
            *imported(),
        ],
        code=123,
        set_name="competitors",
        ownership=Ownership.ORGANIZATION,
        tracks_changes=True,
    )


def _assessment() -> list[Column]:
    return [
        memo("Overview", "Overview|Überblick|Prehľad"),
        memo("Strengths", "Strength|Stärken|Silné stránky"),
        memo("Weaknesses", "Weakness|Schwächen|Slabé stránky"),
        memo("Opportunities", "Opportunity|Chancen|Príležitosti"),
        memo("Threats", "Threat|Risiken|Hrozby"),
        floating("WinPercentage", "Win Percentage|Gewinnquote|Percento výhier", 0, 100, 2),
    ]


def _reports() -> list[Column]:
    return [
        money("ReportedRevenue", "Reported Revenue|Gemeldeter Umsatz|Vykázané výnosy", 10**12),
        whole("ReportingQuarter", "Reporting Quarter|Berichtsquartal|Vykazovaný štvrťrok", 1, 4),
        whole("ReportingYear", "Reporting Year|Berichtsjahr|Vykazovaný rok", 1000, 10**4),
        line("StockExchange", 20, "Stock Exchange|Börse|Burza"),
        line("TickerSymbol", 10, "Ticker Symbol|Börsensymbol|Burzový symbol", "TickerSymbol"),
    ]


def leadcompetitors() -> Entity:
    """Make the intersect entity of leads and competitors."""
    return table(
        "LeadCompetitors",
        (
            "Lead Competitor|Mitbewerber des Leads|Konkurent záujemcu",
            "Lead Competitors|Mitbewerber der Leads|Konkurenti záujemcov",
        ),
        [
            key("LeadCompetitorId", "Lead Competitor|Mitbewerber des Leads|Konkurent záujemcu"),
            identifier("LeadId", "Lead|Lead|Záujemca"),
            identifier("CompetitorId", "Competitor|Mitbewerber|Konkurent"),
            version(),
        ],
        code=24,
        set_name="leadcompetitorscollection",
        ownership=Ownership.NONE,
        pairs=_LEADCOMPETITORS,
        tracks_changes=True,
        checks_versions=False,
    )
