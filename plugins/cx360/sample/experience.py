"""Experience at the synthetic bank: what people answer in surveys, and what they complain about.

Here belongs what people say. The calls it is about belong in ``channels``.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cx360.sample import words
from cx360.sample.bank import (
    NEVER,
    WEEKDAYS,
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
    offset,
    pick,
    slots,
    spread,
    where,
)
from cx360.sample.channels import Calls, Visits, planted_group
from cx360.sample.party_records import Parties
from cx360.sample.people import People, phone_text

if TYPE_CHECKING:
    import pyarrow as pa

#: Question, metric, kind, lowest, highest, mean score of an average customer, spread.
QUESTIONS: list[tuple[str, str, str, int, int, float, float]] = [
    ("R-NPS-1", "NPS", "REL", 0, 10, 7.6, 1.6),
    ("T-NPS-1", "NPS", "TRX", 0, 10, 7.9, 1.5),
    ("T-CSAT-1", "CSAT", "TRX", 1, 5, 4.0, 0.7),
    ("T-CES-2", "CES", "TRX", 1, 7, 5.4, 1.0),
    ("A-CSAT-1", "CSAT", "TRX", 1, 5, 4.1, 0.8),
]
RELATIONSHIP, NPS, CSAT, CES, APP = range(5)


@dataclass
class Complaints:
    """One element a complaint."""

    id: "pa.Array"
    person: Ints
    received: Ints  # moment
    closed: Ints  # moment, or NEVER days
    what: Ints
    channel: Ints
    call: Ints  # index of the call it came from, or -1


@dataclass
class _Asked:
    """Questions asked: one element a question and invitation."""

    person: Ints
    moment: Ints
    question: Ints
    answered: Bools
    call: Ints
    shift: Floats  # points the score is moved by what was planted


@dataclass
class Surveys:
    """One element a question asked, answered or not."""

    told: "pa.Table"  # as the feed ``survey_responses`` tells it
    moment: Ints
    question: Ints
    answered: Bools
    call: Ints  # index of the call it is about, or -1


def _asked(plan: Plan, rng: np.random.Generator, people: People, visits: Visits, calls: Calls) -> list[_Asked]:
    p = plan.settings["experience"]
    facts = plan.settings["planted"]["long_waits"]
    out = []

    def ask(person: Ints, moment: Ints, question: int, call: Ints, shift: Floats, answers: Bools) -> None:
        out.append(_Asked(person, moment, np.full(len(person), question), answers, call, shift))

    busy = calendar(plan, WEEKDAYS)
    person, day = spread(
        rng, plan, p["relationship_per_month"] / 30 * people.adult, people.since + 30, people.last_day, busy
    )
    n = len(person)
    ask(person, day * 86400 + clock(rng, n), RELATIONSHIP, np.full(n, -1), np.zeros(n), rng.random(n) < p["answers"])

    call = np.flatnonzero(calls.handled & ~calls.outbound & (rng.random(len(calls.person)) < p["transactional"]))
    person, n = calls.person[call], len(call)
    later = calls.end[call] + rng.integers(300, 4 * 3600, n)
    waited = planted_group(plan, people)[person] & (calls.wait[call] > facts["long_wait_seconds"])
    shift = np.where(waited, facts["score_change"], 0.0)
    answers = rng.random(n) < p["answers"]
    ask(person, later, NPS, call, shift, answers)
    some = rng.random(n) < 0.8
    ask(person[some], later[some] + 20, CSAT, call[some], shift[some] * 0.5, answers[some])
    some = rng.random(n) < 0.5
    ask(person[some], later[some] + 45, CES, call[some], shift[some] * 0.5, answers[some])

    visit = np.flatnonzero(visits.logs_in & (rng.random(len(visits.person)) < p["app_survey"]))
    n = len(visit)
    ask(visits.person[visit], visits.start[visit] + rng.integers(120, 900, n), APP, np.full(n, -1), np.zeros(n),
        rng.random(n) < 0.8)  # fmt: skip
    return out


def _comments(rng: np.random.Generator, share: Floats, answered: Bools, p: float) -> "pa.Array":
    """What people write: blame at low scores, praise at high ones; null mostly."""
    n = len(share)
    said = np.select([share < 0.5, share < 0.8], [0, 1], 2)
    lists = [words.BLAME, words.NEUTRAL, words.PRAISE]
    begin = np.cumsum([0] + [len(one) for one in lists])
    index = begin[said] + (rng.random(n) * np.diff(begin)[said]).astype(np.int64)
    writes = answered & (rng.random(n) < np.where(said == 0, min(1.0, p * 1.6), p))
    return pick([text for one in lists for text in one], np.where(writes, index, -1))


def make_surveys(plan: Plan, people: People, parties: Parties, visits: Visits, calls: Calls) -> Surveys:
    """Draw which questions people are asked, and what they answer."""
    import pyarrow as pa

    rng = plan.rng("survey_responses")
    parts = _asked(plan, rng, people, visits, calls)
    person, moment, question, call, shift = (
        np.concatenate([getattr(a, name) for a in parts]) for name in ("person", "moment", "question", "call", "shift")
    )
    answered = np.concatenate([a.answered for a in parts])
    moment = _asleep(moment)
    kept = np.flatnonzero(moment // 86400 <= plan.last)
    order = kept[np.lexsort((question[kept], person[kept], moment[kept]))]
    person, moment, question, call, shift = (a[order] for a in (person, moment, question, call, shift))
    answered = answered[order]
    n = len(order)
    low, high = (np.array([q[i] for q in QUESTIONS])[question] for i in (3, 4))
    center, width = (np.array([q[i] for q in QUESTIONS])[question] for i in (5, 6))
    mood = rng.normal(0, 1, people.n)[person]  # some people are easier to please than others
    score = center + shift + (0.7 * mood + rng.normal(0, 0.8, n)) * width
    score = np.clip(np.round(score), low, high).astype(np.int64)
    by_call = call >= 0
    # One invitation is sent to one address, and knows the party or not, whatever it asks.
    same = np.maximum(call, 0)
    sent_by_phone = by_call & (rng.random(len(calls.person) + 1) < 0.6)[same]
    address = pick(people.email, np.where(sent_by_phone, -1, person))
    number = people.mobile_on(person, moment // 86400)
    by_phone = phone_text(people, np.where(by_call, number, -1), np.full(n, 4))
    import pyarrow.compute as pc

    ahead = offset(moment) // 3600
    chance = np.where(by_call, rng.random(len(calls.person) + 1)[same], rng.random(n))
    names_party = chance < np.where(question == RELATIONSHIP, 0.85, np.where(question == APP, 1.0, 0.6))
    table = pa.table(
        {
            "response_uuid": join("S", digits(np.arange(n) + 1, 9)),
            "submitted": join(moment_text(moment, "{Y}-{m}-{d}T{H}"), pick(["+00:00", "+01:00", "+02:00"], ahead)),
            "customer": pick(parties.id, np.where(names_party, parties.main[person], -1)),
            "sent_to": pc.coalesce(address, by_phone),
            "question": pick([q[0] for q in QUESTIONS], question),
            "metric": pick([q[1] for q in QUESTIONS], question),
            "kind": pick([q[2] for q in QUESTIONS], question),
            "min": digits(low),
            "max": digits(high),
            "high_is_good": pick(["true"], np.zeros(n, np.int64)),
            "value": digits(score, mask=~answered),
            "channel": pick(["email", "phone", "app"], np.where(question == APP, 2, np.where(by_call, 1, 0))),
            "product": pick(
                [t[1] for t in words.TOPICS],
                np.where(by_call, calls.topic[np.maximum(call, 0)], -1) if len(calls.person) else np.full(n, -1),
            ),
            "region": pick([c[1] for c in words.CITIES], people.city[person]),
            "call_ref": pick(where(calls.has_id, calls.id, None), call),
            "verbatim": _comments(rng, (score - low) / (high - low), answered, plan.settings["experience"]["comment"]),
            "invitation": join("I", digits(np.arange(n) + 1, 9)),
            "touchpoint": pick(["call", "app"], np.where(question == APP, 1, np.where(by_call, 0, -1))),
        }
    )
    return Surveys(table, moment, question, answered, call)


def survey_feed(plan: Plan, surveys: Surveys) -> Feed:
    """The feed ``survey_responses``: a row each question asked; no score where nobody answered."""
    return Feed("survey_responses", surveys.told, plan.slot_of(surveys.moment // 86400), slots(plan))


def invitation_feed(plan: Plan, surveys: Surveys) -> Feed:
    """The feed ``survey_invitations``: a row each question that reached somebody; who answered was reached."""
    import pyarrow as pa

    rng, p = plan.rng("survey_invitations"), plan.settings["experience"]
    n, by_call = len(surveys.moment), surveys.call >= 0
    # The questions about a call are sent together: all arrive or none.
    lost, pause = np.where(
        by_call, rng.random((2, surveys.call.max(initial=0) + 1))[:, surveys.call], rng.random((2, n))
    )
    seconds = np.where(surveys.question == RELATIONSHIP, 600 + pause * 3 * 86400, 10 + pause * 100).astype(np.int64)
    moment = _asleep(surveys.moment - seconds)
    arrived = np.flatnonzero(surveys.answered | (lost >= p["undelivered"]))
    row = arrived[np.argsort(moment[arrived], kind="stable")]
    told = surveys.told.take(pa.array(row))
    columns = ("invitation", "customer", "sent_to", "question", "kind", "channel", "touchpoint", "product", "region")
    table = told.select(columns).add_column(1, "delivered", moment_text(moment[row]))
    return Feed("survey_invitations", table, plan.slot_of(moment[row] // 86400), slots(plan))


def _asleep(moment: Ints) -> Ints:
    """Moments, those in the hour in which nothing happens just before it."""
    return np.where(moment // 3600 % 24 == 2, moment // 3600 * 3600 - 1, moment)


def make_complaints(plan: Plan, people: People, calls: Calls) -> Complaints:
    """Draw complaints: some begin with a call, others come by themselves."""
    rng, p = plan.rng("complaints"), plan.settings["experience"]
    call = np.flatnonzero(calls.handled & (rng.random(len(calls.person)) < p["complaint_after_call"]))
    busy = calendar(plan, WEEKDAYS)
    person, day = spread(
        rng, plan, p["direct_complaints_per_month"] / 30 * people.adult, people.since, people.last_day, busy
    )
    received = np.concatenate([calls.end[call], day * 86400 + clock(rng, len(day))])
    channel = np.concatenate([np.full(len(call), 2), np.array([0, 1, 4, 3, 5])[rng.integers(0, 5, len(day))]])
    person = np.concatenate([calls.person[call], person])
    call = np.concatenate([call, np.full(len(day), -1)])
    order = np.lexsort((person, received))
    n = len(order)
    closed = received + rng.integers(1, 26, n) * 86400 + rng.integers(0, 6 * 3600, n)
    closed = np.where(closed // 3600 % 24 == 2, closed + 3600, closed)
    closed = np.where(
        (rng.random(n) < p["closed"]) & (closed[order] // 86400 <= plan.last), closed[order], NEVER * 86400
    )
    return Complaints(
        join("B", digits(np.arange(n) + 1, 8)), person[order], received[order] // 60 * 60, closed // 60 * 60,
        rng.integers(0, len(words.COMPLAINTS), n), channel[order], call[order],
    )  # fmt: skip


def complaint_feed(plan: Plan, people: People, parties: Parties, complaints: Complaints) -> Feed:
    """The feed ``complaints``: as received, and once more when closed, in a file of closings for the history."""
    import pyarrow as pa

    rng, n = plan.rng("complaints/feed"), len(complaints.person)
    done = np.flatnonzero(complaints.closed // 86400 <= plan.last)
    row = np.concatenate([np.arange(n), done])
    closing = np.arange(len(row)) >= n
    moment = np.where(closing, complaints.closed[row], complaints.received[row])
    names_party = (rng.random(n) < 0.8)[row]
    what = complaints.what[row]
    took = (complaints.closed - complaints.received)[row] // 86400
    form = "{d}.{m}.{Y} {M}"
    written = complaints.channel[row] != 2
    person = complaints.person[row]
    number = people.mobile_on(person, complaints.received[row] // 86400)
    decision = pick(words.DECISIONS, rng.integers(0, len(words.DECISIONS), n)[row])
    table = pa.table(
        {
            "case_no": pick(complaints.id, row),
            "received": moment_text(complaints.received[row], form),
            "customer": pick(parties.id, np.where(names_party, parties.main[person], -1)),
            "phone": phone_text(people, np.where(~names_party | ~written, number, -1), np.full(len(row), 1)),
            "product": pick([c[0] for c in words.COMPLAINTS], what),
            "issue": pick([c[1] for c in words.COMPLAINTS], what),
            "via": pick(["WEB", "APP", "TEL", "FIL", "MAIL", "POST"], complaints.channel[row]),
            "state": pick(["OFFEN", "ERLEDIGT"], closing.astype(np.int64)),
            "closed": moment_text(np.where(closing, complaints.closed[row], 0), form, mask=~closing),
            "decision": where(closing, decision, None),
            "in_time": where(closing, pick(["ja", "nein"], (took > 15).astype(np.int64)), None),
            "text": pick([c[2] for c in words.COMPLAINTS], what),
            "changed": moment_text(moment, "{d}.{m}.{Y} {H}"),
        }
    )
    files = slots(plan)
    parts = len(plan.parts)
    total = 2 * parts
    history = [type(files[0])(plan.history, plan.history, k + 1) for k in range(total)]
    slot = plan.slot_of(moment // 86400)
    slot = np.where(slot >= parts, slot + parts, np.where(closing, slot + parts, slot))
    return Feed("complaints", table, slot, history + files[parts:])


def complaint_of_call(complaints: Complaints, calls: Calls) -> "pa.Array":
    """Complaint each call led to, null for most."""
    index = np.full(len(calls.person), -1)
    from_call = complaints.call >= 0
    index[complaints.call[from_call]] = np.flatnonzero(from_call)
    return pick(complaints.id, index)
