"""The contract of connectors for Resco Cloud: our own services, and the strict server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django.live_server_helper import LiveServer

from organizations.schema import AttributeType
from tests.connections.connectors.contract_resco_cloud import RescoCloudContract
from tests.connections.connectors.place import Place, named
from tests.connections.connectors.resco_cloud.strict import StrictRescoPlace
from tests.connections.connectors.resco_place import RescoPlace
from tests.fakes.server import serve


class TestRescoCloud(RescoCloudContract):
    """An organization hosted here, behind its REST services."""

    @pytest.fixture
    def place(self, live_server: LiveServer) -> RescoPlace:
        return RescoPlace(live_server.url)


class TestRescoCloudOverOData(RescoCloudContract):
    """The same, read by OData, and written by it with etags."""

    @pytest.fixture
    def place(self, live_server: LiveServer) -> RescoPlace:
        return RescoPlace(live_server.url, is_atomic=True)


class StrictContract(RescoCloudContract):
    """What the sheet's metadata cannot say is left out: set names, multi-selects, customers."""

    def test_it_describes_entities(self, place: Place) -> None:
        with place.connector() as connector:
            thing, pair = connector.describe(["thing", "thingnote"])
        assert (thing.primary_id, thing.primary_name) == ("thingid", "text")
        kinds = {attribute.name: attribute.type for attribute in thing.attributes}
        assert kinds["thingid"] is AttributeType.UNIQUEIDENTIFIER
        assert kinds["memo"] is AttributeType.MEMO
        assert kinds["customer"] is AttributeType.LOOKUP
        assert named(thing, "customer").targets == ("thing", "note")
        assert named(thing, "money").precision == 2
        assert named(thing, "text").max_length == 100
        choice = named(thing, "choice").option_set
        assert choice is not None
        assert [option.value for option in choice.options] == [1, 2]
        assert choice.options[0].label.text() == "Option 1"
        assert pair.intersect is not None
        assert (pair.intersect.attribute1, pair.intersect.attribute2) == ("thingid", "noteid")


class TestStrictResco(StrictContract):
    """A server written from the sheet alone, in both forms of ExecuteMultiple's answer."""

    @pytest.fixture(params=["newer", "older"])
    def place(self, request: pytest.FixtureRequest) -> Iterator[StrictRescoPlace]:
        place = StrictRescoPlace(is_older=request.param == "older")
        with serve(place.service) as url:
            place.url = url
            yield place


class TestStrictRescoOverOData(StrictContract):
    """The server from the sheet, whose etags say nothing about versions."""

    @pytest.fixture
    def place(self) -> Iterator[StrictRescoPlace]:
        place = StrictRescoPlace(is_atomic=True)
        with serve(place.service) as url:
            place.url = url
            yield place
