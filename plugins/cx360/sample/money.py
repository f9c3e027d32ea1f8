"""Money of the synthetic bank: accounts, who owns them, what is held, what is booked, exchange rates.

Here belongs everything with an amount. Amounts are whole cents until they are written.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cx360.sample import words
from cx360.sample.bank import (
    HOURS,
    NEVER,
    WEEKDAYS,
    Bools,
    Feed,
    Floats,
    Ints,
    Plan,
    Slot,
    as_date,
    calendar,
    clock,
    days_text,
    digits,
    join,
    master_slot,
    moment_text,
    money,
    month_of,
    nothing,
    pick,
    slots,
    spread,
    weekday_of,
    weighted,
    where,
)
from cx360.sample.party_records import Parties
from cx360.sample.people import People

if TYPE_CHECKING:
    import pyarrow as pa

TYPES = ("GIRO", "SPAR", "KARTE", "DARL", "TERM", "DEPOT", "FIRMA")
GIRO, SPAR, KARTE, DARL, TERM, DEPOT, FIRMA = range(7)
PRODUCTS = ("GK-01", "SP-10", "KK-20", "RK-30", "FG-40", "DP-50", "GF-02")
CURRENCIES = ("EUR", "USD", "CHF", "GBP", "PLN", "JPY")
RATES = (1.0, 0.925, 1.06, 1.17, 0.234, 0.0061)

POS, ATM, TRANSFER, DEPOSIT, SALARY, PENSION, INTEREST, FEE, STANDING, LOAN, INSURANCE = range(11)
PURPOSES = ("POS", "ATM", "TRF", "DEP", "SAL", "PEN", "INT", "FEE", "STO", "LOAN", "INS")


@dataclass
class Accounts:
    """One element an account."""

    id: "pa.Array"
    owner: Ints  # person
    party: Ints  # index of the owner's party record
    joint: Ints  # person who owns it too, or -1
    type: Ints
    currency: Ints
    opened: Ints
    closed: Ints  # day, or NEVER
    giro: Ints  # of each person: the account of daily life, own or joint, -1 if none
    ownerless: Bools

    @property
    def last_day(self) -> Ints:
        """Last day of a booking."""
        return self.closed - 1


class Bookings(NamedTuple):
    """Bookings of one kind; one element each."""

    account: Ints
    day: Ints
    second: Ints
    cents: Ints
    is_credit: Bools
    purpose: int
    channel: "pa.Array"
    counterparty: "pa.Array"
    text: "pa.Array"


def make_accounts(plan: Plan, people: People, parties: Parties) -> Accounts:
    """Draw accounts: one for daily life each, joint for many couples, and what else people have."""
    rng, p, n = plan.rng("accounts"), plan.settings["money"], people.n
    head = np.searchsorted(people.household, people.household)
    couple = (people.place == 1) & people.adult & (rng.random(n) < p["joint_account"])
    joint = np.full(n, -1)
    joint[head[couple]] = np.flatnonzero(couple)
    shares = couple & (people.leave == NEVER) & (people.leave[head] == NEVER)
    shares &= (people.since <= people.since[head]) | (people.since < plan.first)
    joint = np.where(np.isin(joint, np.flatnonzero(shares)), joint, -1)
    older = people.adult
    who: list[Ints] = [np.flatnonzero(~shares)]
    kinds: list[Ints] = [np.full(len(who[0]), GIRO)]
    money_of: list[Ints] = [np.zeros(len(who[0]), np.int64)]

    def add(mask: Bools, kind: int, currency: Ints | None = None) -> None:
        index = np.flatnonzero(mask)
        who.append(index)
        kinds.append(np.full(len(index), kind))
        money_of.append(np.zeros(len(index), np.int64) if currency is None else currency[index])

    add(rng.random(n) < p["savings"], SPAR)
    add(older & (rng.random(n) < p["card"]), KARTE)
    add(older & (rng.random(n) < p["loan"]), DARL)
    add(older & (rng.random(n) < p["deposit"]), TERM)
    add(older & (rng.random(n) < p["investment"]), DEPOT)
    foreign = weighted(rng, [0, 50, 25, 15, 7, 3], n)
    add(older & (rng.random(n) < p["foreign_currency"]), GIRO, foreign)
    firm = np.flatnonzero(parties.person < 0)
    who.append(parties.owner[firm])
    kinds.append(np.full(len(firm), FIRMA))
    money_of.append(np.zeros(len(firm), np.int64))

    owner, kind, currency = np.concatenate(who), np.concatenate(kinds), np.concatenate(money_of)
    total = len(owner)
    party = np.where(kind == FIRMA, 0, parties.main[owner])
    party[kind == FIRMA] = firm
    # Some products were sold to the other record of the same person.
    party = np.where((kind != FIRMA) & (kind != GIRO) & (rng.random(total) < 0.5), parties.twin[owner], party)
    first = kind == GIRO
    opened = np.where(first & (currency == 0), people.since[owner], people.since[owner] + rng.integers(0, 2000, total))
    opened = np.minimum(opened, np.where(people.since[owner] < plan.first, plan.first - 1, plan.last))
    opened = np.maximum(opened, people.since[owner])
    closed = people.gone[owner].copy()
    ends = (kind == SPAR) & (rng.random(total) < p["savings_closed"]) & (closed == NEVER) & (opened < plan.first)
    closed = np.where(ends, rng.integers(plan.first + 3, plan.last, total), closed)
    closed = np.where((closed <= plan.last) & (opened < plan.first), closed, NEVER)
    giro = np.full(n, -1)
    giro[owner[: len(who[0])]] = np.arange(len(who[0]))
    giro[shares] = giro[head[shares]]
    number = (np.arange(total) * 7_919_333 + int(rng.integers(0, 10**8))) % 10**9
    ownerless = (kind == SPAR) & (rng.random(total) < plan.settings["dirt"]["accounts_without_owner"])
    if total > 200 and not ownerless.any():
        ownerless[np.flatnonzero(kind == SPAR)[:1]] = True
    return Accounts(
        digits(4_000_000_000 + number), owner, party, np.where(first & (currency == 0), joint[owner], -1), kind,
        currency, opened, closed, giro, ownerless,
    )  # fmt: skip


def account_feed(plan: Plan, people: People, accounts: Accounts) -> Feed:
    """The feed ``accounts``: all known at the start in the first file, then new and closed ones."""
    import pyarrow as pa

    rng, total = plan.rng("accounts/feed"), len(accounts.owner)
    again = np.flatnonzero(accounts.closed <= plan.last)
    row = np.concatenate([np.arange(total), again])
    is_closing = np.arange(len(row)) >= total
    created = np.where(accounts.opened < plan.first, np.maximum(accounts.opened, plan.first - 400), accounts.opened)
    day = np.where(is_closing, accounts.closed[row], created[row])
    asleep = (accounts.type == SPAR) & (rng.random(total) < 0.06)
    status = np.where(is_closing, 2, np.where(asleep[row], 1, 0))
    table = pa.table(
        {
            "ACCT_NO": pick(accounts.id, row),
            "ACCT_TYPE": pick(TYPES, accounts.type[row]),
            "PRODUCT": pick(PRODUCTS, accounts.type[row]),
            "CCY": pick(CURRENCIES, accounts.currency[row]),
            "BRANCH": join("F", digits(people.branch[accounts.owner[row]] + 100)),
            "OPEN_DT": days_text(accounts.opened[row], "%Y%m%d"),
            "CLOSE_DT": days_text(np.where(is_closing, accounts.closed[row], NEVER), "%Y%m%d"),
            "STAT": pick(["O", "D", "C"], status),
            "LAST_CHANGE": moment_text(day * 86400 + rng.integers(7 * 3600, 19 * 3600, len(row)), "{Y}-{m}-{d}T{H}"),
        }
    )
    return Feed("accounts", table, master_slot(plan, day), slots(plan, opening=1))


def _snapshot_slots(plan: Plan) -> list[Slot]:
    return [Slot(day, day) for day in range(plan.history, plan.last + 1)]


def owner_feed(plan: Plan, parties: Parties, accounts: Accounts) -> Feed:
    """The feed ``account_parties``: a snapshot each of the last days of the open accounts' owners and users."""
    import pyarrow as pa

    rng = plan.rng("account_parties")
    all_ = np.arange(len(accounts.owner))
    second = np.flatnonzero(accounts.joint >= 0)
    user = np.flatnonzero((accounts.type == FIRMA) & (rng.random(len(all_)) < 0.7))
    account = np.concatenate([all_, second, user])
    party = np.concatenate([accounts.party, parties.main[accounts.joint[second]], parties.main[accounts.owner[user]]])
    role = np.repeat([0, 1, 2], [len(all_), len(second), len(user)])
    kept = ~(accounts.ownerless[account])
    account, party, role = account[kept], party[kept], role[kept]
    order = np.lexsort((role, account))
    account, party, role = account[order], party[order], role[order]
    files = _snapshot_slots(plan)
    row, slot = [], []
    for k, file in enumerate(files):
        there = np.flatnonzero((accounts.opened[account] <= file.day) & (accounts.closed[account] > file.day - 400))
        row.append(there)
        slot.append(np.full(len(there), k))
    index = np.concatenate(row)
    table = pa.table(
        {
            "REL_ID": join("R", digits(account * 3 + role, 8)),
            "ACCT_NO": pick(accounts.id, account),
            "CUST_NO": pick(parties.id, party),
            "ROLE": pick(["KI", "MI", "BV"], role),
        }
    ).take(pa.array(index))
    return Feed("account_parties", table, np.concatenate(slot), files)


def holding_feed(plan: Plan, people: People, parties: Parties, accounts: Accounts) -> Feed:
    """The feed ``holdings``: snapshots of cards, loans, deposits, depots, insurance and standing orders.

    The second day after the history brings the first one's file again, corrected, and none of its own: on the first
    day deposits came in cents instead of euros.
    """
    import pyarrow as pa

    rng, p = plan.rng("holdings"), plan.settings["money"]
    kinds = ("CARD", "CREDIT", "TERMDEP", "DEPOT", "INSUR", "STO")
    own = np.flatnonzero(np.isin(accounts.type, (KARTE, DARL, TERM, DEPOT)))
    insured = np.flatnonzero(people.adult & (rng.random(people.n) < p["insurance"]))
    rent = _renters(plan, people)
    kind = np.concatenate([accounts.type[own] - KARTE, np.full(len(insured), 4), np.full(len(rent), 5)])
    account = np.concatenate([own, np.full(len(insured), -1), accounts.giro[rent]])
    person = np.concatenate([accounts.owner[own], insured, rent])
    total = len(kind)
    start = np.where(account >= 0, accounts.opened[account], people.since[person] + 20)
    start = np.where(kind >= 4, np.minimum(start + rng.integers(0, 900, total), plan.first - 5), start)
    start = np.where(kind == 1, np.maximum(start, plan.last - rng.integers(5, 2500, total)), start)
    start = np.maximum(start, people.since[person])
    years = np.select([kind == 0, kind == 1, kind == 2, kind == 4], [4, 7, 2, 1], 0)
    # What is still held matures after the last day: cards, deposits and insurance were renewed, loans run on.
    elapsed = np.maximum(plan.last - start, 0)
    due = np.where(years > 0, start + (elapsed // np.maximum(years * 365, 1) + 1) * years * 365, NEVER)
    cents = np.round(np.exp(rng.normal([7.3, 9.6, 9.4, 9.2, 10.2, 6.7], 0.6, (total, 6)))[np.arange(total), kind], 0)
    cents = cents.astype(np.int64) * 100
    defaulted = (kind == 1) & (rng.random(total) < 0.02)
    named = (kind != 5) & (rng.random(total) < 0.9) | (account < 0)
    party = np.where(account >= 0, accounts.party[account], parties.main[person])
    ended = np.where(account >= 0, accounts.closed[account], people.gone[person])
    files = _snapshot_slots(plan)
    files[2] = Slot(plan.history + 2, plan.history + 1)  # the file of the day before, once more
    row, slot, wrong = [], [], []
    for k, file in enumerate(files):
        there = np.flatnonzero((start <= file.day) & (ended > file.day - 400))
        row.append(there)
        slot.append(np.full(len(there), k))
        wrong.append((kind[there] == 2) & (k == 1))
    index, at = np.concatenate(row), np.concatenate(slot)
    day = np.array([f.day for f in files])[at]
    closed = np.where(ended[index] <= day, ended[index], NEVER)
    amount = cents[index] * np.where(np.concatenate(wrong), 100, 1)
    state = np.where(closed < NEVER, 1, np.where(defaulted[index], 2, 0))
    table = pa.table(
        {
            "contract_no": join(pick(["KA", "KR", "FG", "WP", "VS", "DA"], kind[index]), digits(index + 1, 8)),
            "kind": pick(kinds, kind[index]),
            "product": pick(["KK-20", "RK-30", "FG-40", "DP-50", "VS-60", "DA-70"], kind[index]),
            "cust_no": where(named[index], pick(parties.id, party[index]), None),
            "acct_no": pick(accounts.id, account[index]),
            "rel_id": where((account[index] >= 0) & ~named[index], join("R", digits(account[index] * 3, 8)), None),
            "start_date": days_text(start[index]),
            "end_date": days_text(due[index]),
            "closed_date": days_text(closed),
            "amount": money(amount),
            "ccy": pick(CURRENCIES, np.where(account[index] >= 0, accounts.currency[account[index]], 0)),
            "state": pick(["A", "C", "D"], state),
        }
    )
    return Feed("holdings", table, at, files)


def fx_feed(plan: Plan) -> Feed:
    """The feed ``fx_rates``: a rate a working day and currency, carried over the weekend; one is missing."""
    import pyarrow as pa

    rng = plan.rng("fx_rates")
    days = np.arange(plan.first, plan.last + 1)
    steps = rng.normal(0, 0.003, (plan.days, len(CURRENCIES))) * (weekday_of(days) < 5)[:, None]
    rates = np.round(np.array(RATES) * np.exp(np.cumsum(steps, axis=0)) * 10**6).astype(np.int64)
    day = np.repeat(days, len(CURRENCIES) - 1)
    currency = np.tile(np.arange(1, len(CURRENCIES)), plan.days)
    micro = rates[:, 1:].ravel()
    table = pa.table(
        {
            "day": days_text(day, "%d.%m.%Y"),
            "from_ccy": pick(CURRENCIES, currency),
            "to_ccy": pick(["EUR"], np.zeros(len(day), np.int64)),
            "rate": join(digits(micro // 10**6), ",", digits(micro % 10**6, 6)),
            "set_at": moment_text((day - np.maximum(weekday_of(day) - 4, 0)) * 86400 + 16 * 3600, "{d}.{m}.{Y} {H}"),
        }
    )
    missing = (day == missing_rate_day(plan)) & (currency == 1)
    kept = np.flatnonzero(~missing)
    return Feed("fx_rates", table.take(pa.array(kept)), plan.slot_of(day[kept]), slots(plan))


def missing_rate_day(plan: Plan) -> int:
    """The working day on which the dollar has no rate."""
    day = plan.day_at(0.5)
    return day + (0, 0, 0, 0, 0, 2, 1)[int(weekday_of(np.array([day]))[0])]


# ---- bookings --------------------------------------------------------------------------------------------------------


def _renters(plan: Plan, people: People) -> Ints:
    """People who pay a rent by standing order: most heads of households."""
    draw = plan.rng("renters").random(people.n)
    return np.flatnonzero((people.place == 0) & people.adult & (draw < 0.72) & (people.since < plan.first))


def _monthly(plan: Plan, actors: Ints, day_of_month: Ints) -> tuple[Ints, Ints]:
    """Every actor once a month on a day of the month, moved to Monday from a weekend: (position in actors, day)."""
    months = np.unique(month_of(np.arange(plan.first, plan.last + 1)))
    begin = months.astype("datetime64[M]").astype("datetime64[D]").astype(np.int64)
    day = (begin[None, :] + day_of_month[:, None] - 1).ravel()
    day = day + np.array([0, 0, 0, 0, 0, 2, 1])[weekday_of(day)]
    actor = np.repeat(np.arange(len(actors)), len(months))
    kept = (day >= plan.first) & (day <= plan.last)
    return actor[kept], day[kept]


def _repeat_text(text: str, n: int) -> "pa.Array":
    return pick([text], np.zeros(n, np.int64))


def _regular(plan: Plan, people: People, accounts: Accounts) -> list[Bookings]:
    """Salaries, pensions, rents, supplies, insurance, fees, interest, instalments."""
    rng = plan.rng("transactions/regular")
    age = (plan.last - people.born) // 365
    draw = rng.random(people.n)
    works = np.flatnonzero(people.adult & (age < 66) & (draw < 0.8))
    retired = np.flatnonzero(age >= 66)
    rent = _renters(plan, people)
    supplied = np.flatnonzero((people.place == 0) & people.adult & (rng.random(people.n) < 0.8))
    insured = np.flatnonzero(people.adult & (rng.random(people.n) < 0.45))
    out = []

    def add(
        who: Ints,
        at: Ints,
        cents: Floats,
        credit: bool,
        purpose: int,
        parties: list[str],
        text: str,
        jitter: float = 0,
    ) -> None:
        position, day = _monthly(plan, who, at)
        person = who[position]
        names = rng.integers(0, len(parties), len(who))[position]
        size = np.round(cents[position] * (1 + rng.normal(0, jitter, len(position)) if jitter else 1) / 10) * 10
        kept = (day >= people.since[person]) & (day <= people.last_day[person]) & (accounts.giro[person] >= 0)
        position, day, person, size, names = position[kept], day[kept], person[kept], size[kept], names[kept]
        month = pick([as_date(d).strftime("%m/%Y") for d in np.unique(day)], np.searchsorted(np.unique(day), day))
        out.append(
            Bookings(
                accounts.giro[person],
                day,
                rng.integers(0, 2 * 3600, len(day)) + 4 * 3600,
                size.astype(np.int64),
                np.full(len(day), credit),
                purpose,
                _repeat_text("SYS", len(day)),
                pick(parties, names),
                join(text, " ", month),
            )
        )

    pay = np.exp(rng.normal(12.38, 0.42, len(works)))
    add(
        works,
        rng.choice([15, 25, 26, 27, 28, 1], len(works)),
        pay,
        True,
        SALARY,
        words.EMPLOYERS,
        "Lohn/Gehalt",
        0.01,
    )
    pension = np.exp(rng.normal(11.85, 0.35, len(retired)))
    add(retired, np.full(len(retired), 28), pension, True, PENSION, ["Rentenservice Musterkasse"], "Rente")
    rents = np.exp(rng.normal(11.3, 0.35, len(rent)))
    add(rent, rng.integers(1, 4, len(rent)), rents, False, STANDING, words.LANDLORDS, "Miete")
    bills = np.exp(rng.normal(9.2, 0.5, len(supplied)))
    add(
        supplied,
        rng.integers(3, 16, len(supplied)),
        bills,
        False,
        TRANSFER,
        words.UTILITIES,
        "Abschlag Strom;",
        0.02,
    )
    premium = np.exp(rng.normal(8.4, 0.6, len(insured)))
    add(insured, rng.integers(1, 6, len(insured)), premium, False, INSURANCE, words.INSURERS, "Beitrag")
    return out


def _of_bank(plan: Plan, people: People, accounts: Accounts) -> list[Bookings]:
    """What the bank books by itself: fees, interest, instalments; also on accounts nobody uses any more."""
    rng = plan.rng("transactions/bank")
    out = []

    def add(which: Ints, at: int, cents: Ints, credit: bool, purpose: int, text: str, quarterly: bool = False) -> None:
        position, day = _monthly(plan, which, np.full(len(which), at))
        kept = (day >= accounts.opened[which[position]]) & (day <= accounts.last_day[which[position]])
        kept &= cents[position] > 0
        kept &= not quarterly or month_of(day - 5) % 3 == 2  # the month before a move to Monday
        position, day = position[kept], day[kept]
        n = len(day)
        out.append(
            Bookings(which[position], day, rng.integers(0, 3600, n) + 3600 * 4, cents[position], np.full(n, credit),
                     purpose, _repeat_text("SYS", n), nothing(n), _repeat_text(text, n))
        )  # fmt: skip

    daily = np.flatnonzero(np.isin(accounts.type, (GIRO, FIRMA)))
    tariff = np.where(accounts.type[daily] == FIRMA, 3, rng.integers(0, 3, len(daily)))
    add(daily, 28, np.array([490, 0, 690, 1290])[tariff], False, FEE, "Kontoführung")
    savings = np.flatnonzero(accounts.type == SPAR)
    add(savings, 28, rng.integers(0, 9000, len(savings)), True, INTEREST, "Zinsen Quartal", quarterly=True)
    loans = np.flatnonzero(accounts.type == DARL)
    add(loans, 15, rng.integers(8_000, 60_000, len(loans)), True, LOAN, "Rate Darlehen")
    return out


def _daily(plan: Plan, people: People, accounts: Accounts) -> list[Bookings]:
    """What people start themselves: purchases, withdrawals, transfers, cash and savings."""
    import pyarrow as pa

    rng, p = plan.rng("transactions/daily"), plan.settings["money"]
    busy = calendar(plan, WEEKDAYS)
    taste = rng.gamma(2.0, 0.5, people.n) * people.pace * np.where(people.adult, 1.0, 0.35) * (accounts.giro >= 0)
    out = []

    def acts(per_month: float) -> tuple[Ints, Ints, Ints]:
        person, day = spread(rng, plan, taste * per_month / 30, people.since, people.last_day, busy)
        return person, day, clock(rng, len(day), HOURS)

    def cents(n: int, center: float, width: float, step: int = 1) -> Ints:
        return np.maximum(np.round(np.exp(rng.normal(center, width, n)) / step) * step, step).astype(np.int64)

    person, day, second = acts(p["purchases_per_month"])
    n = len(day)
    online = rng.random(n) < 0.24
    shop = where(online, pick(words.WEB_SHOPS, rng.integers(0, len(words.WEB_SHOPS), n)),
                 pick(words.SHOPS, (rng.random(n) ** 1.7 * len(words.SHOPS)).astype(np.int64)))  # fmt: skip
    text = join("Kartenzahlung ", digits(rng.integers(0, 10**6, n), 6), " Folge ", digits(rng.integers(0, 4, n)))
    out.append(Bookings(accounts.giro[person], day, second, cents(n, 7.9, 0.9), np.zeros(n, bool), POS,
                        pick(["POS", "WEB"], online.astype(np.int64)), shop, text))  # fmt: skip

    person, day, second = acts(p["withdrawals_per_month"])
    n = len(day)
    place = join("Geldautomat F", digits(rng.integers(100, 136, n)))
    out.append(Bookings(accounts.giro[person], day, second, cents(n, 9.1, 0.6, 1000), np.zeros(n, bool), ATM,
                        _repeat_text("ATM", n), nothing(n), place))  # fmt: skip

    person, day, second = acts(p["transfers_per_month"])
    n = len(day)
    other = rng.integers(0, people.n, n)
    size = cents(n, 9.0, 1.0, 50)
    name = join(pick(people.first, other), pick(people.last, other), separator=" ")
    channel = pick(["APP", "WEB", "BR"], weighted(rng, [5, 4, 1], n))
    why = ["Danke!", "Geschenk für Oma", "Anteil Urlaub", 'Rechnung "4711"', "Miete Garage, Stellplatz 3", "生日快乐",
           "Kaution;\nbitte bestätigen", "Nebenkosten"]  # fmt: skip
    text = pick(why, weighted(rng, [20, 10, 10, 8, 8, 1, 3, 10], n))
    out.append(Bookings(accounts.giro[person], day, second, size, np.zeros(n, bool), TRANSFER, channel, name, text))
    # The other side has its account here too: the same money comes in.
    there = np.flatnonzero((accounts.giro[other] >= 0) & (day >= people.since[other]) & (day <= people.death[other])
                           & (people.leave[other] == NEVER))  # fmt: skip
    giver = person[there]
    out.append(Bookings(accounts.giro[other[there]], day[there], second[there], size[there], np.ones(len(there), bool),
                        TRANSFER, _repeat_text("SYS", len(there)),
                        join(pick(people.first, giver), pick(people.last, giver), separator=" "),
                        text.take(pa.array(there))))  # fmt: skip

    person, day, second = acts(0.12)
    n = len(day)
    out.append(Bookings(accounts.giro[person], day, second, cents(n, 10.2, 0.8, 500), np.ones(n, bool), DEPOSIT,
                        _repeat_text("BR", n), nothing(n), _repeat_text("Bareinzahlung", n)))  # fmt: skip
    out.append(_on_other_accounts(plan, rng, people, accounts, busy))
    return out


def _on_other_accounts(
    plan: Plan, rng: np.random.Generator, people: People, accounts: Accounts, busy: Floats
) -> Bookings:
    """Movements on savings, card, foreign currency and firm accounts."""
    rate = np.select(
        [accounts.type == SPAR, accounts.type == KARTE, accounts.type == FIRMA, accounts.currency > 0],
        [0.5, 2.5, 9.0, 1.5], 0.0,
    )  # fmt: skip
    start = np.maximum(accounts.opened, people.since[accounts.owner])
    stop = np.minimum(people.last_day[accounts.owner], accounts.last_day)
    account, day = spread(rng, plan, rate / 30, start, stop, busy)
    n = len(day)
    credit = rng.random(n) < np.select([accounts.type == FIRMA, accounts.type == KARTE], [0.55, 0.05], 0.6)[account]
    cents = np.maximum(np.round(np.exp(rng.normal(9.2, 1.0, n))), 1).astype(np.int64)
    yen = accounts.currency[account] == CURRENCIES.index("JPY")
    cents = np.where(yen, (cents // 100 + 1) * 10_000, cents)
    channel = pick(["WEB", "APP", "BR"], weighted(rng, [5, 4, 1], n))
    shop = pick(words.SHOPS + words.WEB_SHOPS, rng.integers(0, len(words.SHOPS) + len(words.WEB_SHOPS), n))
    own = np.isin(accounts.type[account], (SPAR,))
    text = where(own, "Übertrag", where(credit, "Gutschrift", "Zahlung"))
    return Bookings(account, day, clock(rng, n), cents, credit, TRANSFER, channel, where(own, None, shop), text)


def _balances(account: Ints, signed: Ints, opening: Ints) -> Ints:
    """Balance of its account after each booking, in the order given; cents."""
    order = np.argsort(account, kind="stable")
    running = np.cumsum(signed[order])
    start = np.searchsorted(account[order], np.arange(len(opening)))
    before = np.concatenate([[0], running])[start]
    out = np.empty_like(running)
    out[order] = running - before[account[order]] + opening[account[order]]
    return out


def transaction_feed(plan: Plan, people: People, accounts: Accounts) -> Feed:
    """The feed ``transactions``, ordered by booking day and moment, with versions, late and repeated rows."""
    import pyarrow as pa

    rng = plan.rng("transactions/feed")
    kinds = [
        *_regular(plan, people, accounts),
        *_of_bank(plan, people, accounts),
        *_daily(plan, people, accounts),
    ]
    account = np.concatenate([k.account for k in kinds])
    acted = np.concatenate([k.day for k in kinds])
    moment = acted * 86400 + np.concatenate([k.second for k in kinds])
    purpose = np.repeat([k.purpose for k in kinds], [len(k.day) for k in kinds])
    cents = np.concatenate([k.cents for k in kinds])
    credit = np.concatenate([k.is_credit for k in kinds])
    # Cards are booked the next day more often than not, and nothing is booked on a weekend.
    booked = acted + ((purpose == POS) & (rng.random(len(acted)) < 0.6))
    booked = booked + np.array([0, 0, 0, 0, 0, 2, 1])[weekday_of(booked)]
    kept = (booked <= plan.last) & (booked >= plan.first) & (booked < accounts.closed[account])
    order = np.flatnonzero(kept)[np.lexsort((account[kept], moment[kept], booked[kept]))]
    opening = np.exp(plan.rng("balances").normal(12.6, 1.0, len(accounts.owner))).astype(np.int64)
    taken = pa.array(order)

    def text(column: list["pa.Array"]) -> "pa.Array":
        return pa.concat_arrays(column).take(taken)

    channel, counterparty = text([k.channel for k in kinds]), text([k.counterparty for k in kinds])
    remittance = text([k.text for k in kinds])
    account, moment, purpose, cents, credit, booked = (
        a[order] for a in (account, moment, purpose, cents, credit, booked)
    )
    n = len(order)
    is_reversed = rng.random(n) < 0.002
    balance = _balances(account, np.where(is_reversed, 0, np.where(credit, cents, -cents)), opening)
    system = np.isin(purpose, (SALARY, PENSION, INTEREST, FEE, STANDING, LOAN, INSURANCE))
    table = pa.table(
        {
            "txn_ref": join("T", digits(np.arange(n) + 1, 10)),
            "acct": pick(accounts.id, account),
            "book_date": days_text(booked),
            "entry_ts": moment_text(moment, "{Y}-{m}-{d}T{H}", mask=system),
            "amt": money(cents),
            "ccy": pick(CURRENCIES, accounts.currency[account]),
            "dc": pick(["D", "C"], credit.astype(np.int64)),
            "state": pick(["B", "R"], is_reversed.astype(np.int64)),
            "purpose_code": pick(PURPOSES, purpose),
            "chan": channel,
            "counterparty": counterparty,
            "balance": money(balance),
            "remittance_text": remittance,
            "rev_no": _repeat_text("1", n),
        }
    )
    feed = Feed("transactions", table, plan.slot_of(booked), slots(plan))
    _versions(plan, rng, feed, booked, cents, purpose)
    return feed


def _versions(plan: Plan, rng: np.random.Generator, feed: Feed, booked: Ints, cents: Ints, purpose: Ints) -> None:
    """Corrections, bookings that were pending, repeats of the day before, and the late file."""
    import pyarrow as pa

    p, n = plan.settings["delivery"], len(booked)
    final = len(feed.slots) - 1
    can_follow = feed.slot < final
    draw = rng.random(n)
    corrected = np.flatnonzero(can_follow & (draw < p["corrected_transactions"]))
    if not len(corrected):
        corrected = np.flatnonzero(can_follow)[-1:]
    recent = (booked > plan.history) & can_follow
    pending = np.flatnonzero(recent & (purpose == POS) & (draw > 1 - p["pending_at_first"]))
    # The first day after the history, or the second where the first is a Sunday.
    day = plan.history + 1 if (booked == plan.history + 1).any() else plan.history + 2
    late = np.flatnonzero((booked == day) & (draw > 0.3) & (draw < 0.3 + p["late_transactions"]))
    late = np.setdiff1d(late, np.concatenate([corrected, pending]))
    again = np.flatnonzero(recent & (draw > 0.5) & (draw < 0.5 + p["repeated_from_day_before"]))
    again = np.setdiff1d(again, np.concatenate([corrected, pending, late]))

    table = feed.table
    delta = np.maximum(1, np.round(cents[corrected] * rng.uniform(0.5, 1.5, len(corrected)))).astype(np.int64)
    second = table.take(pa.array(corrected))
    second = second.set_column(4, "amt", money(delta)).set_column(13, "rev_no", _repeat_text("2", len(corrected)))
    # The balance of a corrected row is told by later rows only.
    second = second.set_column(11, "balance", nothing(len(corrected)))
    then_booked = table.take(pa.array(pending)).set_column(13, "rev_no", _repeat_text("2", len(pending)))
    is_pending = np.isin(np.arange(n), pending)
    at = table.schema.get_field_index("state")
    first = table.set_column(at, "state", where(is_pending, "P", table["state"].combine_chunks()))
    after = np.minimum(feed.slot[corrected] + 1 + rng.integers(0, 3, len(corrected)), final)
    slot = feed.slot.copy()
    if len(late):
        slot[late] = len(feed.slots)
        feed.slots.append(Slot(plan.last, day, 2))
    feed.table = pa.concat_tables([first, second, then_booked, first.take(pa.array(again))])
    feed.slot = np.concatenate([slot, after, feed.slot[pending] + 1, slot[again] + 1])
