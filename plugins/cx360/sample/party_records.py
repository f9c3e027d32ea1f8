"""Party records of the synthetic bank: what its masters say about people, and how they say it differently.

Here belongs which records there are and what is in them. First records are clean but for what branches leave out;
further records of the same person, typed in again or kept by the card system, carry the dirt of ``further_records`` in
the parameters. Who the people are belongs in ``people``, how names are misspelt in ``names``.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from cx360.sample import names, words
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
from cx360.sample.people import People, phone_text, streets

if TYPE_CHECKING:
    import pyarrow as pa

TERM = 3652  # days an identity card is valid

#: What may be wrong with a further record; of each group at most one. Rates are in the parameters under the same names.
DIRT = [
    ["contactless"],
    ["family_typo", "married_name"],
    ["given_typo", "nickname", "initial", "second_name"],
    ["plain_letters"],
    ["pinyin"],
    ["capitals"],
    ["swapped_names"],
    ["birth_missing", "birth_swapped", "birth_digit"],
    ["phone_missing", "phone_other"],
    ["email_missing", "email_other"],
    ["document_missing", "document_old"],
    ["street_spelling"],
    ["no_house_number"],
    ["old_address"],
]


@dataclass
class Parties:
    """Party records: one element a record, persons first, then firms, then further records of the same people."""

    id: "pa.Array"
    person: Ints  # index of the person; firms are -1
    owner: Ints  # who runs the firm, or the person
    main: Ints  # of each person: index of the first record
    twin: Ints  # of each person: another record, or the first
    created: Ints  # day of each record's first version
    further: Bools  # whether the person has an earlier record
    dirt: dict[str, Bools] = field(default_factory=dict)  # what is wrong with each record, by kind


@dataclass
class Documents:
    """Identity cards in the first version of each record, and those that are renewed later."""

    number: Ints  # index, -1 if none
    until: Ints  # last day of validity
    verified: Bools
    renewal: Ints  # of each person: day the new card is brought, or NEVER
    new_until: Ints  # of each person


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
    further = np.arange(total) >= n + len(firms)
    # Most further records are older than the period, some were made within it.
    age = np.where(further, plan.history, plan.first) - rng.integers(1, 900, total)
    created = np.maximum(people.since[owner], age)
    return Parties(
        join(pick(["K", "CS"], prefix), digits(number)), person, owner, np.arange(n), twin, created, further,
        _draw_dirt(plan, people, owner, further),
    )  # fmt: skip


def _draw_dirt(plan: Plan, people: People, owner: Ints, further: Bools) -> dict[str, Bools]:
    """Which record has which kind of dirt; rates times ``plan.dirt``, a group's sum at most 1."""
    rng, rates, total = plan.rng("parties/dirt"), plan.settings["people"]["further_records"], len(owner)
    found: dict[str, Bools] = {}
    for group in DIRT:
        share = np.array([rates[kind] for kind in group]) * plan.dirt
        edges = np.cumsum(share / max(1.0, share.sum()))
        kind = np.where(further, np.searchsorted(edges, rng.random(total), side="right"), len(group))
        found.update({name: kind == k for k, name in enumerate(group)})
    found["married_name"] &= people.female[owner] | (rng.random(total) < 0.2)
    found["pinyin"] &= people.origin[owner] == names.CHINESE
    found["second_name"] &= names.is_german(people.origin[owner])
    day = _of_month(people.born[owner])
    month = people.born[owner].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
    found["birth_swapped"] &= (day <= 12) & (day != month)
    for contact, other in (("phone", "phone_other"), ("email", "email_other"), ("document", "document_old")):
        found[f"{contact}_missing"] |= found["contactless"]
        found[other] &= ~found["contactless"]
    return found


# ---- what is in a record ---------------------------------------------------------------------------------------------


def _names_on_record(
    plan: Plan, rng: np.random.Generator, people: People, parties: Parties
) -> tuple["pa.Array", "pa.Array"]:
    """Given and family name of each record."""
    import pyarrow.compute as pc

    owner, dirt, total = parties.owner, parties.dirt, len(parties.owner)
    origin, female = people.origin[owner], people.female[owner]
    given, family = pick(people.first, owner), pick(people.last, owner)
    born_as = names.family_text(names.draw_family(rng, origin, plan.settings["people"]["rare_surname"]))
    family = where(dirt["married_name"], born_as, family)
    given = where(dirt["nickname"], names.nickname(given), given)
    given = where(dirt["initial"], names.initial(given), given)
    given = where(dirt["second_name"], names.second_name(rng, given, origin, female), given)
    two_letters, slip = rng.random(total) < 0.7, rng.integers(0, 4, (2, total))

    def spelt(text: "pa.Array", typing: Bools, kind: Ints) -> "pa.Array":
        text = where(dirt["pinyin"], names.pinyin(text), text)
        text = where(dirt["plain_letters"], names.plain(text, two_letters), text)
        wrong = names.typo(rng, text.filter(typing), kind[typing])
        text = pc.replace_with_mask(text, typing, wrong)
        return where(dirt["capitals"], pc.utf8_upper(text), text)

    given, family = spelt(given, dirt["given_typo"], slip[0]), spelt(family, dirt["family_typo"], slip[1])
    return where(dirt["swapped_names"], family, given), where(dirt["swapped_names"], given, family)


def _of_month(day: Ints) -> Ints:
    """Day of the month, 1 to 31."""
    date = day.astype("datetime64[D]")
    return (date - date.astype("datetime64[M]")).astype(np.int64) + 1


def _day(year: Ints, month: Ints, day: Ints) -> Ints:
    """Day number of a date."""
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    return months.astype("datetime64[D]").astype(np.int64) + day - 1


def _birth_on_record(rng: np.random.Generator, born: Ints, dirt: dict[str, Bools]) -> Ints:
    """Day of birth each record says; NEVER where it says none.

    Day and month may be the other way round, as on a form of another country, or one digit of day or year be another.
    """
    months = born.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    year, month, day = months // 12 + 1970, months % 12 + 1, _of_month(born)
    swapped = _day(year, np.minimum(day, 12), month)
    other = 1 + rng.integers(0, 9, len(born))
    unit = day // 10 * 10 + (day + other) % 10
    in_day = (rng.random(len(born)) < 0.5) & (unit >= 1) & (unit <= 28)
    decade = year // 10 * 10
    wrong = np.where(in_day, _day(year, month, unit), _day(decade + (year + other) % 10, month, np.minimum(day, 28)))
    written = np.where(dirt["birth_swapped"], swapped, np.where(dirt["birth_digit"], wrong, born))
    return np.where(dirt["birth_missing"], NEVER, written)


def _phone_on_record(plan: Plan, rng: np.random.Generator, people: People, parties: Parties) -> "pa.Array":
    """Number in each record, as somebody wrote it: one's own, the family's, the branch's, none, or no number at all.

    Of a household only the head, and who shares with a relative, has its landline on record.
    """
    p, owner, total = plan.settings["people"], parties.owner, len(parties.owner)
    sharing, everybody = people.sharing, np.arange(people.n)
    line = np.where((people.place == 0) | sharing.home_line, people.landline, -1)
    shared = sharing.number(people.mobile, people.landline)
    shares = sharing.home_line | (sharing.phone_of != everybody)
    wants = (rng.random(people.n) < p["landline_on_record"]) & (people.mobile_change == NEVER) & ~sharing.involved
    first = np.where((people.mobile < 0) | wants & (line >= 0), line, people.mobile)
    first = np.where(shares, shared, first)
    of_day = np.where(shares[owner], shared[owner], people.mobile_on(owner, parties.created))
    number = np.where(parties.further, of_day, first[owner])
    other = np.where((line[owner] >= 0) & (line[owner] != first[owner]), line[owner], people.old_mobile[owner])
    number = np.where(parties.dirt["phone_other"], other, number)
    # Those who change their number in the period, and those who share one, have it on record, so that it shows.
    calm = (people.mobile_change == NEVER)[owner] & (~sharing.involved[owner] | parties.further)
    draw = rng.random(total)
    number = np.where(calm & (draw < p["no_phone_on_record"]) | parties.dirt["phone_missing"], -1, number)
    at_branch = calm & (draw > 1 - p["branch_phone_on_record"]) & ~parties.dirt["phone_missing"]
    number = np.where(at_branch, people.branch_phone[owner], number)
    phone = phone_text(people, number, rng.integers(0, 6, total))
    unusable = calm & (rng.random(total) < p["unusable_phone_on_record"])
    return where(unusable, pick(["unbekannt", "0000", "k.A."], rng.integers(0, 3, total)), phone)


def _email_on_record(rng: np.random.Generator, people: People, parties: Parties) -> "pa.Array":
    """Address in each record; another one of the same person has another mailbox, or the same at another provider."""
    import pyarrow.compute as pc

    owner, dirt, total = parties.owner, parties.dirt, len(parties.owner)
    email = pick(people.email, owner)
    domain = pick(["example.com", "example.org", "example.net"], rng.integers(0, 3, total))
    last, first = names.latin(pick(people.last, owner)), names.latin(pick(people.first, owner))
    other = join(last, "_", pc.utf8_slice_codeunits(first, 0, 1), digits(owner), "@", domain)
    email = where(dirt["email_other"], other, email)
    email = where(parties.further & (rng.random(total) < 0.3), pc.utf8_upper(email), email)
    return where(dirt["email_missing"], None, email)


def _addresses(rng: np.random.Generator, people: People, parties: Parties) -> tuple["pa.Array", "pa.Array", Ints]:
    """(street, postcode, city) of each record; old addresses are mostly in the same town."""
    import pyarrow.compute as pc

    owner, dirt, total = parties.owner, parties.dirt, len(parties.owner)
    moved, far = dirt["old_address"], rng.random(total) < 0.25
    other_city = weighted(rng, [c[3] for c in words.CITIES], total)
    city = np.where(moved & far, other_city, people.city[owner])
    old_code = join(pick([c[2] for c in words.CITIES], city), digits(rng.integers(0, 1000, total), 3))
    street = where(moved, streets(rng, total), pick(people.street, owner))
    short = rng.random(total) < 0.6
    ways = [
        pc.replace_substring_regex(street, pattern="(s|S)traße", replacement=r"\1" + end) for end in ("tr.", "trasse")
    ]
    street = where(dirt["street_spelling"], where(short, ways[0], ways[1]), street)
    street = where(dirt["no_house_number"], pc.replace_substring_regex(street, r" \d+$", ""), street)
    street = where(dirt["capitals"], pc.utf8_upper(street), street)
    return street, where(moved, old_code, pick(people.postcode, owner)), city


def _documents(plan: Plan, people: People, parties: Parties) -> Documents:
    """Identity cards on record. A person's cards are never valid at once, and a bank verifies only a valid one.

    Some first records keep a card that has run out; of half of those a later version brings the new one. A further
    record has the card of its day: the one before, the same, or the new one.
    """
    rng, p, n = plan.rng("parties/documents"), plan.settings["people"], people.n
    made, owner, created = parties.created[:n], parties.owner, parties.created
    low = np.maximum(plan.last + 1, made + 1)
    until = np.minimum(low + (rng.random(n) * np.maximum(made + TERM - low, 1)).astype(np.int64), made + TERM)
    issued = until - TERM
    ends = people.has_document & (rng.random(n) < p["ended_document"])
    day = rng.integers(plan.first + 1, plan.last, n)
    change = np.minimum.reduce([people.mobile_change, people.email_change, people.move, people.death, people.gone])
    renews = ends & (rng.random(n) < 0.5) & (change == NEVER) & (people.leave == NEVER) & (made < plan.first - 1)
    ran_out = made + 1 + (rng.random(n) * np.maximum(plan.last - made - 1, 1)).astype(np.int64)
    ran_out = np.where(renews, np.maximum(made + 1, day - rng.integers(1, 60, n)), ran_out)
    until = np.where(ends, ran_out, until)
    issued = np.where(ends, ran_out - TERM, issued)
    new_issued = np.where(renews, day, until + 1)
    number, new_until = np.where(people.has_document, np.arange(n), -1), new_issued + TERM - 1

    before = parties.further & ((created < issued[owner]) | parties.dirt["document_old"])
    after = parties.further & ends[owner] & (created >= new_issued[owner]) & ~before
    of_record = np.where(before, owner + 2 * n, np.where(after, owner + n, owner))
    missing = parties.dirt["document_missing"] | (number[owner] < 0) | (parties.person < 0)
    old_until = issued[owner] - rng.integers(1, 60, len(owner))
    of_until = np.where(before, old_until, np.where(after, new_until[owner], until[owner]))
    seen = rng.random(len(owner)) < np.where(parties.further, p["verified_further_document"], p["verified_document"])
    return Documents(
        np.where(missing, -1, of_record), np.where(missing, NEVER, of_until), seen & ~missing & (created <= of_until),
        np.where(renews, day, NEVER), new_until,
    )  # fmt: skip


def _card(plan: Plan, number: Ints) -> "pa.Array":
    """Made-up numbers of identity cards, by index; null where negative."""
    shift = int(plan.rng("parties/cards").integers(0, 17))
    letter = pick(list("CFGHJKLMNPRTVWXYZ"), (number * 5 + number // 17 + shift) % 17)
    text = join("PA L", letter, digits(np.maximum(number, 0) * 7919 % 10**7, 7))
    return where(number >= 0, text, None)


# ---- the feed --------------------------------------------------------------------------------------------------------


def _initial(plan: Plan, people: People, parties: Parties, documents: Documents) -> "pa.Table":
    """First version of every record."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rng = plan.rng("parties/first")
    owner, total, p = parties.owner, len(parties.owner), plan.settings["people"]
    firm, further, created = parties.person < 0, parties.further, parties.created
    first, last = _names_on_record(plan, rng, people, parties)
    company = join(pick(words.FIRMS, rng.integers(0, len(words.FIRMS), total)), " ", pick(people.last, owner), " ",
                   pick(words.FIRM_FORMS, rng.integers(0, len(words.FIRM_FORMS), total)))  # fmt: skip
    none = nothing(total)
    right = people.born[owner]
    born = _birth_on_record(rng, right, parties.dirt)
    alike = np.isin(owner, people.alike.namesakes) & ~further
    born = np.where(firm | alike & (rng.random(total) < p["namesakes_without_birth_date"]), NEVER, born)
    year = np.where(born == NEVER, 0, born).astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970
    # Whoever saw the card saw the date of birth; of children the bank saw a birth certificate, or nothing.
    proved = documents.verified | ~further & (rng.random(total) < p["birth_certificate"])
    proved &= born == right
    street, postcode, city = _addresses(rng, people, parties)
    card = _card(plan, documents.number)
    card = where(further & (rng.random(total) < 0.3), pc.replace_substring(card, " ", ""), card)
    asked = ~firm & (documents.number >= 0)
    return pa.table(
        {
            "KUNDEN_NR": parties.id,
            "PERSONENART": pick(["N", "J"], firm.astype(np.int64)),
            "VORNAME": where(firm, none, first),
            "NACHNAME": where(firm, company, last),
            "GEBURTSDATUM": days_text(born, "%d.%m.%Y"),
            "GEBURTSJAHR": digits(year, mask=born == NEVER),
            "GEBURT_GEPRUEFT": where(firm, none, pick(["N", "J"], proved.astype(np.int64))),
            "GESCHLECHT": where(firm, none, pick(["M", "W"], people.female[owner].astype(np.int64))),
            "AUSWEIS_NR": card,
            "AUSWEIS_GUELTIG_BIS": days_text(documents.until, "%d.%m.%Y"),
            "AUSWEIS_GEPRUEFT": where(asked, pick(["N", "J"], documents.verified.astype(np.int64)), none),
            "TELEFON": _phone_on_record(plan, rng, people, parties),
            "EMAIL": _email_on_record(rng, people, parties),
            "STRASSE": street,
            "PLZ": postcode,
            "ORT": pick([c[0] for c in words.CITIES], city),
            "BUNDESLAND": pick([c[1] for c in words.CITIES], city),
            "FILIALE": join("F", digits(people.branch[owner] + 100)),
            "KUNDE_SEIT": days_text(np.where(further, created, people.since[owner]), "%d.%m.%Y"),
            "STATUS": pick(["A"], np.zeros(total, np.int64)),
            "WERBUNG": pick(["J", "N"], rng.integers(0, 2, total)),
            "GEAENDERT_AM": moment_text(created * 86400 + rng.integers(7 * 3600, 19 * 3600, total)),
        }
    )


def _later(
    plan: Plan, people: People, parties: Parties, documents: Documents, table: "pa.Table"
) -> tuple["pa.Table", Ints]:
    """Second versions and their days: moves, new numbers, addresses and cards, deaths, relationships that ended."""
    import pyarrow as pa

    rng, n = plan.rng("parties/changes"), people.n
    gone = people.gone
    day = np.minimum.reduce(
        [people.mobile_change, people.email_change, people.move, people.death, gone, documents.renewal]
    )
    # A version comes in a later file than the first one, so that no file has two of a key.
    who = np.flatnonzero((day <= plan.last) & (master_slot(plan, parties.created[:n]) < master_slot(plan, day)))
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
    put("AUSWEIS_NR", documents.renewal[who] == d, _card(plan, who + n))
    put("AUSWEIS_GUELTIG_BIS", documents.renewal[who] == d, days_text(documents.new_until[who], "%d.%m.%Y"))
    put("AUSWEIS_GEPRUEFT", documents.renewal[who] == d, "J")
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

    documents = _documents(plan, people, parties)
    table = _initial(plan, people, parties, documents)
    later, changed = _later(plan, people, parties, documents, table)
    day = np.concatenate([parties.created, changed])
    return Feed(
        "parties",
        pa.concat_tables([table, later]).combine_chunks(),
        master_slot(plan, day),
        slots(plan, opening=1),
    )
