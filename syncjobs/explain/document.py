"""A story as JSON, for the API and the command; the same names everywhere."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from organizations.query.explaining import Finding
from syncjobs.explain.story import Story


def document(story: Story) -> dict[str, Any]:
    """Return the story as plain values."""
    return {
        "entity": story.entity,
        "server_id": story.server_id,
        "client_id": story.client_id,
        "summary": story.summary,
        "link": asdict(story.link) if story.link else None,
        "server": asdict(story.server),
        "client": asdict(story.client),
        "fields": [{**asdict(one), "is_equal": one.is_equal} for one in story.fields],
        "filter": {
            "verdict": story.verdict,
            "server_says": story.server_says,
            "conditions": finding(story.finding) if story.finding else None,
        },
        "waits": story.waits,
        "events": [asdict(event) for event in story.events],
        "notes": story.notes,
    }


def finding(found: Finding) -> dict[str, Any]:
    """Return a finding with those it rests on."""
    return {
        "text": found.text,
        "is_true": found.is_true,
        "children": [finding(child) for child in found.children],
    }
