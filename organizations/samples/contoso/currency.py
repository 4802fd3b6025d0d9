"""The entity transactioncurrency."""

from __future__ import annotations

from organizations.samples.contoso.columns import (
    active_state,
    create_only,
    key,
    line,
    name,
    number,
    required,
    whole,
)
from organizations.samples.contoso.common import audit, imported, picture
from organizations.samples.contoso.tables import table
from organizations.schema import Entity, Ownership, RequiredLevel

_PRECISION = "Currency Precision|Währungsgenauigkeit|Presnosť meny"


def transactioncurrency() -> Entity:
    """Make the entity of currencies. It does not track changes: readers must fall back."""
    system = RequiredLevel.SYSTEM
    return table(
        "TransactionCurrency",
        ("Currency|Währung|Mena", "Currencies|Währungen|Meny"),
        [
            key("TransactionCurrencyId", "Currency|Währung|Mena"),
            required(
                name(line("CurrencyName", 100, "Currency Name|Währungsname|Názov meny")), system
            ),
            create_only(
                required(line("ISOCurrencyCode", 5, "Currency Code|Währungscode|Kód meny"), system)
            ),
            required(
                line("CurrencySymbol", 13, "Currency Symbol|Währungssymbol|Symbol meny"), system
            ),
            required(whole("CurrencyPrecision", _PRECISION, 0, 4), system),
            required(
                number("ExchangeRate", "Exchange Rate|Wechselkurs|Výmenný kurz", 1e-10, 1e11, 10),
                system,
            ),
            *picture(),
            *active_state(),
            *audit("transactioncurrency"),
            *imported()[:2],
        ],
        code=9105,
        set_name="transactioncurrencies",
        ownership=Ownership.ORGANIZATION,
    )
