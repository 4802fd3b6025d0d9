"""Which client records are as they are because a run was taken back."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from organizations.records import Action
from syncjobs import images
from syncjobs.engine.values import TAKEN_BACK, Side
from syncjobs.models import Image, Link, Run


def reasons(entity: int, client_ids: Sequence[str]) -> dict[str, str]:
    """Return a sentence for each of these client records that an undo wrote last."""
    found = _written(entity, client_ids) if client_ids else {}
    links = Link.objects.filter(entity=entity, client_id__in=list(found))
    versions = {str(link.client_id): link.client_version for link in links}
    return {
        id_: f"Taken back by undo of run {image.run.options['run']}."
        for id_, (image, version) in found.items()
        if image.run is not None and versions.get(id_, version) == version
    }


def _written(entity: int, client_ids: Sequence[str]) -> dict[str, tuple[Image, int]]:
    """Return the newest undo's image of each record, and what version a link has after it."""
    wanted = {UUID(id_).bytes: id_ for id_ in client_ids}
    found: dict[str, tuple[Image, int]] = {}
    rows = Image.objects.filter(entity=entity, side=Side.CLIENT, run__kind=Run.Kind.UNDO)
    for image in rows.select_related("run").defer("before").order_by("-pk").iterator(chunk_size=20):
        is_gone = image.action == Action.DELETE
        for raw, place in images.places(image, wanted.keys()).items():
            version = TAKEN_BACK if is_gone else images.version_at(image, place)
            found.setdefault(wanted[raw], (image, version))
    return found
