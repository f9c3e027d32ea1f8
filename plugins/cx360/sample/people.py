"""People of the synthetic bank: households, ages, names, numbers, and what happens to them in the period.

Here belongs who exists. What the masters say about them belongs in ``party_records``, who looks like whom in
``relatives``; what people do in ``money``, ``channels`` and ``experience``.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cx360.sample import names, relatives, words
from cx360.sample.bank import NEVER, Bools, Floats, Ints, Plan, digits, join, nothing, pick, weighted, where
from cx360.sample.names import latin

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass
class People:
    """Everybody, one element a person; then the telephone numbers, one element a number."""

    n: int
    household: Ints
    place: Ints  # in the household: 0 and 1 are the adults
    child: Bools  # of the household, also when grown
    origin: Ints  # of the names
    given: Ints  # names by index
    family: Ints
    born: Ints  # day
    female: Bools
    adult: Bools
    city: Ints
    branch: Ints
    since: Ints  # day the relationship began
    leave: Ints  # planted: last day of acting, or NEVER
    gone: Ints  # day the relationship and its accounts end, or NEVER
    grow: Ints  # planted: first day of using the app nearly daily, or NEVER
    pace: Floats  # of what others do, those who grow do only so much beside it
    first: "pa.Array"
    last: "pa.Array"
    email: "pa.Array"  # null if none
    new_email: "pa.Array"
    street: "pa.Array"
    postcode: "pa.Array"
    has_document: Bools
    mobile: Ints  # index of the number, -1 if none
    old_mobile: Ints  # number before that; nobody has it now
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
    alike: relatives.Lookalikes
    sharing: relatives.Sharing

    @property
    def last_day(self) -> Ints:
        """Last day each may act."""
        return np.minimum(self.leave, self.death - 1)

    def mobile_on(self, person: Ints, day: Ints) -> Ints:
        """Number a person has on a day, -1 if none."""
        return np.where(day >= self.mobile_change[person], self.new_mobile[person], self.mobile[person])


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


def streets(rng: np.random.Generator, n: int) -> "pa.Array":
    """Streets with house numbers."""
    known = [s.replace("_", " ") for s in words.STREETS]
    return join(pick(known, rng.integers(0, len(known), n)), digits(rng.integers(1, 140, n)), separator=" ")


def _numbers(rng: np.random.Generator, n: int, home_city: Ints) -> tuple["pa.Array", "pa.Array"]:
    """Numbers by index: mobiles of people, landlines of households, branches, then new and old mobiles of people.

    Landlines extend the ranges the German regulator reserves for films and books; mobiles are made up inside
    0176 0xxxxxxx, around the range it reserves there.
    """
    import pyarrow as pa

    shift = int(rng.integers(0, 10**7))
    mobile = (np.arange(3 * n) * 7654321 + shift) % 10**7
    fixed = np.arange(len(home_city)) * 54321 % 10**5
    branches = np.repeat(np.arange(len(words.CITIES)), words.BRANCHES_PER_CITY)
    areas = [c[4] or words.CITIES[0][4] for c in words.CITIES]
    prefixes = [c[5] or words.CITIES[0][5] for c in words.CITIES]
    area = pa.concat_arrays(
        [pick(["176"], np.zeros(n, np.int64)), pick(areas, home_city), pick(areas, branches),
         pick(["176"], np.zeros(2 * n, np.int64))]
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
    pairs = max(1, round(plan.settings["people"]["recycled_number"] * (mobile >= 0).sum()))
    if plan.days < 40 or len(able) < 2 * pairs:
        return np.zeros((2, 0), np.int64)
    return rng.permutation(able)[: 2 * pairs].reshape(2, pairs)


def _turns(plan: Plan, rng: np.random.Generator, fact: str, able: Bools) -> Ints:
    """Day on which each person's planted turn comes; NEVER for the others. At least one takes it."""
    facts, n = plan.settings["planted"][fact], len(able)
    turns = able & (rng.random(n) < facts["share"])
    turns = turns if turns.any() else able & (np.cumsum(able) == 1)
    low, high = plan.day_at(facts["from_share_of_days"]), plan.day_at(facts["until_share_of_days"])
    return np.where(turns & plan.plant, rng.integers(low, high + 1, n), NEVER)


def _leavers(plan: Plan, rng: np.random.Generator, able: Bools) -> tuple[Ints, Ints]:
    """(last day of acting, day everything is closed) of each person; NEVER for those who stay."""
    leave, n = _turns(plan, rng, "leavers", able), len(able)
    closes = (leave < NEVER) & (rng.random(n) < plan.settings["planted"]["leavers"]["closes_account"])
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


def _women(rng: np.random.Generator, head: Ints, partner: Bools) -> Bools:
    """Who is a woman; most partners are of the other sex than the head."""
    n = len(head)
    female = rng.random(n) < 0.51
    return np.where(partner & (rng.random(n) < 0.94), ~female[head], female)


def _called(
    plan: Plan, rng: np.random.Generator, home: relatives.Household, alike: relatives.Lookalikes, female: Bools
) -> tuple[Ints, Ints, Ints, Bools]:
    """(origin, given name, surname, female): a household has one origin and mostly one surname."""
    n, head = len(home.id), home.head
    origin = weighted(rng, [o[0] for o in words.ORIGINS.values()], n)[head]
    own = (home.place == 1) & (rng.random(n) < 0.25)
    given = names.unlike(names.draw_given(rng, origin, female), home.id, origin, female)
    family = names.draw_family(rng, origin, plan.settings["people"]["rare_surname"])
    family = family[np.where(own, np.arange(n), head)]
    return origin, *relatives.name_alike(plan, rng, alike, home, origin, given, family, female)


def _mailboxes(
    sharing: relatives.Sharing, household: Ints, own: "pa.Array", last: "pa.Array", has_mail: Bools
) -> "pa.Array":
    """Address of each person, some one they share with a relative; null for those without."""
    import pyarrow as pa

    box = sharing.mail_of
    mail = where(has_mail, own, None).take(pa.array(box))
    family = join("familie.", latin(last), digits(household), "@example.org")
    return where(sharing.family_mail, family, mail)


def _born(plan: Plan, rng: np.random.Generator, age: Ints, alike: relatives.Lookalikes) -> Ints:
    """Day of birth; twins have one."""
    born = plan.last - age * 365 - age // 4 - rng.integers(0, 365, len(age))
    born[alike.twins[1]] = born[alike.twins[0]]
    return born


def make_people(plan: Plan) -> People:
    """Draw everybody: ``plan.customers`` persons in households."""
    rng, p, n = plan.rng("people"), plan.settings["people"], plan.customers
    household, place = _households(plan, rng)
    head = np.searchsorted(household, household)
    child = (place > 1) | ((place == 1) & (rng.random(n)[head] > p["partner"]))
    home = relatives.Household(household, place, child)
    by_chance = plan.rng("people/relatives")
    alike = relatives.draw_lookalikes(plan, by_chance, home)
    age = _ages(rng, household, place, child)
    age[alike.twins[1]] = age[alike.twins[0]]
    adult, born = age >= 18, _born(plan, rng, age, alike)
    female = _women(rng, head, (place == 1) & ~child)
    origin, given, family, female = _called(plan, plan.rng("people/names"), home, alike, female)
    first, last = names.given_text(given), names.family_text(family)
    city = weighted(rng, [c[3] for c in words.CITIES], n)[head]
    branch = city * words.BRANCHES_PER_CITY + rng.integers(0, words.BRANCHES_PER_CITY, n)[head]
    since = np.maximum(plan.first - 30 - rng.exponential(3000, n).astype(np.int64), born + 200)
    joins = rng.random(n) < p["new_customer"]
    since = np.where(joins, rng.integers(plan.first, plan.last - 1, n), since)

    homes = np.unique(household)
    mobile = np.where((rng.random(n) < p["mobile"]) & (age >= 12), np.arange(n), -1)
    has_line = (rng.random(n)[head] < p["landline"]) & np.array([bool(c[5]) for c in words.CITIES])[city]
    landline = np.where(has_line, n + household, -1)
    area, subscriber = _numbers(rng, n, city[np.searchsorted(household, homes)])
    has_mail = (rng.random(n) < p["email"]) & (age >= 12)
    sharing = relatives.draw_sharing(plan, by_chance, alike, home, family, mobile, landline, has_mail)

    # What happens to people in the period: at most one thing each.
    leave, gone = _leavers(plan, rng, adult & ~joins)
    calm = ~joins & (leave == NEVER)
    death = np.where(calm & adult & (rng.random(n) < p["dies"]), rng.integers(plan.first + 1, plan.last - 1, n), NEVER)
    grow = _turns(plan, plan.rng("people/growers"), "growers", calm & adult & (death == NEVER))
    calm &= (death == NEVER) & ~sharing.involved
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
        child=child,
        origin=origin,
        given=given,
        family=family,
        born=born,
        female=female,
        adult=adult,
        city=city,
        branch=branch,
        since=since,
        leave=leave,
        gone=gone,
        grow=grow,
        pace=np.where(grow < NEVER, plan.settings["planted"]["growers"]["pace"], 1.0),
        first=first,
        last=last,
        email=_mailboxes(sharing, household, _email(rng, first, last, n), last, has_mail),
        new_email=_email(rng, first, nothing(n).fill_null("neu"), n),
        street=streets(rng, n).take(head),
        postcode=join(pick([c[2] for c in words.CITIES], city), digits(rng.integers(0, 1000, n), 3).take(head)),
        has_document=(rng.random(n) < p["document"]) & (age >= 16),
        mobile=mobile,
        old_mobile=fresh + n,
        landline=landline,
        branch_phone=n + len(homes) + branch,
        new_mobile=new_mobile,
        mobile_change=mobile_change,
        email_change=np.where(mails, span, NEVER),
        move=np.where(moves, span, NEVER),
        death=death,
        new_street=streets(rng, n),
        area=area,
        subscriber=subscriber,
        recycled=pairs,
        alike=alike,
        sharing=sharing,
    )
