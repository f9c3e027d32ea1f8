"""Anonymous becomes known: what prospects are, and what becomes of their events when evidence joins them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.raw_bank import RawBank

MODELS = ["+customer_profile", "+customer_timeline", "+customer_identifiers", "+profile_attributes", "+profile_ids"]
MODELS += ["+customer_features"]


def _token(kind: str, letter: str) -> str:
    return f"k1:{kind}:{letter * 32}"


def _prospect(letter: str) -> str:
    return "p" + letter * 24


TABLET, PHONE_APP, KIOSK = _token("device", "a"), _token("device", "b"), _token("device", "c")
NUMBER, STRANGER = _token("phone", "d"), _token("phone", "e")

PARTIES = [
    {"party_id": "ada", "party_type": "person", "status": "active", "updated_at": "2023-01-01 10:00:00+00"},
    {"party_id": "bob", "party_type": "person", "status": "active", "updated_at": "2023-01-01 10:00:00+00"},
]
#: Later Ada's record says whose number it was that called.
ADA_IS_REACHED = PARTIES[0] | {"updated_at": "2024-03-20 10:00:00+00", "phone_token": NUMBER}


def _event(key: str, day: str, device: str, party_id: str | None = None) -> dict[str, Any]:
    at = f"2024-{day} 10:00:00+00"
    return {
        "event_id": key,
        "occurred_at": at,
        "event_name": "view",
        "feature": "accounts",
        "platform": "ios",
        "session_id": key,
        "device_token": device,
        "party_id": party_id,
    }


def _call(key: str, day: str, number: str) -> dict[str, Any]:
    at = f"2024-{day} 10:00:00+00"
    return {
        "call_id": key,
        "started_at": at,
        "queued_at": at,
        "ended_at": at,
        "direction": "inbound",
        "outcome": "handled",
        "phone_token": number,
    }


#: In February nobody logs in. In March Ada does on the tablet; the phone is Ada's until the 5th and Bob's from the 9th;
#: on the kiosk both do on one day.
BEFORE = [
    _event("e1", "02-01", TABLET),
    _event("e2", "02-02", PHONE_APP),
    _event("e3", "02-03", KIOSK),
]
AFTER = [
    _event("e4", "03-01", TABLET, "ada"),
    _event("e5", "03-02", PHONE_APP, "ada"),
    _event("e6", "03-05", PHONE_APP, "ada"),
    _event("e7", "03-07", PHONE_APP),
    _event("e8", "03-09", PHONE_APP, "bob"),
    _event("e9", "03-10", PHONE_APP),
    _event("e10", "03-10", KIOSK, "ada"),
    _event("e11", "03-10", KIOSK, "bob"),
]
CALLS = [_call("c1", "02-05", NUMBER), _call("c2", "02-06", STRANGER)]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, target: Path) -> Callable[[str, int], Any]:
    """Builds the bank as of a day and as known at an arrival, each once; with all data tests when all is known."""
    banks: dict[tuple[str, int], RawBank] = {}

    def build(as_of: str, known_at: int) -> Any:
        if (as_of, known_at) not in banks:
            bank = RawBank(tmp_path_factory.mktemp("bank"), target)
            bank.deliver(1, "parties", "2024-02-01", PARTIES)
            bank.deliver(2, "app_events", "2024-02-03", BEFORE)
            bank.deliver(3, "call_logs", "2024-02-06", CALLS)
            bank.deliver(4, "app_events", "2024-03-10", AFTER)
            bank.deliver(5, "parties", "2024-03-20", [ADA_IS_REACHED])
            bank.open(known_at)
            bank.build(as_of, full=True, tests=(as_of, known_at) == ALL, models=MODELS)
            banks[as_of, known_at] = bank
        return banks[as_of, known_at]

    return build


#: When everything is known.
ALL = ("2024-03-31", 5)

#: Before anything is known, by the day asked for and by what had arrived.
EARLY = pytest.mark.parametrize(("as_of", "known_at"), [("2024-02-28", 5), ("2024-03-31", 3)])


def _people(bank: Any) -> dict[str, str]:
    """Profile by touchpoint: ada, bob, or the id."""
    names = {bank.profile_of(name): name for name in ("ada", "bob")}
    rows = bank.query("select touchpoint_id, profile_id from profile.customer_timeline")
    return {touchpoint.split(":")[-2 if "session" in touchpoint else -1]: names.get(p, p) for touchpoint, p in rows}


def _ids(bank: Any) -> dict[str, str]:
    names = {bank.profile_of(name): name for name in ("ada", "bob")}
    rows = bank.query("select profile_id, current_profile_id from profile.profile_ids")
    return {names.get(one, one): names.get(other, other) for one, other in rows}


@EARLY
def test_an_anonymous_device_and_an_unknown_caller_have_their_own_profile(
    built: Callable[[str, int], Any], as_of: str, known_at: int
) -> None:
    rows = built(as_of, known_at).query(
        "select profile_id, profile_type, identified_by, party_count, app_event_90d_count, call_90d_count, household_id"
        " from profile.customer_profile where identified_by <> 'party' order by profile_id"
    )
    assert rows == [
        (_prospect("a"), "prospect", "device", 0, 1, 0, None),
        (_prospect("b"), "prospect", "device", 0, 1, 0, None),
        (_prospect("c"), "prospect", "device", 0, 1, 0, None),
        (_prospect("d"), "prospect", "phone", 0, 0, 1, None),
        (_prospect("e"), "prospect", "phone", 0, 0, 1, None),
    ]


@EARLY
def test_an_earlier_answer_does_not_know_who_it_was(
    built: Callable[[str, int], Any], as_of: str, known_at: int
) -> None:
    bank = built(as_of, known_at)
    people = {"e1": "a", "e2": "b", "e3": "c", "c1": "d", "c2": "e"}
    assert _people(bank) == {touchpoint: _prospect(letter) for touchpoint, letter in people.items()}
    assert all(one == other for one, other in _ids(bank).items())


def test_past_events_follow_the_evidence(built: Callable[[str, int], Any]) -> None:
    people = _people(built(*ALL))
    assert (people["e1"], people["e4"], people["c1"]) == ("ada", "ada", "ada")
    assert people["c2"] == _prospect("e")  # nobody has that number yet


def test_a_device_that_changed_hands_is_handed_over_by_period(built: Callable[[str, int], Any]) -> None:
    bank = built(*ALL)
    people = _people(bank)
    assert [people[key] for key in ("e2", "e7", "e9")] == ["ada", "ada", "bob"]
    rows = bank.query(
        "select valid_from::varchar, valid_to::varchar, profile_id, is_verified, source, event_count"
        f" from profile.customer_identifiers where identifier = '{PHONE_APP}' order by 1"
    )
    assert rows == [
        ("0001-01-01", "2024-03-09", bank.profile_of("ada"), True, "app_events", 6),
        ("2024-03-09", "9999-12-31", bank.profile_of("bob"), True, "app_events", 6),
    ]


def test_a_device_of_several_is_nobodys_and_no_prospect(built: Callable[[str, int], Any]) -> None:
    bank = built(*ALL)
    assert _people(bank)["e3"] == "unattributed"
    assert bank.query(f"from profile.customer_identifiers where identifier = '{KIOSK}'") == []
    assert bank.query(f"from profile.customer_profile where profile_id = '{_prospect('c')}'") == []


def test_every_id_of_a_prospect_still_leads_somewhere(built: Callable[[str, int], Any]) -> None:
    assert _ids(built(*ALL)) == {
        "ada": "ada",
        "bob": "bob",
        _prospect("a"): "ada",
        _prospect("b"): "ada",  # who held it first; events after the ninth are Bob's
        _prospect("c"): "unattributed",
        _prospect("d"): "ada",
        _prospect("e"): _prospect("e"),
        "unattributed": "unattributed",
    }
