"""The truth beside the synthetic bank's files: who is whom, what was planted, what is wrong on purpose.

Here belongs only what tests and benches compare results with. It is never below the inbox.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cx360.sample.bank import NEVER, Ints, Plan, as_date, days_text, digits, join, moment_text, pick, where
from cx360.sample.channels import Calls, Visits, planted_group
from cx360.sample.money import Accounts, missing_rate_day
from cx360.sample.party_records import Parties
from cx360.sample.people import People, phone_text
from cx360.sample.relatives import pairs_within

if TYPE_CHECKING:
    import pyarrow as pa

KINDS = ["twin", "same_name_relative", "shares_contact"]


def person_id(person: Ints) -> "pa.Array":
    """Ids of people in the truth; null for nobody."""
    return where(person >= 0, join("person-", digits(np.maximum(person, 0) + 1, 7)), None)


def write_json(path: Path, content: Any) -> None:
    """Write JSON the same way every time."""
    path.write_text(json.dumps(content, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def write(
    folder: Path,
    plan: Plan,
    people: People,
    parties: Parties,
    accounts: Accounts | None,
    visits: Visits | None,
    calls: Calls | None,
) -> None:
    """Write ``persons``, ``party_persons``, ``lookalikes``, ``identifiers``, ``app_sessions``, ``calls``, ``facts``.

    What was not made is not told: without visits no ``identifiers`` and ``app_sessions``, without calls no ``calls``.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    everybody = np.arange(people.n)
    lookalikes = _lookalikes(people)
    tables = {
        "persons": pa.table(
            {
                "person_id": person_id(everybody),
                "household_id": join("household-", digits(people.household + 1, 7)),
                "birth_date": days_text(people.born),
                "last_active_date": days_text(people.leave),
            }
        ),
        "party_persons": _party_persons(parties),
        "lookalikes": lookalikes,
    }
    if visits is not None:
        tables["identifiers"] = _identifiers(plan, people, visits)
        tables["app_sessions"] = pa.table(
            {
                "session_id": join("s", digits(np.arange(len(visits.person)) + 1, 9)),
                "person_id": person_id(visits.person),
            }
        )
    if calls is not None:
        tables["calls"] = pa.table(
            {
                "call_id": where(calls.has_id, calls.id, None),
                "started_at": moment_text(calls.start),
                "person_id": person_id(calls.person),
                "wait_seconds": pa.array(calls.wait),
                "is_identified": pa.array(calls.identified),
            }
        )
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet", compression="zstd", compression_level=3)
    write_json(folder / "facts.json", _facts(plan, people, parties, accounts, lookalikes))


def _party_persons(parties: Parties) -> "pa.Table":
    """(party_id, person_id, owner_person_id, is_further_record, dirt): ``dirt`` names what is wrong, in one text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    firm = parties.person < 0
    kinds = [where(found, f" {kind}", "") for kind, found in sorted(parties.dirt.items())]
    return pa.table(
        {
            "party_id": parties.id,
            "person_id": where(firm, join("firm-", digits(np.arange(len(firm)), 7)), person_id(parties.person)),
            "owner_person_id": person_id(parties.owner),
            "is_further_record": pa.array(parties.further),
            "dirt": pc.utf8_ltrim_whitespace(join(*kinds)),
        }
    )


def _lookalikes(people: People) -> "pa.Table":
    """(person_id_a, person_id_b, kind, relation, shares): pairs of people who look like one.

    ``kind`` is twin, same_name_relative or shares_contact, one row each; ``shares`` is what their first records have in
    common: phone, email, both, or null. They share a surname, and mostly an address, always.
    """
    import pyarrow as pa

    a, b = pairs_within(people.household)
    phone, mail = people.sharing.number(people.mobile, people.landline), people.email.dictionary_encode().indices
    box = mail.fill_null(-1).to_numpy(zero_copy_only=False)
    involved, named = people.sharing.involved, people.family[a] == people.family[b]
    both = involved[a] & involved[b] & named
    phones, boxes = both & (phone[a] == phone[b]) & (phone[a] >= 0), both & (box[a] == box[b]) & (box[a] >= 0)
    twin = np.isin(a * people.n + b, people.alike.twins[0] * people.n + people.alike.twins[1])
    spouses = (people.place[a] == 0) & (people.place[b] == 1) & ~people.child[b] & ~twin
    siblings = twin | (people.child[a] & people.child[b])
    relation = np.where(spouses, 0, np.where(siblings, 1, 2))
    kinds = [twin, named & (people.given[a] == people.given[b]), phones | boxes]
    row = np.concatenate([np.flatnonzero(kind) for kind in kinds])
    kind = np.repeat([0, 1, 2], [int(kind.sum()) for kind in kinds])
    return pa.table(
        {
            "person_id_a": person_id(a[row]),
            "person_id_b": person_id(b[row]),
            "kind": pick(KINDS, kind),
            "relation": pick(["spouse", "sibling", "parent_child"], relation[row]),
            "shares": pick(["phone", "email", "both"], (phones + 2 * boxes)[row] - 1),
        }
    )


def _identifiers(plan: Plan, people: People, visits: Visits) -> "pa.Table":
    """(identifier_type, identifier, person_id, valid_from, valid_to): who held what when; half-open, null is open."""
    import pyarrow as pa

    n = people.n
    user = np.flatnonzero(visits.user.is_valid().to_numpy(zero_copy_only=False))
    seen = np.unique(np.stack([visits.device, visits.person])[:, visits.person >= 0], axis=1)
    own = np.flatnonzero(people.mobile >= 0)
    got = np.flatnonzero((people.mobile_change < NEVER) & (people.new_mobile >= 0))
    home = np.flatnonzero(people.landline >= 0)
    number = np.concatenate([people.mobile[own], people.new_mobile[got], people.landline[home]])
    phones = phone_text(people, number, np.full(len(number), 4))
    values = pa.concat_arrays([visits.user.take(pa.array(user)), pick(visits.device_id, seen[0]), phones])
    kind = np.repeat([0, 1, 2], [len(user), seen.shape[1], len(number)])
    person = np.concatenate([user, seen[1], own, got, home])
    others = len(user) + seen.shape[1]
    begin = np.full(len(person), NEVER)
    begin[others + len(own) : others + len(own) + len(got)] = people.mobile_change[got]
    end = np.full(len(person), NEVER)
    end[others : others + len(own)] = people.mobile_change[own]
    assert len(person) == len(values) and n >= 0
    return pa.table(
        {
            "identifier_type": pick(["app_user", "device", "phone"], kind),
            "identifier": values,
            "person_id": person_id(person),
            "valid_from": days_text(begin),
            "valid_to": days_text(end),
        }
    )


def _turns(parties: Parties, day: Ints) -> dict[str, dict[str, str]]:
    """By person whose planted turn comes: its day, and the party record that is theirs first."""
    who = np.flatnonzero(day < NEVER)
    told = {"members": days_text(day[who]), "party_ids": pick(parties.id, parties.main[who])}
    return {name: dict(zip(person_id(who).to_pylist(), told[name].to_pylist(), strict=True)) for name in told}


def _facts(
    plan: Plan, people: People, parties: Parties, accounts: Accounts | None, lookalikes: "pa.Table"
) -> dict[str, Any]:
    waits = plan.settings["planted"]["long_waits"]
    group = np.flatnonzero(planted_group(plan, people))
    ownerless = [] if accounts is None else pick(accounts.id, np.flatnonzero(accounts.ownerless)).to_pylist()
    records = np.bincount(parties.person[parties.person >= 0])
    kinds = lookalikes["kind"].to_pylist()
    pairs = people.recycled
    return {
        "customers": plan.customers,
        "first_date": str(as_date(plan.first)),
        "last_date": str(as_date(plan.last)),
        "seed": plan.seed,
        "planted": plan.plant,
        "long_waits": None if not plan.plant else {
            **waits,
            "from_date": str(as_date(plan.day_at(waits["after_share_of_days"]))),
            "members": person_id(group).to_pylist(),
        },
        "leavers": _turns(parties, people.leave) if plan.plant else None,
        "growers": _turns(parties, people.grow) if plan.plant else None,
        "recycled_numbers": [
            {"phone": phone, "dropped_by": a, "on": left, "taken_by": b, "from": came}
            for phone, a, left, b, came in zip(
                phone_text(people, people.mobile[pairs[0]], np.full(pairs.shape[1], 4)).to_pylist(),
                person_id(pairs[0]).to_pylist(), days_text(people.mobile_change[pairs[0]]).to_pylist(),
                person_id(pairs[1]).to_pylist(), days_text(people.mobile_change[pairs[1]]).to_pylist(), strict=True,
            )
        ],
        "accounts_without_owner": ownerless,
        "further_records": int(parties.further.sum()),
        "true_pairs": int((records * (records - 1) // 2).sum()),
        "lookalikes": {kind: kinds.count(kind) for kind in KINDS},
        "people_who_share_a_contact": people.sharing.count,
        "missing_rate": {"currency": "USD", "date": str(as_date(missing_rate_day(plan)))},
    }  # fmt: skip
