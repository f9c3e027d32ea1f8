"""Words of the synthetic bank: names, towns, shops, what people say.

Here belong lists only. Everything is made up or so common that it points to nobody.
"""

#: Origin -> (share of households, surnames, first names female, first names male), each with a Latin spelling.
ORIGINS: dict[str, tuple[float, list[str], list[str], list[str]]] = {
    "de": (
        0.86,
        """Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter
        Klein Wolf Schröder Neumann Schwarz Zimmermann Braun Krüger Hofmann Hartmann Lange Schmitt Werner Krause
        Meier Lehmann Schmid Schulze Maier Köhler Herrmann König Walter Mayer Huber Kaiser Fuchs Peters Lang Scholz
        Möller Weiß Jung Hahn Schubert Vogel Friedrich Keller Günther Frank Berger Winkler Roth Beck Lorenz Baumann
        Franke Albrecht Schuster Simon Ludwig Böhm Winter Kraus Martin Schumacher Krämer Vogt Stein Jäger Otto
        Sommer Groß Seidel Heinrich Brandt Haas Schreiber Graf Schulte Dietrich Ziegler Kuhn Kühn Pohl Engel Horn
        Busch Bergmann Thomas Voigt Sauer Arnold Wolff Pfeiffer von_Hagen O'Brien Müller-Lüdenscheidt""".split(),
        """Anna Maria Ursula Monika Petra Sabine Renate Helga Karin Brigitte Ingrid Erika Andrea Gisela Claudia
        Susanne Gabriele Christa Christine Hildegard Anja Barbara Elisabeth Angelika Martina Nicole Stefanie Julia
        Katharina Lena Laura Lea Sophie Marie Hannah Emma Mia Johanna Jana Jule Käthe Zoë""".split(),
        """Peter Michael Thomas Andreas Wolfgang Klaus Jürgen Günter Stefan Christian Uwe Werner Horst Frank Dieter
        Manfred Gerhard Hans Bernd Thorsten Mathias Helmut Walter Heinz Martin Jörg Rolf Jens Sven Alexander Jan
        Rainer Holger Karl Dirk Joachim Ralf Carsten Herbert Oliver Wilhelm Kurt Markus Lukas Felix Jonas
        Björn""".split(),
    ),
    "tr": (
        0.05,
        "Yılmaz Kaya Demir Çelik Şahin Yıldız Aydın Öztürk Arslan Doğan Kılıç Aslan".split(),
        "Ayşe Fatma Emine Zeynep Elif Meryem Şerife Derya".split(),
        "Mehmet Mustafa Ahmet Ali Hüseyin Hasan İbrahim Emre Can".split(),
    ),
    "pl": (
        0.045,
        "Nowak Kowalczyk Wiśniewski Wójcik Kamiński Lewandowski Zieliński Szymański Woźniak Dąbrowski".split(),
        "Agnieszka Małgorzata Katarzyna Ewa Joanna Magdalena Zofia".split(),
        "Piotr Krzysztof Andrzej Tomasz Paweł Jan Michał Łukasz".split(),
    ),
    "vn": (
        0.025,
        "Nguyễn Trần Lê Phạm Hoàng Vũ".split(),
        "Lan Hoa Mai Linh Thảo".split(),
        "Minh Hùng Tuấn Dũng Nam".split(),
    ),
    "zh": (
        0.02,
        "王 李 张 刘 陈 杨 黄 赵".split(),
        "秀英 丽娜 芳 静 敏 婷".split(),
        "伟 强 磊 军 勇 杰".split(),
    ),
}

#: Names that are not written in Latin letters, as they would be in an e-mail address.
LATIN = {
    "王": "wang", "李": "li", "张": "zhang", "刘": "liu", "陈": "chen", "杨": "yang", "黄": "huang", "赵": "zhao",
    "秀英": "xiuying", "丽娜": "lina", "芳": "fang", "静": "jing", "敏": "min", "婷": "ting", "伟": "wei",
    "强": "qiang", "磊": "lei", "军": "jun", "勇": "yong", "杰": "jie",
}  # fmt: skip

#: Town, region, first digits of its postal codes, weight, area code and prefix reserved for fiction ('' if none).
CITIES: list[tuple[str, str, str, float, str, str]] = [
    ("Berlin", "Berlin", "10", 20, "30", "23125"),
    ("Hamburg", "Hamburg", "20", 12, "40", "66969"),
    ("München", "Bayern", "80", 11, "89", "99998"),
    ("Köln", "Nordrhein-Westfalen", "50", 10, "221", "4710"),
    ("Frankfurt am Main", "Hessen", "60", 8, "69", "90009"),
    ("Leipzig", "Sachsen", "04", 8, "", ""),
    ("Dresden", "Sachsen", "01", 7, "", ""),
    ("Stuttgart", "Baden-Württemberg", "70", 7, "", ""),
    ("Düsseldorf", "Nordrhein-Westfalen", "40", 6, "", ""),
    ("Hannover", "Niedersachsen", "30", 5, "", ""),
    ("Bremen", "Bremen", "28", 3, "", ""),
    ("Nürnberg", "Bayern", "90", 3, "", ""),
]
BRANCHES_PER_CITY = 3

STREETS = """Hauptstraße Schulstraße Gartenstraße Bahnhofstraße Dorfstraße Bergstraße Birkenweg Lindenstraße
Kirchstraße Waldstraße Ringstraße Amselweg Wiesenweg Jahnstraße Goethestraße Rosenweg Mühlenweg Feldstraße
Schillerstraße Am_Sportplatz Am_Markt Ahornweg Tannenweg Buchenallee""".split()

FIRMS = "Bäckerei Schreinerei Friseursalon Autohaus Praxis Blumenhaus Malerbetrieb Café Elektro Weinhandlung".split()
FIRM_FORMS = ["GmbH", "GbR", "e. K.", "UG (haftungsbeschränkt)", "GmbH & Co. KG"]

_FIRMS = "Nordwerk Talbau Lichthaus Kornmühle Silberbach Rheinlogistik Elbtechnik Isarmed Spreesoft Mainfracht"
EMPLOYERS = [f"{name} {form}" for name in _FIRMS.split() for form in ("AG", "GmbH", "SE")]

SHOPS = [
    "Frischemarkt Sonnental", "Frischemarkt Nord", "Drogerie Birkenhof", "Bäckerei Morgenrot", "Tankstelle Elbblick",
    "Apotheke am Ring", "Buchladen Leseecke", "Gasthaus Zum Löwen", "Kino Capitol", "Baumarkt Hammerfest",
    "Modehaus \"Chic\"", "Café Süß & Herzhaft", "Kiosk, Inh. Öztürk", "Elektronik Strom+Co", "Blumen Vergissmeinnicht",
    "Parkhaus Mitte", "Verkehrsbetriebe", "Schwimmbad West",
]  # fmt: skip
WEB_SHOPS = [
    "webkaufhaus.example",
    "streamwelt.example",
    "reisen-weit.example",
    "schuhe24.example",
    "spiele.example",
]
LANDLORDS = [
    "Wohnbau Eigenheim eG",
    "Hausverwaltung Krause",
    "Wohnungsgenossenschaft Süd",
    "Immobilien Altstadt KG",
]
UTILITIES = ["Stadtwerke Musterstadt", "Ökostrom Windig", "Fernwärme Ost", "Telefon & Netz AG"]
INSURERS = ["Versicherung Alpenrose", "Krankenkasse Vital", "Haftpflicht Direkt"]

SESSION_EVENTS: list[tuple[str, str, float]] = [
    ("view_balance", "accounts", 30), ("view_transactions", "accounts", 24), ("start_transfer", "transfers", 7),
    ("confirm_transfer", "transfers", 5), ("scan_invoice", "transfers", 2), ("view_card", "cards", 5),
    ("block_card", "cards", 0.4), ("open_depot", "investments", 4), ("place_order", "investments", 0.6),
    ("view_offer", "marketing", 4), ("chat_open", "service", 2), ("chat_message", "service", 2),
    ("change_settings", "settings", 1.5), ("find_atm", "locations", 1.5), ("view_document", "documents", 4),
    ("start_loan_request", "loans", 0.6),
]  # fmt: skip

#: Topic, queue, weight, mean seconds of handling.
TOPICS: list[tuple[str, str, float, int]] = [
    ("Karte gesperrt", "Karten", 14, 300), ("Karte bestellen", "Karten", 8, 240),
    ("Umsatz unklar", "Zahlungsverkehr", 16, 380), ("Überweisung", "Zahlungsverkehr", 14, 330),
    ("Zugang Onlinebanking", "Digital", 18, 420), ("App Störung", "Digital", 9, 400),
    ("Kreditanfrage", "Finanzierung", 6, 720), ("Gebühren", "Allgemein", 8, 360),
    ("Adresse ändern", "Allgemein", 5, 200), ("Depot", "Wertpapier", 4, 540),
]  # fmt: skip

NOTES = [
    "Kunde fragt nach; erledigt.", "Rückruf vereinbart, bitte bis Freitag prüfen.",
    "Karte gesperrt, neue bestellt.\nVersand an Anschrift im System.", 'Kunde sagt: "So geht das nicht!"',
    "TAN-Verfahren erklärt; Kunde kommt jetzt zurecht.", "Umsatz geklärt; Händlername war unbekannt.",
    "Weiter an Fachabteilung;\nUnterlagen fehlen.", "Gespräch beendet, keine Maßnahme nötig.",
    "Müsste nächste Woche nochmal anrufen.", "Gebühr aus Kulanz erstattet (4,90).",
]  # fmt: skip
PRAISE = [
    "Alles bestens, danke!", "Sehr freundlich und schnell.", "Great service, thank you.", "服务很好，谢谢。",
    "Die App ist übersichtlich; weiter so.", "Schnelle Hilfe am Telefon, \"top\"!",
]  # fmt: skip
NEUTRAL = [
    "Ganz okay.",
    "Geht so; nichts Besonderes.",
    "It was fine.",
    "Könnte schneller sein,\naber in Ordnung.",
]
BLAME = [
    "Viel zu lange in der Warteschleife!", "Dreimal angerufen, dreimal eine andere Antwort.",
    "等了很久，没有人接电话。",
    "Gebühren zu hoch, Beratung fehlt.", "The app keeps crashing; nobody helps.", "Nie wieder.\nIch wechsle die Bank.",
]  # fmt: skip
#: Product, issue (coded as the topics of calls are, where there is such a topic), text.
COMPLAINTS: list[tuple[str, str, str]] = [
    ("Girokonto", "Gebühren", "Mir wurden Gebühren berechnet, die so nicht vereinbart waren."),
    (
        "Girokonto",
        "Überweisung",
        "Meine Überweisung kam fünf Tage zu spät an; das hat mich Mahngebühren gekostet.",
    ),
    ("Karte", "Karte gesperrt", "Die Karte wurde ohne Grund gesperrt.\nIm Urlaub stand ich ohne Geld da!"),
    ("Karte", "Umsatz unklar", 'Auf der Abrechnung steht "WEBKAUFHAUS", dort war ich nie.'),
    ("App", "Zugang Onlinebanking", "Seit dem letzten Update kann ich mich nicht mehr anmelden; die App stürzt ab."),
    ("Kredit", "Kreditanfrage", "Seit sechs Wochen warte ich auf eine Antwort zu meinem Antrag."),
    ("Service", "Wartezeit", "45 Minuten Warteschleife, dann wurde aufgelegt."),
    ("Depot", "Depot", "Die Order wurde nicht ausgeführt, obwohl der Kurs erreicht war."),
    ("Service", "Freundlichkeit", "我打了三次电话，每次答复都不一样。"),
]
DECISIONS = [
    "Gebühr erstattet",
    "Entschuldigung und Gutschrift",
    "Abgelehnt, Bedingungen erklärt",
    "Fehler behoben",
]
