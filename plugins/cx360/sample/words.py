"""Words of the synthetic bank: names, towns, shops, what people say.

Here belong lists only. Everything is made up or so common that it points to nobody.
"""

#: Origin -> (share of households, surnames, first names female, first names male).
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
        Katharina Lena Laura Lea Sophie Marie Hannah Emma Mia Johanna Jana Jule Käthe Zoë Anne Juliane Michaela
        Franziska Theresa Clara Charlotte Luisa Paula Greta Ida Frieda Mathilda Nele Pia Sarah Sandra Silke Silvia
        Sonja Tanja Ulrike Ute Vera Verena Veronika Viktoria Yvonne Regina Rita Rosemarie Ruth Margarete Margit Marlene
        Melanie Miriam Nadine Natalie Kerstin Kirsten Iris Irene Ilse Heike Heidi Hedwig Gudrun Gertrud Friederike
        Eva Elke Edith Doris Dorothea Diana Daniela Cornelia Carola Bettina Birgit Beate Annika Annette
        Anneliese""".split(),
        """Peter Michael Thomas Andreas Wolfgang Klaus Jürgen Günter Stefan Christian Uwe Werner Horst Frank Dieter
        Manfred Gerhard Hans Bernd Thorsten Mathias Helmut Walter Heinz Martin Jörg Rolf Jens Sven Alexander Jan
        Rainer Holger Karl Dirk Joachim Ralf Carsten Herbert Oliver Wilhelm Kurt Markus Lukas Felix Jonas Björn
        Johannes Johann Maximilian Sebastian Benjamin Daniel David Dennis Dominik Eduard Emil Erich Ernst Erwin Fabian
        Finn Florian Franz Friedrich Fritz Georg Gregor Hannes Harald Heiko Heinrich Henry Hermann Hubert Ingo Jakob
        Jochen Josef Julian Justus Kai Kevin Konrad Konstantin Lars Leon Leonhard Ludwig Lutz Marcel Marco Mario Marvin
        Max Moritz Nico Nils Norbert Olaf Otto Patrick Paul Philipp Reinhard Richard Robert Roland Rüdiger Siegfried
        Simon Steffen Theodor Tim Tobias Udo Ulrich Volker Volkmar Wilfried Winfried""".split(),
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
        "王 李 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 郭 何 林 高 罗 郑 梁 谢 宋".split(),
        """秀英 丽娜 芳 静 敏 婷 丽 燕 雪 玲 秀兰 桂英 玉梅 红梅 海燕 晓红 美玲 雪梅 文静 雨婷 佳慧 思雨 欣怡 梦洁 春花
        慧敏""".split(),
        """伟 强 磊 军 勇 杰 涛 明 超 刚 建国 建华 志强 志明 海涛 晓明 文杰 俊杰 国强 春生 家豪 子轩 浩然 宇航 天明
        立新""".split(),
    ),
}

#: The many surnames that few have: each stem with each ending.
SURNAME_STEMS = """Alten Asch Bach Berg Birken Blumen Brand Breiten Bruch Buchen Burg Dorn Eichen Eber Erlen Falken Feld
    Felsen Fichten Finken Forst Frauen Gersten Gold Grün Haber Hain Hammer Hasel Heiden Hirsch Hohen Holz Hopfen Kalten
    Kirch Kloster Korn Kreuz Lauten Linden Lohr Mühl Nieder Ober Ochsen Reben Reichen Rosen Rot Sand Schön Silber Sonnen
    Stein Stern Stock Tal Tannen Unter Vogel Wald Wein Weiden Wiesen Winter Wolfs""".split()
SURNAME_ENDINGS = """berger bauer mann meier müller hofer huber brunner kamp felder holz thaler wald eck ner
    reiter""".split()

#: Given names of twins that sound alike.
SIMILAR = [
    ("Anna", "Anne"), ("Julia", "Juliane"), ("Lena", "Lea"), ("Maria", "Marie"), ("Jana", "Johanna"),
    ("Christine", "Christa"), ("Annika", "Annette"), ("Kerstin", "Kirsten"), ("Jonas", "Johannes"), ("Jan", "Jens"),
    ("Tim", "Tobias"), ("Max", "Maximilian"), ("Marco", "Mario"), ("Stefan", "Stefanie"), ("Michael", "Michaela"),
    ("Andreas", "Andrea"), ("Christian", "Christine"), ("Daniel", "Daniela"),
]  # fmt: skip

#: Short forms that find their way into records.
NICKNAMES = {
    "Alexander": "Alex", "Andreas": "Andi", "Angelika": "Geli", "Barbara": "Babsi", "Benjamin": "Ben",
    "Brigitte": "Gitte", "Charlotte": "Lotte", "Christian": "Chris", "Christine": "Tine", "Claudia": "Claudi",
    "Daniel": "Dani", "Daniela": "Dani", "Elisabeth": "Lisa", "Franziska": "Franzi", "Friedrich": "Fritz",
    "Gabriele": "Gabi", "Gerhard": "Gerd", "Hans": "Hansi", "Heinrich": "Heinz", "Hildegard": "Hilde",
    "Joachim": "Achim", "Johanna": "Hanna", "Johannes": "Hannes", "Josef": "Sepp", "Jürgen": "Jogi",
    "Katharina": "Kathi", "Klaus": "Klausi", "Konstantin": "Kosta", "Leonhard": "Leo", "Ludwig": "Lutz",
    "Manfred": "Manni", "Margarete": "Grete", "Martina": "Tina", "Mathias": "Matze", "Maximilian": "Max",
    "Michael": "Michi", "Michaela": "Michi", "Monika": "Moni", "Nicole": "Nicki", "Oliver": "Olli",
    "Peter": "Pit", "Philipp": "Phil", "Rosemarie": "Rosi", "Sabine": "Bine", "Sebastian": "Basti",
    "Stefanie": "Steffi", "Susanne": "Susi", "Theresa": "Resi", "Thomas": "Tom", "Thorsten": "Toto",
    "Tobias": "Tobi", "Ulrich": "Uli", "Ursula": "Uschi", "Veronika": "Vroni", "Viktoria": "Vicky",
    "Wilhelm": "Willi", "Wolfgang": "Wolle", "Krzysztof": "Krzysiek", "Katarzyna": "Kasia",
    "Małgorzata": "Gosia", "Agnieszka": "Aga", "Mustafa": "Musti", "Mehmet": "Memo",
}  # fmt: skip

#: Characters of Chinese names in Latin letters, as a passport has them.
PINYIN = {
    "王": "wang", "李": "li", "张": "zhang", "刘": "liu", "陈": "chen", "杨": "yang", "黄": "huang", "赵": "zhao",
    "吴": "wu", "周": "zhou", "徐": "xu", "孙": "sun", "马": "ma", "朱": "zhu", "胡": "hu", "郭": "guo", "何": "he",
    "林": "lin", "高": "gao", "罗": "luo", "郑": "zheng", "梁": "liang", "谢": "xie", "宋": "song",
    "秀": "xiu", "英": "ying", "丽": "li", "娜": "na", "芳": "fang", "静": "jing", "敏": "min", "婷": "ting",
    "燕": "yan", "雪": "xue", "玲": "ling", "兰": "lan", "桂": "gui", "玉": "yu", "梅": "mei", "红": "hong",
    "海": "hai", "晓": "xiao", "美": "mei", "文": "wen", "雨": "yu", "佳": "jia", "慧": "hui", "思": "si", "欣": "xin",
    "怡": "yi", "梦": "meng", "洁": "jie", "春": "chun", "花": "hua", "伟": "wei", "强": "qiang", "磊": "lei",
    "军": "jun", "勇": "yong", "杰": "jie", "涛": "tao", "明": "ming", "超": "chao", "刚": "gang", "建": "jian",
    "国": "guo", "华": "hua", "志": "zhi", "俊": "jun", "生": "sheng", "家": "jia", "豪": "hao", "子": "zi",
    "轩": "xuan", "浩": "hao", "然": "ran", "宇": "yu", "航": "hang", "天": "tian", "立": "li", "新": "xin",
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
