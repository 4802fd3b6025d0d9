"""Choices that more than one entity offers."""

from __future__ import annotations

INDUSTRIES = (
    "Accounting|Buchhaltung|Účtovníctvo",
    "Agriculture and Non-petrol Natural Resource Extraction"
    "|Landwirtschaft und Rohstoffgewinnung|Poľnohospodárstvo a ťažba surovín",
    "Broadcasting Printing and Publishing"
    "|Rundfunk, Druck und Verlag|Vysielanie, tlač a vydavateľstvo",
    "Brokers|Makler|Makléri",
    "Building Supply Retail|Baustoffhandel|Predaj stavebnín",
    "Business Services|Unternehmensdienste|Podnikové služby",
    "Consulting|Beratung|Poradenstvo",
    "Consumer Services|Dienste für Verbraucher|Služby spotrebiteľom",
    "Design, Direction and Creative Management"
    "|Design und Kreativleitung|Dizajn a kreatívne riadenie",
    "Distributors, Dispatchers and Processors|Vertrieb und Versand|Distribúcia a expedícia",
    "Doctor's Offices and Clinics|Arztpraxen und Kliniken|Ambulancie a kliniky",
    "Durable Manufacturing|Fertigung langlebiger Güter|Výroba tovaru dlhodobej spotreby",
    "Eating and Drinking Places|Gastronomie|Reštaurácie a bary",
    "Entertainment Retail|Unterhaltungshandel|Predaj zábavy",
    "Equipment Rental and Leasing|Vermietung und Leasing|Prenájom a lízing zariadení",
    "Financial|Finanzen|Financie",
    "Food and Tobacco Processing|Nahrungs- und Tabakverarbeitung|Spracovanie potravín a tabaku",
    "Inbound Capital Intensive Processing"
    "|Kapitalintensive Verarbeitung|Kapitálovo náročné spracovanie",
    "Inbound Repair and Services|Reparatur und Service|Opravy a servis",
    "Insurance|Versicherung|Poisťovníctvo",
    "Legal Services|Rechtsberatung|Právne služby",
    "Non-Durable Merchandise Retail|Handel mit Verbrauchsgütern|Predaj spotrebného tovaru",
    "Outbound Consumer Service|Kundendienst vor Ort|Služby u spotrebiteľa",
    "Petrochemical Extraction and Distribution|Petrochemie|Petrochémia",
    "Service Retail|Dienstleistungshandel|Maloobchodné služby",
    "SIG Affiliations|Interessenverbände|Záujmové združenia",
    "Social Services|Soziale Dienste|Sociálne služby",
    "Special Outbound Trade Contractors|Handwerk|Remeselné práce",
    "Specialty Realty|Immobilien|Nehnuteľnosti",
    "Transportation|Transport|Doprava",
    "Utility Creation and Distribution|Versorgungswirtschaft|Verejné siete",
    "Vehicle Retail|Fahrzeughandel|Predaj vozidiel",
    "Wholesale|Großhandel|Veľkoobchod",
)
PAYMENT_TERMS = (
    "Net 30|30 Tage netto|Splatnosť 30 dní",
    "2% 10, Net 30|10 Tage 2 %, 30 Tage netto|2 % do 10 dní, splatnosť 30 dní",
    "Net 45|45 Tage netto|Splatnosť 45 dní",
    "Net 60|60 Tage netto|Splatnosť 60 dní",
)
LEAD_SOURCES = (
    "Advertisement|Anzeige|Inzerát",
    "Employee Referral|Mitarbeiterempfehlung|Odporúčanie zamestnanca",
    "External Referral|Externe Empfehlung|Externé odporúčanie",
    "Partner|Partner|Partner",
    "Public Relations|Öffentlichkeitsarbeit|Vzťahy s verejnosťou",
    "Seminar|Seminar|Seminár",
    "Trade Show|Messe|Veľtrh",
    "Web|Internet|Web",
    "Word of Mouth|Mündliche Empfehlung|Ústne odporúčanie",
    "Other|Sonstiges|Iné",
)
PURCHASE_TIMES = (
    "Immediate|Sofort|Okamžite",
    "This Quarter|Dieses Quartal|Tento štvrťrok",
    "Next Quarter|Nächstes Quartal|Budúci štvrťrok",
    "This Year|Dieses Jahr|Tento rok",
    "Unknown|Unbekannt|Neznáme",
)
PURCHASE_WAYS = (
    "Individual|Einzelperson|Jednotlivec",
    "Committee|Gremium|Komisia",
    "Unknown|Unbekannt|Neznáme",
)
BUDGETS = (
    "No Committed Budget|Kein zugesagtes Budget|Bez schváleného rozpočtu",
    "May Buy|Kauft möglicherweise|Možno kúpi",
    "Can Buy|Kann kaufen|Môže kúpiť",
    "Will Buy|Wird kaufen|Kúpi",
)
NEEDS = (
    "Must have|Muss|Nutné",
    "Should have|Soll|Žiaduce",
    "Good to have|Kann|Vítané",
    "No need|Kein Bedarf|Netreba",
)
CONTACTED = ("Contacted|Kontaktiert|Kontaktovaný", "Not Contacted|Nicht kontaktiert|Nekontaktovaný")
