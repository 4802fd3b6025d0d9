"""Labels in the three languages of the sample organization, written `English|Deutsch|Slovensky`."""

from __future__ import annotations

from organizations.schema import Label

ENGLISH, GERMAN, SLOVAK = 1033, 1031, 1051
LANGUAGES = (ENGLISH, GERMAN, SLOVAK)


def label(text: str) -> Label:
    """Make a label of `English|Deutsch|Slovensky`; raises ValueError unless there are three."""
    texts = text.split("|")
    if len(texts) != len(LANGUAGES) or not all(texts):
        raise ValueError(f"A sample label needs English|German|Slovak, not '{text}'.")
    return Label.of(dict(zip(LANGUAGES, texts, strict=True)))


def joined(first: str, second: str, glue: str = ": ") -> str:
    """Join two triples language by language: `Address 1|…` and `City|…` → `Address 1: City|…`."""
    pairs = zip(first.split("|"), second.split("|"), strict=True)
    return "|".join(f"{left}{glue}{right}" for left, right in pairs)
