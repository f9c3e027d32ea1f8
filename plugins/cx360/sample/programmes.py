"""Programmes of the synthetic bank: scores of its risk engines, campaigns, points.

Here belongs what the bank does about people by itself. What people do belongs in ``channels`` and ``money``. Each feed
has random numbers of its own, so that a bank with it is the bank without it and one feed more.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from cx360.sample.bank import (
    NEVER,
    OFFICE_HOURS,
    OFFICE_WEEKDAYS,
    WEEKDAYS,
    Feed,
    Ints,
    Plan,
    calendar,
    clock,
    days_text,
    digits,
    join,
    moment_text,
    money,
    pick,
    slots,
    spread,
    weighted,
    where,
)
from cx360.sample.party_records import Parties
from cx360.sample.people import People

if TYPE_CHECKING:
    import pyarrow as pa

#: Engine, lowest and highest point of its scale, whether high is bad, version of its model.
ENGINES = [("BETRUG", 0, 1000, True, "FR-7"), ("GELDW", 0, 100, True, "AML 2025.2"), ("BONI", 300, 850, False, "B3")]

CAMPAIGNS = ["Tagesgeld Frühling", "Kreditkarte Gold", "Baufinanzierung", "Depot-Wechsel", "App kennenlernen"]
MEDIA = ["push", "mail", "sms", "anruf", "brief"]
LETTER = 4

KINDS = ["SAMMELN", "KORREKTUR", "EINLOESEN", "VERFALL"]
EARN, ADJUST, REDEEM, EXPIRE = range(4)


def risk_feed(plan: Plan, people: People, parties: Parties) -> Feed:
    """The feed ``risk_scores``: engines run in the early morning over some people, each with a risk of their own."""
    import pyarrow as pa

    rng, p = plan.rng("risk_scores"), plan.settings["programmes"]
    busy, per_month = calendar(plan, WEEKDAYS), p["scores_per_month"]
    drawn = [
        spread(rng, plan, per_month[engine[0]] / 30 * people.adult, people.since, people.last_day, busy)
        for engine in ENGINES
    ]
    person, day = (np.concatenate([one[k] for one in drawn]) for k in range(2))
    engine = np.repeat(np.arange(len(ENGINES)), [len(one[0]) for one in drawn])
    n = len(person)
    nature = rng.beta(1.2, 6, people.n)
    risk = np.clip(nature[person] + rng.normal(0, 0.05, n), 0, 1)
    moment = day * 86400 + 4 * 3600 + rng.integers(0, 3600, n)
    low, high, is_high_bad = (np.array([e[k] for e in ENGINES])[engine] for k in (1, 2, 3))
    hundredths = 100 * low + np.round(np.where(is_high_bad, risk, 1 - risk) * 100 * (high - low)).astype(np.int64)
    band = np.searchsorted([p["medium_from"], p["high_from"]], risk, side="right")
    order = np.lexsort((engine, person, moment))
    table = pa.table(
        {
            "score_no": join("R", digits(np.arange(n) + 1, 9)),
            "cust_no": pick(parties.id, parties.main[person[order]]),
            "engine": pick([e[0] for e in ENGINES], engine[order]),
            "wert": money(hundredths[order], point=","),
            "skala_von": digits(low[order]),
            "skala_bis": digits(high[order]),
            "hoch_ist": pick(["gut", "schlecht"], is_high_bad[order].astype(np.int64)),
            "klasse": pick(["A", "B", "C"], band[order]),
            "zeitpunkt": moment_text(moment[order], "{d}.{m}.{Y} {H}"),
            "modell": pick([e[4] for e in ENGINES], engine[order]),
        }
    )
    return Feed("risk_scores", table, plan.slot_of(day[order]), slots(plan))


def outreach_feed(plan: Plan, people: People, parties: Parties) -> Feed:
    """The feed ``outreach``: a row when a message is sent, and one more whenever something becomes of it."""
    import pyarrow as pa

    rng, p = plan.rng("outreach"), plan.settings["programmes"]
    busy = calendar(plan, OFFICE_WEEKDAYS)
    person, day = spread(rng, plan, p["messages_per_month"] / 30 * people.adult, people.since, people.last_day, busy)
    n = len(person)
    medium, campaign = weighted(rng, p["channels"], n), rng.integers(0, len(CAMPAIGNS), n)
    sent = day * 86400 + clock(rng, n, OFFICE_HOURS)
    delay = np.where(medium == LETTER, rng.integers(1, 4, n) * 86400, rng.integers(1, 120, n))
    never = NEVER * 86400
    arrives = rng.random(n) < np.array(p["delivered"])[medium]
    delivered = np.where(arrives, _awake(sent + delay), never)
    reacts = arrives & (rng.random(n) < p["reacted"])
    reacted = np.where(reacts, _awake(delivered + rng.integers(60, 5 * 86400, n)), never)
    buys = np.where(reacts, rng.random(n) < p["bought"], arrives & (rng.random(n) < p["bought_anyway"]))
    bought = np.where(buys, _awake(np.where(reacts, reacted, delivered) + rng.integers(600, 20 * 86400, n)), never)

    stages = np.stack([sent, delivered, reacted, bought])
    stage, row = np.nonzero(stages // 86400 <= plan.last)
    changed = stages[stage, row]
    order = np.lexsort((stage, person[row], changed))
    stage, row, changed = stage[order], row[order], changed[order]

    def known(k: int) -> "pa.Array":
        """A moment, where this version knows it; what comes later it does not."""
        moment = stages[k, row]
        return moment_text(np.where(moment <= changed, moment, 0), mask=moment > changed)

    table = pa.table(
        {
            "message_id": join("M", digits(row + 1, 9)),
            "customer": pick(parties.id, parties.main[person[row]]),
            "campaign": pick(CAMPAIGNS, campaign[row]),
            "medium": pick(MEDIA, medium[row]),
            "sent": known(0),
            "delivered": known(1),
            "reacted": known(2),
            "bought": known(3),
            "changed": moment_text(changed),
        }
    )
    return Feed("outreach", table, plan.slot_of(changed // 86400), slots(plan))


def _awake(moment: Ints) -> Ints:
    """Moments, those in the hour in which nothing happens an hour later."""
    return np.where(moment // 3600 % 24 == 2, moment + 3600, moment)


class Entries(NamedTuple):
    """Entries of the points ledger of one kind; one element each."""

    member: Ints
    day: Ints
    points: Ints
    kind: Ints
    until: Ints  # last day the points can be used, or NEVER


def points_feed(plan: Plan, people: People, parties: Parties) -> Feed:
    """The feed ``points_entries``: members earn, redeem what expires first, and lose what they did not use in time."""
    import pyarrow as pa

    rng, p = plan.rng("points_entries"), plan.settings["programmes"]
    members = np.flatnonzero(people.adult & (rng.random(people.n) < p["members"]))
    unknown = rng.random(len(members)) < p["unknown_member"]
    earned = _earned(plan, rng, people, members)
    lots = [earned, *_used(plan, rng, people, members, earned)]
    member, day, points, kind, until = (np.concatenate([getattr(one, f) for one in lots]) for f in Entries._fields)
    order = np.lexsort((member, kind, day))
    member, day, points, kind, until = (a[order] for a in (member, day, points, kind, until))
    party = pick(parties.id, parties.main[members[member]])
    purposes = ["Einkauf", "Kulanz", "Prämie", "Verfall"]
    table = pa.table(
        {
            "booking_no": join("P", digits(np.arange(len(order)) + 1, 9)),
            "cust_no": where(unknown[member], join("U", digits(members[member], 7)), party),
            "booked": days_text(day, "%Y%m%d"),
            "points": digits(points),
            "kind": pick(KINDS, kind),
            "usable_until": days_text(until, "%Y%m%d"),
            "purpose": pick(purposes, kind),
        }
    )
    return Feed("points_entries", table, plan.slot_of(day), slots(plan))


def _earned(plan: Plan, rng: np.random.Generator, people: People, members: Ints) -> Entries:
    """What members gain: for what they buy, in promotions, and now and then as goodwill."""
    p = plan.settings["programmes"]
    keen = rng.gamma(2, 0.5, len(members)) * p["earnings_per_month"] / 30
    busy = calendar(plan, WEEKDAYS)
    member, day = spread(rng, plan, keen, people.since[members], people.last_day[members], busy)
    n = len(member)
    draw = rng.random(n)
    is_goodwill, is_promotion = draw < p["goodwill"], draw > 1 - p["promotion"]
    points = np.where(is_goodwill, 100, 5 + rng.poisson(rng.gamma(1.5, 60, n)))
    valid = np.where(is_promotion, p["promotion_valid_days"], p["valid_days"])
    until = np.where(is_goodwill, NEVER, day + valid)
    return Entries(member, day, points, np.where(is_goodwill, ADJUST, EARN), until)


def _used(
    plan: Plan, rng: np.random.Generator, people: People, members: Ints, earned: Entries
) -> tuple[Entries, Entries]:
    """What members redeem and what expires, day by day: a share of what they hold, of what expires first."""
    p = plan.settings["programmes"]
    busy = calendar(plan, WEEKDAYS)
    often = np.full(len(members), p["redemptions_per_month"] / 30)
    shopper, on = spread(rng, plan, often, people.since[members], people.last_day[members], busy)
    share = rng.choice([0.3, 0.6, 1.0], len(shopper))
    # Points by the last day they can be used, in turn; those without one are in the last column.
    turn = p["valid_days"] + 1
    held = np.zeros((len(members), turn + 1), np.int64)
    column = np.where(earned.until == NEVER, turn, earned.until % turn)
    by_day, by_shopping = np.argsort(earned.day, kind="stable"), np.argsort(on, kind="stable")
    days = np.arange(plan.first, plan.last + 2)
    gains, trips = np.searchsorted(earned.day[by_day], days), np.searchsorted(on[by_shopping], days)
    redeemed, expired = [], []
    for k, day in enumerate(days[:-1]):
        over = held[:, (day - 1) % turn]
        expired.append(_entries(np.arange(len(members)), day, -over, EXPIRE))
        held[:, (day - 1) % turn] = 0
        gain = by_day[gains[k] : gains[k + 1]]
        np.add.at(held, (earned.member[gain], column[gain]), earned.points[gain])
        trip = by_shopping[trips[k] : trips[k + 1]]
        who, first = np.unique(shopper[trip], return_index=True)
        soonest = np.append((day + np.arange(turn)) % turn, turn)
        has = held[np.ix_(who, soonest)]
        wants = np.floor(share[trip][first] * has.sum(axis=1)).astype(np.int64)[:, None]
        takes = np.clip(wants - (has.cumsum(axis=1) - has), 0, has)
        held[np.ix_(who, soonest)] = has - takes
        redeemed.append(_entries(who, day, -takes.sum(axis=1), REDEEM))
    return _joined(redeemed), _joined(expired)


def _entries(member: Ints, day: int, points: Ints, kind: int) -> Entries:
    """Entries of one day and kind, of those who have any."""
    some = np.flatnonzero(points)
    constant = (np.full(len(some), value, np.int64) for value in (day, kind, NEVER))
    on, what, until = constant
    return Entries(member[some], on, points[some], what, until)


def _joined(parts: list[Entries]) -> Entries:
    return Entries(*(np.concatenate([getattr(part, f) for part in parts]) for f in Entries._fields))
