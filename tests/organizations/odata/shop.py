"""A shop with the names of the standard's own examples of filters: products and suppliers."""

from __future__ import annotations

from organizations.catalog import create_organization, define, enable
from organizations.members import add_member
from organizations.models import Organization
from organizations.records import RecordValue
from organizations.schema import AttributeType, DateBehavior, Entity
from organizations.store import Store
from tests.organizations.making import make_attribute
from tests.organizations.rest.office import EMAIL, PASSWORD

T = AttributeType


def make_shop() -> Organization:
    organization = create_organization("odata-shop")
    define(organization, [make_supplier(), make_product()])
    enable(organization, ["supplier", "product"])
    add_member(organization, EMAIL, PASSWORD)
    return organization


def make_supplier() -> Entity:
    return Entity(
        name="supplier",
        primary_id="supplierid",
        primary_name="Name",
        attributes=(
            make_attribute("supplierid", T.UNIQUEIDENTIFIER, is_primary_id=True),
            make_attribute("Name", is_primary_name=True),
            make_attribute("Rating", T.INTEGER),
        ),
    )


def make_product() -> Entity:
    return Entity(
        name="product",
        primary_id="productid",
        primary_name="Name",
        attributes=(
            make_attribute("productid", T.UNIQUEIDENTIFIER, is_primary_id=True),
            make_attribute("Name", is_primary_name=True),
            make_attribute("CompanyName"),
            make_attribute("Price", T.DECIMAL, precision=2),
            make_attribute("Cost", T.DECIMAL, precision=2),
            make_attribute("Rating", T.INTEGER),
            make_attribute("Weight", T.DOUBLE),
            make_attribute("Stock", T.BIGINT),
            make_attribute("Completed", T.BOOLEAN),
            make_attribute("ReleaseDate", T.DATETIME),
            make_attribute("Birthday", T.DATETIME, date_behavior=DateBehavior.DATE_ONLY),
            make_attribute("allowed", T.BOOLEAN),
            make_attribute("Supplier", T.LOOKUP, targets=("supplier",)),
        ),
    )


HUGO, ANNA = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def fill_shop(organization: Organization) -> None:
    """Make two suppliers and four products; of `Void` nothing is known but its name."""
    store = Store(organization)
    store.create("supplier", {"Name": "Hugo", "Rating": 5}, id=HUGO)
    store.create("supplier", {"Name": "Anna"}, id=ANNA)
    for values in PRODUCTS:
        store.create("product", values)


PRODUCTS: tuple[dict[str, RecordValue], ...] = (
    {
        "Name": "Milk",
        "CompanyName": "Alfreds Futterkiste",
        "Price": "2.55",
        "Cost": "2.55",
        "Rating": 5,
        "Weight": 0.5,
        "Stock": 2**40,
        "Completed": True,
        "ReleaseDate": "2013-06-01T12:00:00Z",
        "Birthday": "2013-05-24",
        "allowed": True,
        "Supplier": HUGO,
    },
    {
        "Name": "Cheese",
        "CompanyName": "50%_[x]",
        "Price": "5.00",
        "Cost": "4.00",
        "Rating": 3,
        "Completed": False,
        "ReleaseDate": "2012-01-01T00:00:00Z",
        "Supplier": ANNA,
    },
    {"Name": "O'Neil's Tea", "CompanyName": "50 Xx", "Price": "-1.00", "Rating": 0, "Stock": -5},
    {"Name": "Void"},
)
