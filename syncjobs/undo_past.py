"""The run that is taken back, as rows: its images, what it delivered, the client's recycle bin."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Mapping, Sequence
from uuid import UUID

from django.db.models.functions import Now

from connections.connectors.base import Connector
from connections.connectors.hosted import HostedConnector
from organizations.schema import Entity
from organizations.store import refilling
from syncjobs import images
from syncjobs.engine.undo import Repeat
from syncjobs.engine.undo_page import Past, Remembered
from syncjobs.engine.values import Side
from syncjobs.models import Image, Link, OfflineTransaction, Run, TransactionEvent

_Status = OfflineTransaction.Status


class DatabasePast(Past):
    """What `undone` wrote, for the run that takes it back."""

    def __init__(self, run: Run, undone: Run, client: Connector) -> None:
        """`run` keeps in its result how far it has come."""
        self._run, self._undone, self._client = run, undone, client

    def pages(self, below: int | None) -> Iterator[Remembered]:
        """Yield the images, the newest first, one at a time."""
        rows = Image.objects.filter(run=self._undone).select_related("entity").order_by("-pk")
        while row := (rows if below is None else rows.filter(pk__lt=below)).first():
            yield Remembered(row.pk, row.entity_id, row.entity.name, images.read(row))
            below = row.pk

    def repeats(self, entity: int, side: Side) -> Mapping[str, Repeat]:
        """Return the records that more than one image holds.

        Eight bytes of each id are sorted first, so that millions of records need little memory.
        """
        rows = Image.objects.filter(run=self._undone, entity=entity, side=side)
        if rows.count() < 2:
            return {}
        packed = rows.order_by("pk").values_list("pk", "ids")
        suspects = _twice(bytes(ids) for _, ids in packed.iterator(chunk_size=20))
        where: dict[bytes, list[int]] = {}
        for pk, ids in packed.iterator(chunk_size=20) if suspects else ():
            for raw in images.split(bytes(ids)):
                if raw[:8] in suspects:
                    where.setdefault(raw, []).append(pk)
        repeated = {raw: found for raw, found in where.items() if len(found) > 1}
        return self._repeats(repeated)

    def _repeats(self, repeated: Mapping[bytes, Sequence[int]]) -> dict[str, Repeat]:
        oldest: dict[int, list[bytes]] = {}
        for raw, found in repeated.items():
            oldest.setdefault(found[0], []).append(raw)
        result = {}
        for pk, ids in oldest.items():
            image = images.read(Image.objects.get(pk=pk))
            places = {id_: place for place, id_ in enumerate(image.ids)}
            for raw in ids:
                id_ = str(UUID(bytes=raw))
                before = image.before[places[id_]] if image.before else None
                newest = repeated[raw][-1]
                result[id_] = Repeat(newest, image.action, image.columns, before)
        return result

    def done(self, number: int) -> None:
        """Remember in the run's result that this image was taken back."""
        self._run.result = {**self._run.result, "below": number}
        Run.objects.filter(pk=self._run.pk).update(result=self._run.result)

    def recovered(self, entity: Entity, ids: Sequence[str], columns: Sequence[str]) -> None:
        """Empty the recycle bin of a client that is hosted here; another one keeps its own."""
        if isinstance(self._client, HostedConnector):
            refilling.refill(self._client.store.catalog, entity, ids, columns)

    def taken_back(self, entity: int, side: Side, ids: Sequence[str]) -> None:
        """Set aside what the run delivered of these server records, so it can be sent again.

        What an undo had set aside, that is itself taken back now, counts as delivered again.
        """
        if side is not Side.SERVER:
            return
        is_again = self._undone.kind == Run.Kind.UNDO
        before, after = _Status.PROCESSED, _Status.ARCHIVED
        if is_again:
            before, after = after, before
        why = f"Taken back by undo of run {self._undone.pk}."
        found = OfflineTransaction.objects.filter(
            pk__in=TransactionEvent.objects.filter(
                run=self._undone, status=before, transaction__entity=entity
            ).values("transaction"),
            status=before,
            client_id__in=_client_ids(entity, ids),
        )
        changed = list(found.values_list("pk", flat=True))
        OfflineTransaction.objects.filter(pk__in=changed).update(
            status=after, message="" if is_again else why, code="", finished=Now()
        )
        TransactionEvent.objects.bulk_create(
            TransactionEvent(transaction_id=pk, status=after, why=why, run=self._run)
            for pk in changed
        )


def _client_ids(entity: int, server_ids: Sequence[str]) -> set[str]:
    links = Link.objects.filter(entity=entity, server_id__in=list(server_ids))
    pairs = links.values_list("server_id", "client_id")
    other = {str(server): str(client) for server, client in pairs}
    return {other.get(item, item) for item in server_ids}


def _twice(pages: Iterator[bytes]) -> set[bytes]:
    """Return the first eight bytes of ids that may come twice."""
    starts = array("Q")
    for page in pages:
        starts.extend(memoryview(page).cast("Q")[::2])
    ordered = sorted(starts)
    found = array("Q", {a for a, b in zip(ordered, ordered[1:], strict=False) if a == b})
    return set(_eights(found.tobytes()))


def _eights(packed: bytes) -> Iterator[bytes]:
    return (packed[at : at + 8] for at in range(0, len(packed), 8))
