"""People of the synthetic bank: households, names, numbers, and the party records that tell of them.

Here belongs who exists and what the masters say about them. What people do belongs in ``money``, ``channels`` and
``experience``.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cx360.sample import words
from cx360.sample.bank import (
    NEVER,
    Bools,
    Feed,
    Ints,
    Plan,
    days_text,
    digits,
    join,
    master_slot,
    moment_text,
    nothing,
    pick,
    slots,
    weighted,
    where,
)

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass
class People:
    """Everybody, one element a person; then the telephone numbers, one element a number."""

    n: int
    household: Ints
    place: Ints  # in the household: 0 and 1 are the adults
    born: Ints  # day
    female: Bools
    adult: Bools
    city: Ints
    branch: Ints
    since: Ints  # day the relationship began
    leave: Ints  # planted: last day of acting, or NEVER
    gone: Ints  # day the relationship and its accounts end, or NEVER
    first: "pa.Array"
    last: "pa.Array"
    email: "pa.Array"  # null if none
    new_email: "pa.Array"
    street: "pa.Array"
    postcode: "pa.Array"
    document: "pa.Array"
    mobile: Ints  # index of the number, -1 if none
    landline: Ints
    branch_phone: Ints
    new_mobile: Ints  # number from ``mobile_change`` on
    mobile_change: Ints  # day, or NEVER
    email_change: Ints
    move: Ints
    death: Ints
    new_street: "pa.Array"
    area: "pa.Array"  # of each number: area or network code without 0
    subscriber: "pa.Array"
    recycled: Ints  # pairs: who dropped a number, who got it later (2, n)

    @property
    def last_day(self) -> Ints:
        """Last day each may act."""
        return np.minimum(self.leave, self.death - 1)

    def mobile_on(self, person: Ints, day: Ints) -> Ints:
        """Number a person has on a day, -1 if none."""
        return np.where(day >= self.mobile_change[person], self.new_mobile[person], self.mobile[person])


@dataclass
class Parties:
    """Party records: one element a record, persons first, then firms, then further records of the same people."""

    id: "pa.Array"
    person: Ints  # index of the person; firms are -1
    owner: Ints  # who runs the firm, or the person
    main: Ints  # of each person: index of the first record
    twin: Ints  # of each person: another record, or the first
    created: Ints  # day of each record's first version


def _households(plan: Plan, rng: np.random.Generator) -> tuple[Ints, Ints]:
    sizes = weighted(rng, plan.settings["people"]["household_sizes"], plan.customers) + 1
    ends = np.cumsum(sizes)
    person = np.arange(plan.customers)
    household = np.searchsorted(ends, person, side="right")
    return household, person - (ends - sizes)[household]


def _ages(rng: np.random.Generator, household: Ints, place: Ints, child: Bools) -> Ints:
    """Years of age; children are 20 to 38 years younger than the head."""
    n = len(household)
    head = np.clip(rng.normal(47, 17, n), 21, 92)[np.searchsorted(household, household)]
    family = np.bincount(household)[household] > 2
    head = np.where(family, 30 + (head - 21) * 0.4, head)
    years = np.where(place == 1, head + rng.normal(0, 4, n), head)
    return np.where(child, np.clip(head - rng.uniform(20, 38, n), 7, 26), np.clip(years, 19, 95)).astype(np.int64)


def latin(text: "pa.Array") -> "pa.Array":
    """Lower case, Latin letters only, as in an e-mail address."""
    import pyarrow.compute as pc

    for name, spelling in words.LATIN.items():
        text = pc.replace_substring(text, name, spelling)
    text = pc.utf8_lower(text)
    for letter, plain in {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ı": "i", "ł": "l"}.items():
        text = pc.replace_substring(text, letter, plain)
    text = pc.utf8_normalize(text, "NFD")
    return pc.replace_substring_regex(pc.replace_substring(text, "đ", "d"), "[^a-z]", "")


def _names(
    rng: np.random.Generator, household: Ints, place: Ints, female: Bools, child: Bools
) -> tuple["pa.Array", "pa.Array"]:
    """First and last names; a household has one origin and mostly one surname."""
    import pyarrow as pa

    n = len(household)
    origins = list(words.ORIGINS.values())
    origin = weighted(rng, [o[0] for o in origins], n)[np.searchsorted(household, household)]
    own = (place == 1) & (rng.random(n) < 0.25)
    seat = np.where(own, np.arange(n), np.searchsorted(household, household))
    firsts: list[str] = []
    lasts: list[str] = []
    first, last = np.zeros(n, np.int64), np.zeros(n, np.int64)
    draw_first, draw_last = rng.random(n) ** 1.3, (rng.random(n) ** 1.6)[seat]  # some names are frequent
    for k, (_, surnames, women, men) in enumerate(origins):
        here = origin == k
        of_sex = np.where(female, (draw_first * len(women)), len(women) + draw_first * len(men)).astype(np.int64)
        first[here] = len(firsts) + of_sex[here]
        last[here] = len(lasts) + (draw_last * len(surnames)).astype(np.int64)[here]
        firsts += women + men
        lasts += surnames
    text = [name.replace("_", " ") for name in lasts]
    return pick(pa.array(firsts), first), pick(pa.array(text), last)


def _streets(rng: np.random.Generator, n: int) -> "pa.Array":
    names = [s.replace("_", " ") for s in words.STREETS]
    return join(pick(names, rng.integers(0, len(names), n)), digits(rng.integers(1, 140, n)), separator=" ")


def _numbers(rng: np.random.Generator, n: int, home_city: Ints) -> tuple["pa.Array", "pa.Array"]:
    """Numbers by index: mobiles of people, landlines of households, branches, then new mobiles of people.

    Landlines extend the ranges the German regulator reserves for films and books; mobiles are made up inside
    0176 0xxxxxxx, around the range it reserves there.
    """
    import pyarrow as pa

    shift = int(rng.integers(0, 10**7))
    mobile = (np.arange(2 * n) * 7654321 + shift) % 10**7
    fixed = np.arange(len(home_city)) * 54321 % 10**5
    branches = np.repeat(np.arange(len(words.CITIES)), words.BRANCHES_PER_CITY)
    areas = [c[4] or words.CITIES[0][4] for c in words.CITIES]
    prefixes = [c[5] or words.CITIES[0][5] for c in words.CITIES]
    area = pa.concat_arrays(
        [pick(["176"], np.zeros(n, np.int64)), pick(areas, home_city), pick(areas, branches),
         pick(["176"], np.zeros(n, np.int64))]
    )  # fmt: skip
    subscriber = pa.concat_arrays(
        [
            join("0", digits(mobile[:n], 7)),
            join(pick(prefixes, home_city), digits(fixed, 5)),
            join(pick(prefixes, branches), digits(np.arange(len(branches)), 3)),
            join("0", digits(mobile[n:], 7)),
        ]
    )
    return area, subscriber


def phone_text(people: People, number: Ints, form: Ints) -> "pa.Array":
    """Telephone numbers as people write them; ``form`` 0 to 5 is the way of writing, null where ``number`` < 0."""
    area, rest = pick(people.area, number), pick(people.subscriber, number)
    ways = [
        join("+49 ", area, " ", rest), join("0", area, " ", rest), join("0", area, "/", rest),
        join("0049", area, rest), join("+49", area, rest), join("(0", area, ") ", rest),
    ]  # fmt: skip
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.choose(pa.array(form), *ways)


def _email(rng: np.random.Generator, first: "pa.Array", last: "pa.Array", n: int) -> "pa.Array":
    domain = ["example.com", "example.org", "example.net"]
    number = (np.arange(n) * 7919 + int(rng.integers(0, 9000))) % max(10_000, n * 2 + 1)
    return join(latin(first), ".", latin(last), digits(number), "@", pick(domain, rng.integers(0, 3, n)))


def _recycle(plan: Plan, rng: np.random.Generator, mobile: Ints, calm: Bools) -> Ints:
    """Pairs of people: the first drops a number, the second gets it later."""
    able = np.flatnonzero((mobile >= 0) & calm)
    pairs = max(1, round(plan.settings["people"]["recycled_number"] * plan.customers))
    if plan.days < 40 or len(able) < 2 * pairs:
        return np.zeros((2, 0), np.int64)
    return rng.permutation(able)[: 2 * pairs].reshape(2, pairs)


def _leavers(plan: Plan, rng: np.random.Generator, able: Bools) -> tuple[Ints, Ints]:
    """(last day of acting, day everything is closed) of each person; NEVER for those who stay."""
    facts, n = plan.settings["planted"]["leavers"], len(able)
    goes = able & (rng.random(n) < facts["share"])
    goes = goes if goes.any() else able & (np.cumsum(able) == 1)
    low, high = plan.day_at(facts["from_share_of_days"]), plan.day_at(facts["until_share_of_days"])
    leave = np.where(goes & plan.plant, rng.integers(low, high + 1, n), NEVER)
    closes = (leave < NEVER) & (rng.random(n) < facts["closes_account"])
    return leave, np.where(closes, leave + 14 + rng.integers(0, 21, n), NEVER)


def _new_mobiles(
    plan: Plan, rng: np.random.Generator, mobile: Ints, fresh: Ints, span: Ints, calm: Bools, adult: Bools
) -> tuple[Ints, Ints, Ints]:
    """(new number, day of the change, recycled pairs); ``calm`` are those who may change, ``span`` a day for each."""
    pairs = _recycle(plan, rng, mobile, calm & adult)
    changes = (rng.random(len(mobile)) < plan.settings["people"]["new_phone"]) & calm & (mobile >= 0)
    day, number = np.where(changes, span, NEVER), np.where(changes, fresh, mobile)
    dropped = plan.day_at(0.2) + rng.integers(0, max(1, plan.days // 10), pairs.shape[1])
    day[pairs[0]], number[pairs[0]] = dropped, fresh[pairs[0]]
    day[pairs[1]] = dropped + rng.integers(max(1, plan.days // 4), max(2, plan.days // 2), pairs.shape[1])
    number[pairs[1]] = mobile[pairs[0]]
    return number, day, pairs


def _mailboxes(
    plan: Plan,
    rng: np.random.Generator,
    household: Ints,
    place: Ints,
    names: tuple["pa.Array", "pa.Array"],
    child: Bools,
) -> "pa.Array":
    """Address of each person, some couples' a common one; null for those without."""
    p, n = plan.settings["people"], len(household)
    head = np.searchsorted(household, household)
    own = _email(rng, *names, n)
    family = join("familie.", latin(names[1].take(head)), digits(household), "@example.org")
    couple = (place <= 1) & (np.bincount(household)[household] > 1)
    shares = couple & (rng.random(n)[head] < p["family_email"])
    return where((rng.random(n) > p["email"]) | child, None, where(shares, family, own))


def _documents(plan: Plan, rng: np.random.Generator, grown: Bools) -> "pa.Array":
    """Made-up numbers of identity cards; null for those without."""
    n = len(grown)
    letter = pick(list("CFGHJKLMNPRTVWXYZ"), rng.integers(0, 17, n))
    number = join("PA L", letter, digits(np.arange(n) * 7919 % 10**7, 7))
    return where((rng.random(n) < plan.settings["people"]["document"]) & grown, number, None)


def _women(rng: np.random.Generator, head: Ints, partner: Bools) -> Bools:
    """Who is a woman; most partners are of the other sex than the head."""
    n = len(head)
    female = rng.random(n) < 0.51
    return np.where(partner & (rng.random(n) < 0.94), ~female[head], female)


def make_people(plan: Plan) -> People:
    """Draw everybody: ``plan.customers`` persons in households."""
    rng, p, n = plan.rng("people"), plan.settings["people"], plan.customers
    household, place = _households(plan, rng)
    head = np.searchsorted(household, household)
    child = (place > 1) | ((place == 1) & (rng.random(n)[head] > p["partner"]))
    age = _ages(rng, household, place, child)
    adult, born = age >= 18, plan.last - age * 365 - age // 4 - rng.integers(0, 365, n)
    female = _women(rng, head, (place == 1) & ~child)
    first, last = names = _names(rng, household, place, female, child)
    city = weighted(rng, [c[3] for c in words.CITIES], n)[head]
    branch = city * words.BRANCHES_PER_CITY + rng.integers(0, words.BRANCHES_PER_CITY, n)[head]
    since = np.maximum(plan.first - 30 - rng.exponential(3000, n).astype(np.int64), born + 200)
    joins = rng.random(n) < p["new_customer"]
    since = np.where(joins, rng.integers(plan.first, plan.last - 1, n), since)
    # What happens to people in the period: at most one thing each.
    leave, gone = _leavers(plan, rng, adult & ~joins)
    calm = ~joins & (leave == NEVER)
    death = np.where(calm & adult & (rng.random(n) < p["dies"]), rng.integers(plan.first + 1, plan.last - 1, n), NEVER)
    calm &= death == NEVER

    homes = np.unique(household)
    mobile = np.where((rng.random(n) < p["mobile"]) & (age >= 12), np.arange(n), -1)
    has_line = (rng.random(n)[head] < p["landline"]) & np.array([bool(c[5]) for c in words.CITIES])[city]
    area, subscriber = _numbers(rng, n, city[np.searchsorted(household, homes)])
    fresh = n + len(homes) + len(words.CITIES) * words.BRANCHES_PER_CITY + np.arange(n)
    span = rng.integers(plan.first + 1, plan.last, n)
    new_mobile, mobile_change, pairs = _new_mobiles(plan, rng, mobile, fresh, span, calm, adult)
    calm &= mobile_change == NEVER
    draw = rng.random(n)
    moves = calm & (draw < p["moves"])
    mails = calm & ~moves & (draw < p["moves"] + p["new_email"])
    return People(
        n=n,
        household=household,
        place=place,
        born=born,
        female=female,
        adult=adult,
        city=city,
        branch=branch,
        since=since,
        leave=leave,
        gone=gone,
        first=first,
        last=last,
        email=_mailboxes(plan, rng, household, place, names, age < 12),
        new_email=_email(rng, first, nothing(n).fill_null("neu"), n),
        street=_streets(rng, n).take(head),
        postcode=join(pick([c[2] for c in words.CITIES], city), digits(rng.integers(0, 1000, n), 3).take(head)),
        document=_documents(plan, rng, age >= 16),
        mobile=mobile,
        landline=np.where(has_line, n + household, -1),
        branch_phone=n + len(homes) + branch,
        new_mobile=new_mobile,
        mobile_change=mobile_change,
        email_change=np.where(mails, span, NEVER),
        move=np.where(moves, span, NEVER),
        death=death,
        new_street=_streets(rng, n),
        area=area,
        subscriber=subscriber,
        recycled=pairs,
    )


def make_parties(plan: Plan, people: People) -> Parties:
    """Number the party records: one a person, firms, and further records of some people."""
    rng, p, n = plan.rng("parties/records"), plan.settings["people"], people.n
    old = np.flatnonzero(people.adult & (people.since < plan.first))
    firms = rng.choice(old, min(len(old), max(1, round(p["organisation"] * n))), replace=False)
    twice = np.sort(rng.choice(old, min(len(old), max(1, round(p["duplicate_record"] * n))), replace=False))
    thrice = twice[rng.random(len(twice)) < p["third_record"] / p["duplicate_record"]]
    more = np.concatenate([twice, thrice])
    total = n + len(firms) + len(more)
    number = (np.arange(total) * 61_343 + int(rng.integers(0, 10**6))) % max(1_000_003, total * 3 + 1) + 1_000_000
    # The card system numbers on its own; other twins come from the same master, typed in twice.
    prefix = np.concatenate([np.zeros(n + len(firms), np.int64), rng.integers(0, 2, len(more))])
    person = np.concatenate([np.arange(n), np.full(len(firms), -1), more])
    twin = np.arange(n)
    twin[twice] = n + len(firms) + np.arange(len(twice))
    owner = np.concatenate([np.arange(n), firms, more])
    # Most further records are older than the period, some were made within it.
    age = np.where(np.arange(total) < n + len(firms), plan.first, plan.history) - rng.integers(1, 900, total)
    created = np.maximum(people.since[owner], age)
    return Parties(
        join(pick(["K", "CS"], prefix), digits(number)), person, owner, np.arange(n), twin,
        created,
    )  # fmt: skip


def _typo(rng: np.random.Generator, text: "pa.Array", kind: Ints) -> "pa.Array":
    """Names as somebody else wrote them: 0 as they are, 1 a letter lost, 2 two swapped, 3 no umlauts, 4 capitals."""
    import pyarrow as pa
    import pyarrow.compute as pc

    def cut(start: int, stop: int | None = None) -> "pa.Array":
        return pc.utf8_slice_codeunits(text, start, stop)

    plain = text
    for letter, two in {
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "ß": "ss",
        "Ö": "Oe",
        "ı": "i",
        "ş": "s",
        "ł": "l",
    }.items():
        plain = pc.replace_substring(plain, letter, two)
    long_enough = pc.greater(pc.utf8_length(text), 3)
    lost = pc.if_else(long_enough, join(cut(0, 2), cut(3)), text)
    swapped = pc.if_else(long_enough, join(cut(0, 1), cut(2, 3), cut(1, 2), cut(3)), text)
    return pc.choose(pa.array(kind), text, lost, swapped, plain, pc.utf8_upper(text))


def _phone_on_record(plan: Plan, rng: np.random.Generator, people: People, owner: Ints) -> "pa.Array":
    """Number in each record, as somebody wrote it: one's own, the family's, the branch's, none, or no number at all."""
    p, total = plan.settings["people"], len(owner)
    line = people.landline[owner]
    head = np.searchsorted(people.household, people.household)[owner]
    parents = np.where(people.mobile_change[head] == NEVER, people.mobile[head], -1)
    number = np.where(people.mobile[owner] < 0, np.where(line < 0, parents, line), people.mobile[owner])
    # Those who change their number in the period have it on record, so that the change shows.
    calm = people.mobile_change[owner] == NEVER
    number = np.where(calm & (line >= 0) & (rng.random(total) < p["landline_on_record"]), line, number)
    draw = rng.random(total)
    number = np.where(calm & (draw < p["no_phone_on_record"]), -1, number)
    number = np.where(calm & (draw > 1 - p["branch_phone_on_record"]), people.branch_phone[owner], number)
    phone = phone_text(people, number, rng.integers(0, 6, total))
    unusable = calm & (rng.random(total) < p["unusable_phone_on_record"])
    return where(unusable, pick(["unbekannt", "0000", "k.A."], rng.integers(0, 3, total)), phone)


def _birth_on_record(rng: np.random.Generator, born: Ints, further: Bools) -> "pa.Array":
    """Dates of birth; some further records have day and month the other way round, as on a form of another country."""
    day = born.astype("datetime64[D]")
    of_month = (day - day.astype("datetime64[M]")).astype(np.int64) + 1
    slipped = further & (rng.random(len(born)) < 0.15) & (of_month <= 12)
    return where(slipped, days_text(born, "%m.%d.%Y"), days_text(born, "%d.%m.%Y"))


def _initial(plan: Plan, people: People, parties: Parties) -> tuple["pa.Table", Ints]:
    """First version of every record, and the day it came into being."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rng = plan.rng("parties/first")
    owner, total = parties.owner, len(parties.owner)
    firm = parties.person < 0
    further = np.arange(total) >= people.n + firm.sum()
    created = parties.created
    kind = np.where(further, rng.integers(0, 5, total), 0)
    last = _typo(rng, pick(people.last, owner), np.where(rng.random(total) < 0.7, kind, 0))
    first = _typo(rng, pick(people.first, owner), np.where(rng.random(total) < 0.4, kind, 0))
    company = join(pick(words.FIRMS, rng.integers(0, len(words.FIRMS), total)), " ", pick(people.last, owner), " ",
                   pick(words.FIRM_FORMS, rng.integers(0, len(words.FIRM_FORMS), total)))  # fmt: skip

    email = pick(people.email, owner)
    email = where(further & (rng.random(total) < 0.4), None, where(further, pc.utf8_upper(email), email))
    none = nothing(total)
    born = people.born[owner]
    year = born.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    cities = [c[0] for c in words.CITIES]
    city = people.city[owner]
    document = where(further & (rng.random(total) < 0.5), None, pick(people.document, owner))
    table = pa.table(
        {
            "KUNDEN_NR": parties.id,
            "PERSONENART": pick(["N", "J"], firm.astype(np.int64)),
            "VORNAME": where(firm, none, first),
            "NACHNAME": where(firm, company, last),
            "GEBURTSDATUM": where(firm, none, _birth_on_record(rng, born, further)),
            "GEBURTSJAHR": digits(year, mask=firm),
            "GESCHLECHT": where(firm, none, pick(["M", "W"], people.female[owner].astype(np.int64))),
            "AUSWEIS_NR": where(firm, none, document),
            "TELEFON": _phone_on_record(plan, rng, people, owner),
            "EMAIL": email,
            "STRASSE": pick(people.street, owner),
            "PLZ": pick(people.postcode, owner),
            "ORT": pick(cities, city),
            "BUNDESLAND": pick([c[1] for c in words.CITIES], city),
            "FILIALE": join("F", digits(people.branch[owner] + 100)),
            "KUNDE_SEIT": days_text(np.where(further, created, people.since[owner]), "%d.%m.%Y"),
            "STATUS": pick(["A"], np.zeros(total, np.int64)),
            "WERBUNG": pick(["J", "N"], rng.integers(0, 2, total)),
            "GEAENDERT_AM": moment_text(created * 86400 + rng.integers(7 * 3600, 19 * 3600, total)),
        }
    )
    return table, created


def _later(plan: Plan, people: People, parties: Parties, table: "pa.Table", created: Ints) -> tuple["pa.Table", Ints]:
    """Second versions: moves, new numbers and addresses, deaths, relationships that ended."""
    import pyarrow as pa

    rng, n = plan.rng("parties/changes"), people.n
    gone = people.gone
    day = np.minimum.reduce([people.mobile_change, people.email_change, people.move, people.death, gone])
    # A version comes in a later file than the first one, so that no file has two of a key.
    who = np.flatnonzero((day <= plan.last) & (master_slot(plan, created[:n]) < master_slot(plan, day)))
    new = table.take(pa.array(who))
    d = day[who]

    def put(column: str, changed: Bools, value: "pa.Array | str") -> None:
        nonlocal new
        index = new.schema.get_field_index(column)
        new = new.set_column(index, column, where(changed, value, new[column].combine_chunks()))

    put(
        "TELEFON",
        people.mobile_change[who] == d,
        phone_text(people, people.new_mobile[who], rng.integers(0, 6, len(who))),
    )
    put("EMAIL", people.email_change[who] == d, pick(people.new_email, who))
    put("STRASSE", people.move[who] == d, pick(people.new_street, who))
    put("STATUS", people.death[who] == d, "V")
    put("STATUS", gone[who] == d, "G")
    put(
        "GEAENDERT_AM",
        np.ones(len(who), bool),
        moment_text(d * 86400 + rng.integers(7 * 3600, 19 * 3600, len(who))),
    )
    return new, d


def party_feed(plan: Plan, people: People, parties: Parties) -> Feed:
    """The feed ``parties``: all known at the start in the first file, then new records and changes."""
    import pyarrow as pa

    table, created = _initial(plan, people, parties)
    later, changed = _later(plan, people, parties, table, created)
    day = np.concatenate([created, changed])
    return Feed(
        "parties",
        pa.concat_tables([table, later]).combine_chunks(),
        master_slot(plan, day),
        slots(plan, opening=1),
    )
