"""Channels of the synthetic bank: visits of the app and the web site, calls of the contact centre.

Here belongs what people do in a channel. What they say about it belongs in ``experience``.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cx360.sample import words
from cx360.sample.bank import (
    NEVER,
    OFFICE_HOURS,
    OFFICE_WEEKDAYS,
    Bools,
    Feed,
    Floats,
    Ints,
    Plan,
    calendar,
    clock,
    digits,
    join,
    moment_text,
    pick,
    slots,
    spread,
    utc,
    weighted,
    where,
)
from cx360.sample.names import latin
from cx360.sample.party_records import Parties
from cx360.sample.people import People, phone_text

if TYPE_CHECKING:
    import pyarrow as pa

#: Agents of the contact centre.
AGENTS = 40


@dataclass
class Visits:
    """One element a session, and the devices and logins behind them."""

    person: Ints  # -1 for an anonymous visitor
    device: Ints
    start: Ints  # moment
    logs_in: Bools
    verified: Bools
    device_id: "pa.Array"  # of each device
    platform: Ints  # of each device: 0 ios, 1 android, 2 web
    user: "pa.Array"  # of each person: login name, null if none


@dataclass
class Calls:
    """One element a call, in order of time; ``id`` is what the bank calls it."""

    id: "pa.Array"
    person: Ints
    start: Ints  # moment
    queued: Ints
    answered: Ints
    end: Ints
    wait: Ints  # seconds
    handle: Ints  # seconds, 0 if not handled
    topic: Ints
    handled: Bools
    abandoned: Bools
    outbound: Bools
    transfers: Ints
    identified: Bools
    phone: "pa.Array"  # as the telephone system writes it, null if withheld
    number: Ints  # index of the number
    has_id: Bools
    agent: Ints  # who takes it first, below AGENTS


def _devices(plan: Plan, rng: np.random.Generator, people: People) -> tuple[Bools, Ints, Ints, Ints, "pa.Array", Ints]:
    """Who uses the app, on which devices: (user, first, second, third device of a person, ids, platforms)."""
    p, n = plan.settings["channels"], people.n
    age = (plan.last - people.born) // 365
    user = (age >= 13) & (rng.random(n) < p["app_user"] * np.where(age > 70, 0.6, 1.04)) & (people.since < plan.last)
    user |= people.grow < NEVER
    first = np.where(user, np.arange(n), -1)
    second = np.where(user & (rng.random(n) < p["second_device"]), n + np.arange(n), -1)
    third = np.where((second >= 0) & (rng.random(n) < p["third_device"]), 2 * n + np.arange(n), -1)
    head = np.searchsorted(people.household, people.household)
    tablet = (np.bincount(people.household)[people.household] >= 3) & (rng.random(n)[head] < p["family_tablet"])
    third = np.where(user & tablet, 3 * n + people.household, third)
    visitors = max(1, round(p["anonymous_visitors"] * n))
    total = 4 * n + visitors
    first_platform = weighted(rng, [4, 6], n)
    platform = np.concatenate(
        [first_platform, np.full(n, 2), weighted(rng, [4, 6], n), rng.integers(0, 2, n), np.full(visitors, 2)]
    )
    high, low = rng.integers(0, 16**6, total), np.arange(total)
    ids = join(pick(["ios-", "and-", "web-"], platform), digits(high, 8), digits(low, 7))
    return user, first, second, third, ids, platform


def make_visits(plan: Plan, people: People) -> Visits:
    """Draw sessions of people and of visitors nobody knows."""
    rng, p = plan.rng("app_events/visits"), plan.settings["channels"]
    user, first, second, third, ids, platform = _devices(plan, rng, people)
    busy = calendar(plan, np.array([1.1, 1.05, 1, 1, 1.1, 0.9, 0.8]))
    keen = rng.gamma(1.3, 1 / 1.3, people.n) * people.pace * user * p["sessions_per_month"] / 30
    person, day = spread(rng, plan, keen, people.since, people.last_day, busy)
    more = (people.grow < NEVER) * plan.settings["planted"]["growers"]["sessions_per_month"] / 30
    grower, on = spread(plan.rng("app_events/growers"), plan, more, people.grow, people.last_day, busy)
    person, day = np.concatenate([person, grower]), np.concatenate([day, on])
    n = len(person)
    draw = rng.random(n)
    device = np.where((draw > 0.72) & (second[person] >= 0), second[person], first[person])
    device = np.where((draw > 0.9) & (third[person] >= 0), third[person], device)
    visitors = len(ids) - 4 * people.n
    stranger, their_day = spread(
        rng, plan, rng.gamma(1, 0.03, visitors), np.full(visitors, plan.first), np.full(visitors, plan.last), busy
    )
    person = np.concatenate([person, np.full(len(stranger), -1)])
    device = np.concatenate([device, 4 * people.n + stranger])
    day = np.concatenate([day, their_day])
    second = clock(rng, len(day))
    # A visit ends on the day it began.
    start = day * 86400 + np.where(second >= 83_000, second - 3600, second)
    logs_in = (person >= 0) & (rng.random(len(day)) > p["no_login"])
    verified = logs_in & (rng.random(len(day)) > p["not_verified"])
    login = join(
        latin(people.first), digits(np.arange(people.n) * 97 % 10_007 + np.arange(people.n) // 10_007 * 10_007)
    )
    return Visits(person, device, start, logs_in, verified, ids, platform, where(user, login, None))


def app_feed(plan: Plan, people: People, parties: Parties, visits: Visits) -> Feed:
    """The feed ``app_events``: what happens before the login carries a device only."""
    import pyarrow as pa

    rng, p = plan.rng("app_events/events"), plan.settings["channels"]
    n = len(visits.person)
    deeds = np.where(visits.logs_in, rng.poisson(p["events_per_session"] - 2, n) + 1, 0)
    fails = visits.logs_in & (rng.random(n) < 0.06)
    count = 1 + fails + visits.logs_in + deeds + (~visits.logs_in) * rng.integers(0, 3, n)
    session = np.repeat(np.arange(n), count)
    step = np.arange(len(session)) - np.repeat(np.cumsum(count) - count, count)
    login_step = np.where(visits.logs_in, 1 + fails, NEVER)[session]
    wait = np.round(rng.exponential(28, len(session))).astype(np.int64) + 1
    passed = np.cumsum(wait) - np.repeat((np.cumsum(wait) - wait)[np.cumsum(count) - count], count)
    moment = visits.start[session] + np.minimum(passed, 3000)
    late_night = moment // 3600 % 24 == 2
    moment = np.where(late_night, moment // 3600 * 3600 - 1, moment)
    deed = weighted(rng, [e[2] for e in words.SESSION_EVENTS], len(session))
    names = [e[0] for e in words.SESSION_EVENTS] + ["app_open", "login_failed", "login", "view_page"]
    k = len(words.SESSION_EVENTS)
    failed = fails[session] & (step == 1)
    before = step < login_step
    code = np.select([step == 0, failed, step == login_step, before], [k, k + 1, k + 2, k + 3], deed)
    features = [e[1] for e in words.SESSION_EVENTS] + ["start", "login", "login", "products"]
    known = ~before
    person = visits.person[session]
    kept = np.flatnonzero(moment // 86400 <= plan.last)
    order = kept[np.lexsort((step[kept], session[kept], moment[kept]))]
    moment, person, known, code, session = (a[order] for a in (moment, person, known, code, session))
    device = visits.device[session]
    total = len(order)
    fraction = rng.integers(0, 1000, total)
    error = (code == k + 1) | (rng.random(total) < p["error"])
    at = utc(moment)
    table = pa.table(
        {
            "id": join("e", digits(np.arange(total) + 1, 10)),
            "ts": join(moment_text(at, "{Y}-{m}-{d}T{H}"), ".", digits(fraction, 3), "Z"),
            "dev": pick(visits.device_id, device),
            "usr": pick(visits.user, np.where(known, person, -1)),
            "cust": pick(parties.id, np.where(known & visits.verified[session], parties.main[person], -1)),
            "sid": join("s", digits(session + 1, 9)),
            "name": pick(names, code),
            "feat": pick(features, code),
            "os": pick(["iOS", "Android", "Web"], visits.platform[device]),
            "err": pick(["false", "true"], error.astype(np.int64)),
        }
    )
    slot = plan.slot_of(moment // 86400)
    offline = (rng.random(total) < plan.settings["delivery"]["late_app_events"]) & (visits.platform[device] < 2)
    recent = (moment // 86400 > plan.history) & (moment // 86400 < plan.last)
    return Feed("app_events", table, slot + (offline & recent), slots(plan))


# ---- calls -----------------------------------------------------------------------------------------------------------


def planted_group(plan: Plan, people: People) -> Bools:
    """Members of the group whose calls wait long; nobody when nothing is planted."""
    region = plan.settings["planted"]["long_waits"]["region"]
    there = np.array([c[1] == region for c in words.CITIES])[people.city]
    return there & people.adult & plan.plant


def _episodes(plan: Plan, rng: np.random.Generator, people: People) -> tuple[Ints, Ints, Ints]:
    """(person, day, topic) of calls: first ones, and repeated ones on the same topic within a week."""
    p = plan.settings["channels"]
    busy = calendar(plan, OFFICE_WEEKDAYS)
    rate = rng.gamma(0.8, 1 / 0.8, people.n) * people.adult * p["calls_per_month"] / 30
    rate *= (people.mobile >= 0) | (people.landline >= 0)
    person, day = spread(rng, plan, rate, people.since, people.last_day, busy)
    topic = weighted(rng, [t[2] for t in words.TOPICS], len(person))
    out = [(person, day, topic)]
    for _ in range(2):  # some call a third time
        again = rng.random(len(person)) < p["repeated_call"]
        person, topic, day = person[again], topic[again], day[again] + rng.integers(1, 6, again.sum())
        day = day + (day + 3) % 7 // 6  # never on Sunday
        kept = day <= np.minimum(people.last_day[person], plan.last)
        person, day, topic = person[kept], day[kept], topic[kept]
        out.append((person, day, topic))
    a, b, c = (np.concatenate([o[i] for o in out]) for i in range(3))
    return a, b, c


def _waits(plan: Plan, rng: np.random.Generator, person: Ints, day: Ints, hour: Ints, group: Bools) -> Floats:
    """Seconds in the queue: longer at noon and on Mondays, much longer for the planted group from a day on."""
    facts = plan.settings["planted"]["long_waits"]
    load = 0.5 + (OFFICE_HOURS / OFFICE_HOURS.max())[hour] * 0.8 + 0.4 * ((day + 3) % 7 == 0)
    wait = rng.exponential(plan.settings["channels"]["wait_seconds"], len(person)) * load
    late = day >= plan.day_at(facts["after_share_of_days"])
    return np.where(group[person] & late, wait * facts["wait_factor"], wait)


def make_calls(plan: Plan, people: People) -> Calls:
    """Draw calls in order of time."""
    rng, p = plan.rng("call_logs"), plan.settings["channels"]
    person, day, topic = _episodes(plan, rng, people)
    second = clock(rng, len(day), OFFICE_HOURS)
    order = np.lexsort((topic, person, day * 86400 + second))
    person, day, topic, second = person[order], day[order], topic[order], second[order]
    n, start = len(person), day * 86400 + second
    outbound = rng.random(n) < p["outbound"]
    offered = outbound | (rng.random(n) > p["not_offered"])
    wait = np.round(_waits(plan, rng, person, day, second // 3600, planted_group(plan, people))).astype(np.int64)
    patience = np.round(rng.exponential(p["patience_seconds"], n) + 3).astype(np.int64)
    wait = np.where(outbound, 0, wait)
    abandoned = offered & ~outbound & ((wait > patience) | (rng.random(n) < 0.006))
    wait = np.where(abandoned, np.minimum(patience, np.maximum(wait, 1)), wait)
    handled = offered & ~abandoned
    transfers = np.where(handled & (rng.random(n) < p["transfer"]), 1 + (rng.random(n) < 0.15), 0)
    mean = np.array([t[3] for t in words.TOPICS])[topic]
    handle = np.round(rng.gamma(3, mean / 3) * (1 + 0.5 * transfers)).astype(np.int64) + 15
    handle = np.where(handled, handle, 0)
    after_work = np.minimum(handle // 6, 60)
    queued = start + rng.integers(8, 40, n)  # the menu before the queue
    answered = queued + wait
    end = np.where(handled, answered + handle - after_work, np.where(abandoned, queued + wait, queued))
    mobile = people.mobile_on(person, day)
    number = np.where(
        (mobile < 0) | (rng.random(n) < 0.2) & (people.landline[person] >= 0), people.landline[person], mobile
    )
    withheld = (rng.random(n) < p["number_withheld"]) | (number < 0)
    phone = phone_text(people, np.where(withheld, -1, number), np.where(rng.random(n) < 0.6, 1, 4))
    identified = handled & (rng.random(n) < p["party_identified"])
    has_id = rng.random(n) > plan.settings["dirt"]["calls_without_id"]
    if n > 200 and has_id.all():
        has_id[n // 2] = False
    number = np.where(withheld, -1, number)
    return Calls(
        join("C", digits(np.arange(n) + 1, 9)), person, start, queued, answered, end, wait, handle, topic, handled,
        abandoned, outbound, transfers, identified, phone, number, has_id, rng.integers(0, AGENTS, n),
    )  # fmt: skip


def call_feed(plan: Plan, parties: Parties, calls: Calls, complaint: "pa.Array") -> Feed:
    """The feed ``call_logs``; ``complaint`` is the complaint each call led to, or null."""
    import pyarrow as pa

    rng, n = plan.rng("call_logs/feed"), len(calls.person)
    offered = calls.handled | calls.abandoned
    outcome = np.select([calls.handled, calls.abandoned], [0, 1], 2)
    outcome = np.where(~calls.handled & (rng.random(n) < 0.03), 3, outcome)
    form = "{d}.{m}.{Y} {H}"
    note = pick(words.NOTES, np.where(calls.handled & (rng.random(n) < 0.8), rng.integers(0, len(words.NOTES), n), -1))
    twin = parties.twin[calls.person]
    known = (parties.created[twin] < calls.start // 86400) & (rng.random(n) < 0.1)
    party = np.where(known, twin, parties.main[calls.person])
    table = pa.table(
        {
            "Ruf_ID": where(calls.has_id, calls.id, None),
            "Beginn": moment_text(calls.start, form),
            "Ende": moment_text(calls.end, form),
            "Eingereiht": moment_text(calls.queued, form, mask=~offered | calls.outbound),
            "Angenommen": moment_text(calls.answered, form, mask=~calls.handled),
            "Rufnummer": calls.phone,
            "Kunde": pick(parties.id, np.where(calls.identified, party, -1)),
            "Richtung": pick(["E", "A"], calls.outbound.astype(np.int64)),
            "Warteschlange": pick([t[1] for t in words.TOPICS], np.where(offered, calls.topic, -1)),
            "Anliegen": pick(
                [t[0] for t in words.TOPICS], np.where(calls.handled | (rng.random(n) < 0.5), calls.topic, -1)
            ),
            "Ergebnis": pick(["BEARBEITET", "ABGEBROCHEN", "NICHT_ANGEBOTEN", "UNBEKANNT"], outcome),
            "Agent": where(calls.handled, _agent_id(calls.agent), None),
            "Bearbeitung_s": digits(calls.handle, mask=~calls.handled),
            "Weiterleitungen": digits(calls.transfers, mask=~calls.handled),
            "Beschwerde": complaint,
            "Notiz": note,
        }
    )
    return Feed("call_logs", table, plan.slot_of(calls.start // 86400), slots(plan))


def _agent_id(agent: Ints) -> "pa.Array":
    return join("A", digits(100 + agent))


def leg_feed(plan: Plan, calls: Calls) -> Feed:
    """The feed ``call_legs``: legs of handled calls that have an id; they add up to the call's handling time."""
    import pyarrow as pa

    rng = plan.rng("call_legs")
    taken = np.flatnonzero(calls.handled & calls.has_id)
    count = calls.transfers[taken] + 1
    call, first = np.repeat(taken, count), np.repeat(np.cumsum(count) - count, count)
    leg = np.arange(len(call)) - first
    # Each leg ends near its even share of the call, the last one with it.
    share = (leg + 1 + rng.uniform(-0.3, 0.3, len(call))) / (calls.transfers[call] + 1)
    until = np.round(calls.handle[call] * np.where(leg < calls.transfers[call], share, 1)).astype(np.int64)
    since = np.where(leg > 0, np.roll(until, 1), 0)
    # A call is passed on to somebody else, and from there on or back.
    steps = np.cumsum(np.where(leg > 0, rng.integers(1, AGENTS, len(call)), 0))
    back = (leg == 2) & (rng.random(len(call)) < plan.settings["channels"]["transfer_back"])
    agent = np.where(back, calls.agent[call], (calls.agent[call] + steps - steps[first]) % AGENTS)
    table = pa.table(
        {
            "Abschnitt": join(pick(calls.id, call), "-", digits(leg + 1)),
            "Ruf_ID": pick(calls.id, call),
            "Agent": _agent_id(agent),
            "Beginn": moment_text(calls.answered[call] + since, "{d}.{m}.{Y} {H}"),
            "Bearbeitung_s": digits(until - since),
        }
    )
    return Feed("call_legs", table, plan.slot_of(calls.start[call] // 86400), slots(plan))
