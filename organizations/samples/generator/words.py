"""Words of fictitious people, companies, places and notes, in the languages of four cultures."""

from __future__ import annotations

from typing import NamedTuple


class Culture(NamedTuple):
    """Given names of women and men, family names of each, and how they are addressed.

    Names are separated by blanks; `given/written` pairs a name with its Latin spelling.
    """

    women: str
    men: str
    families_of_women: str
    families_of_men: str
    titles: tuple[str, str]
    family_first: bool = False


CULTURES = (
    Culture(
        "Anna Clara Heike Jörgine Käthe Lena Mareike Sabine Ursula Zoë",
        "Björn Dieter Günther Jürgen Lukas Moritz Rüdiger Stefan Uwe Wolfgang",
        "Bäcker Fuchs Grün Hübner Jäger Krämer Müller Schäfer Schröder Weiß Zöllner",
        "Bäcker Fuchs Grün Hübner Jäger Krämer Müller Schäfer Schröder Weiß Zöllner",
        ("Frau", "Herr"),
    ),
    Culture(
        "Alžbeta Božena Daniela Eliška Jarmila Katarína Ľudmila Mária Žofia Zuzana",
        "Branislav Dušan Ján Jozef Ľuboš Matúš Ondrej Štefan Tomáš Vladimír",
        "Baláková Dvorská Hrušková Kováčová Lišková Mináriková Novotná Šimková Vargová Žáková",
        "Balák Dvorský Hruška Kováč Liška Minárik Novotný Šimko Varga Žák",
        ("pani", "pán"),
    ),
    Culture(
        "Alice Beatrice Charlotte Fiona Grace Imogen Naomi Olivia Ruth Siobhán",
        "Alan Charles Desmond Edward Gareth Henry Isaac Liam Oscar Thomas",
        "Ashdown Brookes Carrington Fairweather Hartley Kettering Langford O'Malley Winslow",
        "Ashdown Brookes Carrington Fairweather Hartley Kettering Langford O'Malley Winslow",
        ("Ms.", "Mr."),
    ),
    Culture(
        "葵/aoi 花子/hanako 美咲/misaki さくら/sakura 結衣/yui",
        "健太/kenta 大翔/hiroto 翔/sho 拓海/takumi 雄一/yuichi",
        "田中/tanaka 山本/yamamoto 小林/kobayashi 渡辺/watanabe 森/mori",
        "田中/tanaka 山本/yamamoto 小林/kobayashi 渡辺/watanabe 森/mori",
        ("様", "様"),
        family_first=True,
    ),
)


class Place(NamedTuple):
    """A city: with its region, country, post code, position, dialling code and some streets."""

    city: str
    region: str
    country: str
    post_code: str
    latitude: float
    longitude: float
    dial: str
    streets: tuple[str, ...]


_DE = ("Hauptstraße {}", "Gärtnerweg {}", "Am Mühlbach {}", "Königsallee {}")
_SK = ("Hlavná {}", "Mlynská {}", "Námestie slobody {}", "Čerešňová {}")
_EN = ("{} Oak Avenue", "{} Station Road", "{} Harbour Street", "{} King's Lane")
_JA = ("中央{}丁目", "本町{}丁目", "緑が丘{}番地")

PLACES = (
    Place("München", "Bayern", "Deutschland", "80331", 48.13743, 11.57549, "+49 89", _DE),
    Place("Köln", "Nordrhein-Westfalen", "Deutschland", "50667", 50.93753, 6.96028, "+49 221", _DE),
    Place("Würzburg", "Bayern", "Deutschland", "97070", 49.79130, 9.95340, "+49 931", _DE),
    Place("Zürich", "Zürich", "Schweiz", "8001", 47.37689, 8.54169, "+41 44", _DE),
    Place("Wien", "Wien", "Österreich", "1010", 48.20849, 16.37208, "+43 1", _DE),
    Place(
        "Bratislava", "Bratislavský kraj", "Slovensko", "811 01", 48.14816, 17.10674, "+421 2", _SK
    ),
    Place("Košice", "Košický kraj", "Slovensko", "040 01", 48.71395, 21.25808, "+421 55", _SK),
    Place("Žilina", "Žilinský kraj", "Slovensko", "010 01", 49.22315, 18.73941, "+421 41", _SK),
    Place(
        "Banská Štiavnica",
        "Banskobystrický kraj",
        "Slovensko",
        "969 01",
        48.45861,
        18.89310,
        "+421 45",
        _SK,
    ),
    Place(
        "London", "Greater London", "United Kingdom", "EC1A 1BB", 51.50735, -0.12776, "+44 20", _EN
    ),
    Place(
        "Leeds", "West Yorkshire", "United Kingdom", "LS1 4DY", 53.80076, -1.54908, "+44 113", _EN
    ),
    Place("Boston", "MA", "United States", "02108", 42.36008, -71.05888, "+1 617", _EN),
    Place("Portland", "OR", "United States", "97204", 45.51523, -122.67839, "+1 503", _EN),
    Place("東京", "東京都", "日本", "100-0001", 35.68950, 139.69171, "+81 3", _JA),
    Place("大阪", "大阪府", "日本", "530-0001", 34.69374, 135.50218, "+81 6", _JA),
)

COMPANY_NAMES = (
    "Nordwind Alpenglück Bergkristall Silberfuchs Möwenstein Grünwald Sonnenfeld Tatran Slovblesk "
    "Zlatý-Bocian Modrá-Hviezda Riečanka Čierny-Kameň Bluebird Evergreen Fairhaven Ironbridge "
    "Kestrel Lighthouse Meadowbrook Northgate Oakhurst Redwood Stonefield Thornbury Westwind "
    "桜 富士見 青空 大和 Årsund Ørsted-Vik Señorío Château-Vert"
)
COMPANY_TRADES = (
    "Logistik Maschinenbau Solartechnik Großhandel Software Strojárne Potraviny Doprava Stavby "
    "Consulting Foods Instruments Marine Media Outfitters Robotics Textiles Timber 商事 製作所 電機"
)
LEGAL_FORMS = ("GmbH", "AG", "KG", "s. r. o.", "a. s.", "Ltd", "plc", "Inc.", "LLC", "株式会社")

JOBS = (
    "Geschäftsführerin",
    "Einkaufsleiter",
    "Nákupca",
    "Konateľ",
    "Vedúca skladu",
    "Purchasing Manager",
    "Chief Technology Officer",
    "Sales Representative",
    "Accountant",
    "営業部長",
    "Service Engineer",
)
DEPARTMENTS = ("Einkauf", "Vertrieb", "Nákup", "Servis", "Finance", "Operations", "R&D", "総務部")
TOPICS = (
    "Interested in forklifts for the new warehouse",
    "Angebot für Solarwechselrichter (größere Stückzahl)",
    "Ponuka na prenájom žeriava – súrne",
    "Service contract renewal",
    "展示会でのお問い合わせ",
    "Wants a demo 🎉 next week",
    "Replacement of 12 pumps",
    "Dopyt po generátoroch",
)
MEETINGS = (
    "Quarterly review",
    "Besuch vor Ort – Abnahme der Anlage",
    "Obhliadka prevádzky",
    "Contract negotiation ✍️",
    "定例会議",
    "Product demonstration",
    "Školenie obsluhy",
    "Kick-off für das neue Lager",
)
ROOMS = ("Room 3", "Besprechungsraum Zugspitze", "Zasadačka 2. poschodie", "Online", "会議室A")
MACHINES = ("Titan", "Atlas", "Vega", "Komet", "Orkan", "Polaris", "Javor", "Sokol", "隼", "Lynx")
PRODUCTS = ("Electric pallet trucks", "Tichá séria čerpadiel", "Hochdruckpumpen", "省エネ発電機")
SENTENCES = (
    "Asked us to call back after the summer holidays.",
    "Prefers invoices by e-mail; the head office pays once a month.",
    "Der Kunde wünscht eine Vorführung vor Ort – möglichst im März.",
    "Rückfragen bitte nur schriftlich, Durchwahl ändert sich häufig.",
    "Zákazník má záujem o predĺženie záruky o ďalšie dva roky.",
    "Ďakujeme za rýchle vybavenie reklamácie!",
    "来月の展示会でお会いする予定です。",
    "Great conversation at the trade fair 🤝 – send the brochure 📎.",
    'Quoted prices are valid <until further notice> & exclude "special" transport.',
    "Měřítko, naïveté, smörgåsbord: the import must keep every letter.",
)
LINE = "Nr. {} – Überprüft, opravené, 確認済み ✔\n"
"""One line of the long texts; a number makes each differ."""
