"""Filters of the standard's own test cases: the right records, or 501 and a sentence.

The expressions are those of the OASIS ABNF test cases (rules filter, boolCommonExpr, commonExpr),
with the names of this model; 400 is for what the grammar does not allow, and for names and values
that do not fit the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from organizations.catalog import delete_organization
from organizations.models import Organization
from tests.organizations.odata.reader import OData
from tests.organizations.odata.shop import HUGO, fill_shop, make_shop

MILK, CHEESE, TEA, VOID = "Milk", "Cheese", "O'Neil's Tea", "Void"
ALL = [CHEESE, MILK, TEA, VOID]


@pytest.fixture(scope="module")
def shop(django_db_setup: None, django_db_blocker: Any) -> Iterator[Organization]:
    with django_db_blocker.unblock():
        organization = make_shop()
        fill_shop(organization)
    yield organization
    with django_db_blocker.unblock():
        delete_organization(organization)


def filtered(shop: Organization, text: str) -> list[str] | int:
    """Return the names that pass in order, or the status of a refusal with a sentence."""
    odata = OData(shop)
    response = odata.send(f"product?$filter={text}&$select=Name&$orderby=Name")
    if response.status_code == 200:
        return [row["Name"] for row in orjson.loads(response.content)["value"]]
    error = orjson.loads(response.content)["error"]
    assert error["message"].strip("'")[:1].isalnum()
    assert len(error["message"]) > 20
    return int(response.status_code)


DONE = [
    ("true", ALL),
    ("false", []),
    ("(true)", ALL),
    ("( true )", ALL),
    ("(false)", []),
    ("true eq false", []),
    ("true ne false", ALL),
    ("true and false", []),
    ("true or false", ALL),
    ("not false", ALL),
    ("Completed", [MILK]),
    ("not Completed", [CHEESE, TEA, VOID]),
    ("Completed eq true", [MILK]),
    ("Completed ne true", [CHEESE, TEA, VOID]),
    ("Completed eq false", [CHEESE]),
    ("allowed", [MILK]),
    ("Name eq 'Milk'", [MILK]),
    ("(Name eq 'Milk')", [MILK]),
    ("Name ne 'Milk'", [CHEESE, TEA, VOID]),
    ("Name gt 'Milk'", [TEA, VOID]),
    ("Name ge 'Milk'", [MILK, TEA, VOID]),
    ("Name lt 'Milk'", [CHEESE]),
    ("Name le 'Milk'", [CHEESE, MILK]),
    ("'Milk' eq Name", [MILK]),
    ("5 gt Rating", [CHEESE, TEA]),
    ("Name EQ 'Milk' AND Price LT 2.56", [MILK]),
    ("Name Eq 'Milk' OR Price Lt 0", [MILK, TEA]),
    ("Name eq 'O''Neil''s Tea'", [TEA]),
    ("not endswith(Name,'ilk')", [CHEESE, TEA, VOID]),
    ("not (Name eq 'Milk')", [CHEESE, TEA, VOID]),
    ("not(Name eq 'Milk')", [CHEESE, TEA, VOID]),
    ("not (Rating gt 3)", [CHEESE, TEA, VOID]),
    ("Name in ('Milk', 'Cheese')", [CHEESE, MILK]),
    ('Name in ["Milk", "Cheese"]', [CHEESE, MILK]),
    ("Name in ('Milk')", [MILK]),
    ("Rating in (5,3)", [CHEESE, MILK]),
    ("contains(CompanyName,'lfreds')", [MILK]),
    ("contains(CompanyName,'%')", [CHEESE]),
    ("contains(CompanyName,'_')", [CHEESE]),
    ("contains(CompanyName,'[x]')", [CHEESE]),
    ("contains(CompanyName,'')", [CHEESE, MILK, TEA]),
    ("startswith(CompanyName,'50')", [CHEESE, TEA]),
    ("startswith(CompanyName,'50_')", []),
    ("endswith(CompanyName,'Futterkiste')", [MILK]),
    ("contains(CompanyName,'lfreds') eq true", [MILK]),
    ("true eq contains(CompanyName,'lfreds')", [MILK]),
    ("(Rating gt 3) eq true", [MILK]),
    ("(Rating gt 3) ne true", [CHEESE, TEA, VOID]),
    ("contains(tolower(CompanyName),'alfreds')", [MILK]),
    ("contains(tolower(CompanyName),tolower('ALFREDS'))", [MILK]),
    ("contains(tolower(CompanyName),'ALFREDS')", []),
    ("tolower(Name) eq 'milk'", [MILK]),
    ("toupper(Name) eq 'milk'", []),
    ("'MILK' eq toupper(Name)", [MILK]),
    ("toupper(Name) ne 'milk'", ALL),
    ("Price eq 2.55", [MILK]),
    ("Price eq 2.550", [MILK]),
    ("Price gt 2.5e0", [CHEESE, MILK]),
    ("Price eq -1", [TEA]),
    ("Price eq Cost", [MILK, VOID]),
    ("Price ne Cost", [CHEESE, TEA]),
    ("Price gt Cost", [CHEESE]),
    ("Weight lt 1", [MILK]),
    ("Stock eq 1099511627776", [MILK]),
    ("Stock lt 0", [TEA]),
    ("Rating eq null", [VOID]),
    ("Rating ne null", [CHEESE, MILK, TEA]),
    ("null eq Rating", [VOID]),
    ("Rating gt null", []),
    ("Rating le null", []),
    ("not (Rating gt null)", ALL),
    ("ReleaseDate gt 2013-05-24", [MILK]),
    ("ReleaseDate eq 2013-06-01T14:00:00%2B02:00", [MILK]),
    ("ReleaseDate lt 2013-06-01T12:00:00Z", [CHEESE]),
    ("Birthday eq 2013-05-24", [MILK]),
    ("Birthday eq 2013-05-24T00:00:00Z", [MILK]),
    (f"__Supplier_id eq {HUGO}", [MILK]),
    (f"__Supplier_id eq '{HUGO.upper()}'", [MILK]),
    (f"__Supplier_id ne {HUGO}", [CHEESE, TEA, VOID]),
    ("__Supplier_id eq null", [TEA, VOID]),
    ("Supplier_supplier/Name eq 'Hugo'", [MILK]),
    ("Supplier_supplier/Name ne 'Hugo'", [CHEESE, TEA, VOID]),
    ("startswith(Supplier_supplier/Name,'A')", [CHEESE]),
    ("Supplier_supplier/Rating eq 5 and Rating eq 5", [MILK]),
    ("Rating gt 3 or Rating lt 1 and Price lt 0", [MILK, TEA]),
    ("(Rating gt 3 or Rating lt 1) and Price lt 0", [TEA]),
    ("Name eq @n&@n='Milk'", [MILK]),
    ("contains(CompanyName,@word)&@word='lfreds'", [MILK]),
    ("Rating in (@a,@b)&@a=5&@b=0", [MILK, TEA]),
]


@pytest.mark.django_db
@pytest.mark.parametrize(("text", "expected"), DONE)
def test_it_finds_what_the_standard_says(
    shop: Organization, text: str, expected: list[str]
) -> None:
    assert filtered(shop, text) == expected


KNOWN_ELSEWHERE = """
Price add 2.45 eq 5.00
Price sub 0.55 eq 2.00
Price mul 2.0 eq 5.10
Price div 2.55 eq 1
Rating divby 2 eq 2.5
Rating mod 5 eq 0
Price add 2.45
(Price add 2.45) mod 2
-Price
-Price eq 5
(4 add 5) mod (4 sub 1)
5 eq 5
'a' eq 'a'
Completed eq (Rating gt 3)
concat(CompanyName, Name) eq 'x'
concat(concat(CompanyName,'-'),Name)
contains(CompanyName,Name)
contains('Milk',Name)
contains(Name,["Fred","George"])
endswith(["Fred","George","Ron"],["George","Ron"])
indexof(CompanyName,'lfreds') eq 1
indexof(["Fred","George","Ron"],["George","Ron"]) eq 1
length(CompanyName) eq 19
length(["Fred","George","Ron"]) eq 3
startswith(["Fred","George","Ron"],["Fred","George"])
substring(CompanyName, 5) eq 'x'
substring(CompanyName,5,2) eq 'x'
hassubset(Name,["Milk", "Cheese"])
hassubset(["Milk", "Cheese"],Name)
hassubsequence([4,1,3],[4,3])
matchesPattern(CompanyName,'%5EA.*e$')
tolower(CompanyName)
tolower(Name) gt 'a'
trim(CompanyName) eq 'x'
date(ReleaseDate) eq 2013-06-01
day(ReleaseDate) eq 1
fractionalseconds(ReleaseDate) lt 0.1
hour(ReleaseDate) eq 1
ReleaseDate lt maxdatetime()
ReleaseDate lt maxdatetime( )
ReleaseDate gt mindatetime()
minute(ReleaseDate) eq 1
month(ReleaseDate) eq 1
ReleaseDate le now()
ReleaseDate le now( )
second(ReleaseDate) eq 1
time(ReleaseDate) eq 12:00:00
totaloffsetminutes(ReleaseDate) eq 60
totalseconds(duration'PT1M') eq 60
year(ReleaseDate) eq 2013
ceiling(Price) eq 3
floor(Price) eq 2
round(Price) eq 3
cast(Rating,Edm.String) eq '5'
cast(Model.Customer)
isof(Model.Customer)
isof(Supplier_supplier,Model.Customer)
geo.distance(Supplier_supplier/Name,Name) lt 5
geo.intersects(Name,CompanyName)
geo.length(geography'SRID=0;LineString(142.1 64.1,3.14 2.78)') gt 1
geo.intersects(geometry'SRID=0;Point(142.1 64.1)',geometry'SRID=0;Point(1 1)')
Name eq binary'T0RhdGE'
Name has Sales.Pattern'Yellow'
Name eq Sales.Pattern'Yellow'
Weight eq INF
Weight lt NaN
Weight eq -INF
Supplier_supplier/$count gt 0
Supplier_supplier/$filter(Rating gt 5)/$count lt 10
Name/@Measures.Currency eq 'EUR'
Price/@Currency eq 'EUR'
@Core.Messages/any(m:m/severity eq 'error')
endswith($it,'.com')
$it eq @ref&@ref={"@odata.id":"http://host/service/ZqV5t"}
$it/Name eq 'Milk'
Name eq $root/product(1)/Name
$this eq 'Hugo'
["Milk", "Cheese"] eq ["Oranges", "Carrots"]
[Name,CompanyName] in [["John","Doe"],["Jane","Smith"]]
["Hello",42,true,false,null,'World']
{"Name":"Milk"}
Name eq {"Street":"NE 40th"}
Name in ()
Name in []
Name in (CompanyName)
Name in (null,'Milk')
Model.Available()
Model.MostPopularName(Where=Name) eq 'Food'
Supplier_supplier/Model.Available()
Supplier_supplier/Model.Best()/Name eq 'x'
Model.PhoneticallySimilar(Number=5 add 3)
Model.Available(complex={"Name":"Value"})
Supplier_supplier/Model.Special/Name eq 'x'
odd(Name)
Supplier_supplier/Name eq CompanyName
case(Rating gt 3:'a',true:'b') eq 'a'
"""


@pytest.mark.django_db
@pytest.mark.parametrize("text", KNOWN_ELSEWHERE.strip().splitlines())
def test_it_says_what_it_does_not_do(shop: Organization, text: str) -> None:
    assert filtered(shop, text) == 501


WRONG = """
Name
Name eq
eq 'Milk'
Name = 'Milk'
Name eq 'Milk
Name eq 'Milk' and
Name eq 'Milk' or or Name eq 'Tea'
(Name eq 'Milk'
Name eq 'Milk')
()
Name eq 'Milk' Name
Name like 'M%25'
any()
all(lambda:true)
Supplier_supplier/all()
Supplier_supplier/any(x:x/Name eq 'Hugo')
Supplier_supplier eq null
Supplier/Name eq 'Hugo'
Nothing eq 1
Supplier_supplier/Nothing eq 1
Rating eq 'many'
Rating eq 99999999999999999999999999
Completed eq 5
ReleaseDate eq 'yesterday'
ReleaseDate gt 2013-02-30
productid eq 'x'
Name eq @missing
contains(Name)
contains(Rating,'5')
startswith(Name,'a','b')
Name in (Name,
Name eq 'a%00b'
"""


@pytest.mark.django_db
@pytest.mark.parametrize("text", WRONG.strip().splitlines())
def test_it_refuses_what_cannot_be_meant(shop: Organization, text: str) -> None:
    assert filtered(shop, text) == 400
