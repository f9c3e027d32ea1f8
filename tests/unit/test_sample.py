"""The synthetic bank: the same for the same seed, true to its own truth, and nobody real in it."""

import csv
import gzip
import hashlib
import io
import json
import re
from collections import Counter
from datetime import date
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import mean

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cx360.sample import generate

FEEDS = (
    "parties accounts account_parties holdings fx_rates transactions app_events call_logs survey_responses complaints"
    " risk_scores outreach points_entries survey_invitations call_legs"
).split()
DELIMITERS = dict.fromkeys(("account_parties", "fx_rates", "call_logs", "complaints", "risk_scores", "call_legs"), ";")
ENCODINGS = {"call_logs": "latin-1"}
KEYS = {
    "parties": ["KUNDEN_NR", "GEAENDERT_AM"],
    "accounts": ["ACCT_NO", "LAST_CHANGE"],
    "account_parties": ["ACCT_NO", "CUST_NO"],
    "holdings": ["contract_no"],
    "fx_rates": ["day", "from_ccy", "to_ccy"],
    "transactions": ["txn_ref"],
    "app_events": ["id"],
    "call_logs": ["Ruf_ID"],
    "survey_responses": ["response_uuid"],
    "complaints": ["case_no", "changed"],
    "risk_scores": ["score_no"],
    "outreach": ["message_id", "changed"],
    "points_entries": ["booking_no"],
    "survey_invitations": ["invitation"],
    "call_legs": ["Abschnitt"],
}


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bank")
    generate(1500, 60, 7, folder)
    return folder


@pytest.fixture(scope="module")
def plain_bank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plain")
    generate(1500, 60, 7, folder, plant=False)
    return folder


def text_of(path: Path) -> str:
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    if path.suffix == ".zst":
        content = pa.input_stream(pa.py_buffer(content), compression="zstd").read()
    feed = re.sub(r"_\d{8}.*", "", path.name)
    return content.decode(ENCODINGS.get(feed, "utf-8-sig"))


def read(path: Path) -> tuple[list[dict[str, str | None]], int]:
    """Well-formed records of a file and the number of malformed ones, with nothing but the standard library."""
    feed = re.sub(r"_\d{8}.*", "", path.name)
    if path.suffix == ".parquet":
        rows = pq.read_table(path).to_pylist()
        return [{k: None if v is None else str(v) for k, v in row.items()} for row in rows], 0
    good, malformed = [], 0
    if ".jsonl" in path.name:
        for line in text_of(path).splitlines():
            try:
                good.append(json.loads(line))
            except json.JSONDecodeError:
                malformed += 1
        return good, malformed
    header, *records = split_records(text_of(path))
    names = header.split(DELIMITERS.get(feed, ","))
    for record in records:
        try:
            fields = next(csv.reader(io.StringIO(record, newline=""), delimiter=DELIMITERS.get(feed, ","), strict=True))
        except csv.Error:
            fields = []
        if len(fields) == len(names):
            good.append({k: v or None for k, v in zip(names, fields, strict=True)})
        else:
            malformed += 1
    return good, malformed


def split_records(text: str) -> list[str]:
    """Records of a CSV file: a line belongs to the record before it while that one's quotes are open."""
    records: list[str] = []
    is_open = False
    for line in text.splitlines(keepends=True):
        broken = '"Rückruf" am Montag"' in line
        if is_open:
            records[-1] += line
        else:
            records.append(line.removesuffix("\n"))
            if line.count('"') % 2 and not broken:
                records[-1] = line
        is_open ^= bool(line.count('"') % 2) and not broken
    return records


def files(bank: Path, feed: str) -> list[Path]:
    found = sorted((bank / "inbox").glob(f"*/{feed}_2*"))
    return [p for p in found if p.with_name(p.name + ".ctl").exists()]


def good_rows(bank: Path, feed: str) -> list[dict[str, str | None]]:
    """Rows of all files whose key is one of the bank's own; bad rows have made-up ones."""
    key = KEYS[feed][0]
    return [r for p in files(bank, feed) for r in read(p)[0] if r[key] and not str(r[key]).startswith("X")]


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file()
    }


def dirt(bank: Path) -> dict[str, dict]:
    return json.loads((bank / "truth/dirt.json").read_text())["files"]


def facts(bank: Path) -> dict:
    return json.loads((bank / "truth/facts.json").read_text())


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        generate(120, 20, seed, tmp_path / name)
    first, second, other = (hashes(tmp_path / name) for name in "abc")
    assert first == second
    assert len(first) > 60
    changed = {name for name in first if first[name] != other.get(name)}
    assert any("transactions" in name for name in changed)
    assert any("parties" in name for name in changed)


def test_a_bank_is_not_written_over_another(tmp_path: Path) -> None:
    generate(10, 7, 1, tmp_path)
    with pytest.raises(FileExistsError):
        generate(10, 7, 1, tmp_path)


@pytest.mark.parametrize(("customers", "days"), [(0, 30), (10, 3)])
def test_arguments_out_of_range_are_refused(tmp_path: Path, customers: int, days: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        generate(customers, days, 1, tmp_path)


@pytest.mark.parametrize("feed", FEEDS)
def test_control_totals_and_counted_dirt_agree_with_the_files(bank: Path, feed: str) -> None:
    told = dirt(bank)
    for path in files(bank, feed):
        rows, malformed = read(path)
        said = told[str(path.relative_to(bank / "inbox"))]
        control = json.loads(path.with_name(path.name + ".ctl").read_text())
        assert control["rows"] == said["rows"] == len(rows) + malformed, path.name
        assert said["bad"].get("malformed_record", 0) == malformed, path.name
        keys = Counter(tuple(r[k] for k in KEYS[feed]) for r in rows if all(r[k] for k in KEYS[feed]))
        assert sum(n - 1 for n in keys.values()) >= said["repeated"]
        assert said["good"] + said["repeated"] + sum(said["bad"].values()) == said["rows"]
        if feed == "transactions":
            amounts = [Decimal(r["amt"]) for r in rows if re.fullmatch(r"-?\d+(\.\d+)?", r["amt"] or "")]
            assert Decimal(control["amount"]) == sum(amounts, Decimal(0)), path.name


def test_bad_rows_of_transactions_are_counted_as_what_they_are(bank: Path) -> None:
    told: Counter[str] = Counter()
    for name, said in dirt(bank).items():
        if "/transactions_" in name:
            told.update(said["bad"])
    rows = [r for p in files(bank, "transactions") for r in read(p)[0]]
    number = re.compile(r"-?\d+(\.\d+)?")
    found = {
        "missing:transaction_id": sum(not r["txn_ref"] for r in rows),
        "missing:account_id": sum(not r["acct"] for r in rows),
        "unparseable:booked_date": sum(
            not re.fullmatch(r"2026-(0[134]-\d\d|02-[012]\d)", r["book_date"] or "") for r in rows
        ),
        "unparseable:amount": sum(not number.fullmatch(r["amt"] or "") for r in rows),
        "overflow:amount": sum(len((r["amt"] or "").split(".")[0]) > 16 for r in rows),
        "too_precise:amount": sum(len((r["amt"] or "").partition(".")[2]) > 2 for r in rows),
        "out_of_range:amount": sum((r["amt"] or "").startswith("-") for r in rows),
        "not_allowed:category": sum(r["purpose_code"] == "ZZZ" for r in rows),
        "pattern:currency": sum(not re.fullmatch("[A-Z]{3}", r["ccy"] or "") for r in rows),
        "too_long:counterparty": sum(len(r["counterparty"] or "") > 200 for r in rows),
    }
    told.pop("malformed_record")
    # A booking day such as 2026-02-30 matches no date; 02-30 is out of [012]\d above.
    assert dict(told) == found
    assert all(found.values())


def test_deliveries_show_late_repeated_corrected_and_unfinished_files(bank: Path) -> None:
    inbox = bank / "inbox"
    days = sorted(p.name for p in inbox.iterdir())
    assert days == ["2026-03-30", "2026-03-31", "2026-04-01", "2026-04-02"]
    assert (inbox / "2026-04-02/transactions_20260331_part2.csv.zst").exists()
    copy, original = inbox / "2026-04-02/call_logs_20260401_part2.csv", inbox / "2026-04-01/call_logs_20260401.csv"
    assert copy.read_bytes() == original.read_bytes()
    wrong, right = (inbox / f"{day}/holdings_20260331.parquet" for day in days[1:3])
    before, after = (
        {r["contract_no"]: r for r in pq.read_table(p).to_pylist() if r["kind"] == "TERMDEP"} for p in (wrong, right)
    )
    assert before.keys() == after.keys() or set(before) & set(after)
    assert any(before[k]["amount"] == 100 * after[k]["amount"] for k in set(before) & set(after))
    assert not (inbox / "2026-04-01/holdings_20260401.parquet").exists()
    broken = inbox / "2026-04-01/survey_responses_20260401_part2.jsonl"
    assert broken.stat().st_size == 0
    assert not broken.with_name(broken.name + ".ctl").exists()
    header, *rest = text_of(inbox / "2026-03-31/complaints_20260331_part2.csv").splitlines()
    assert header.startswith("case_no;")
    assert not rest
    versions: dict[str, set[str]] = {}
    for row in good_rows(bank, "transactions"):
        versions.setdefault(str(row["txn_ref"]), set()).add(str(row["rev_no"]))
    assert any(v == {"1", "2"} for v in versions.values())


def test_parents_exist_but_for_the_accounts_planted_without_an_owner(bank: Path) -> None:
    accounts = {r["ACCT_NO"] for r in good_rows(bank, "accounts")}
    parties = {r["KUNDEN_NR"] for r in good_rows(bank, "parties")}
    owned, owners = set(), set()
    for row in good_rows(bank, "account_parties"):
        if row["CUST_NO"]:
            owners.add(row["CUST_NO"])
            if row["ROLE"] == "KI":
                owned.add(row["ACCT_NO"])
    missing = {a for a in accounts - owned if a}
    assert missing == set(facts(bank)["accounts_without_owner"])
    assert missing
    assert owners <= parties
    booked = {r["acct"] for r in good_rows(bank, "transactions") if r["acct"]}
    assert booked <= accounts
    for feed, column in (("app_events", "cust"), ("call_logs", "Kunde"), ("survey_responses", "customer")):
        assert {r[column] for r in good_rows(bank, feed) if r[column]} <= parties, feed


def test_every_answer_is_to_an_invitation_that_arrived_before(bank: Path) -> None:
    told = ("customer", "sent_to", "question", "kind", "channel", "touchpoint", "product", "region")
    invitations = {r["invitation"]: r for r in good_rows(bank, "survey_invitations")}
    asked = {r["invitation"]: r for r in good_rows(bank, "survey_responses")}
    answered = {key for key, row in asked.items() if row["value"] is not None}
    assert answered < set(invitations) < set(asked)
    for key, row in invitations.items():
        assert [row[c] for c in told] == [asked[key][c] for c in told]
        assert str(row["delivered"]).replace(" ", "T") <= str(asked[key]["submitted"])[:19]


def test_legs_add_up_to_their_call_and_begin_with_its_agent(bank: Path) -> None:
    legs: dict[str, list[dict[str, str | None]]] = {}
    for _, row in sorted({str(r["Abschnitt"]): r for r in good_rows(bank, "call_legs")}.items()):
        legs.setdefault(str(row["Ruf_ID"]), []).append(row)
    handled = {r["Ruf_ID"]: r for r in good_rows(bank, "call_logs") if r["Ergebnis"] == "BEARBEITET" and r["Ruf_ID"]}
    assert set(legs) == set(handled)
    for key, call in handled.items():
        agents = [leg["Agent"] for leg in legs[str(key)]]
        assert len(agents) == int(call["Weiterleitungen"] or 0) + 1 and agents[0] == call["Agent"]
        assert all(one != next_one for one, next_one in pairwise(agents))
        seconds = [int(leg["Bearbeitung_s"] or 0) for leg in legs[str(key)]]
        assert sum(seconds) == int(call["Bearbeitung_s"] or 0) and min(seconds) > 0
        began = [str(leg["Beginn"]) for leg in legs[str(key)]]  # moments of one day
        assert began == sorted(began) and began[0] == call["Angenommen"]
    assert {len(of_call) for of_call in legs.values()} == {1, 2, 3}


def test_truth_knows_every_party_call_and_login(bank: Path) -> None:
    truth = bank / "truth"
    parties = {r["KUNDEN_NR"] for r in good_rows(bank, "parties")}
    persons = pq.read_table(truth / "party_persons.parquet").to_pydict()
    assert parties == set(persons["party_id"])
    several = Counter(p for p in persons["person_id"] if p.startswith("person-"))
    assert max(several.values()) >= 2
    assert len(several) == 1500
    calls = set(pq.read_table(truth / "calls.parquet")["call_id"].to_pylist())
    assert {r["Ruf_ID"] for r in good_rows(bank, "call_logs")} <= calls
    known = pq.read_table(truth / "identifiers.parquet").to_pydict()
    identifiers = set(zip(known["identifier_type"], known["identifier"], strict=True))
    assert {("app_user", r["usr"]) for r in good_rows(bank, "app_events") if r["usr"]} <= identifiers
    shared = Counter(i for i in zip(known["identifier_type"], known["identifier"], strict=True) if i[0] == "device")
    assert max(shared.values()) >= 2, "no family shares a tablet"


def test_a_recycled_number_moves_from_one_party_to_another(bank: Path) -> None:
    numbers: dict[str, list[tuple[str, str]]] = {}
    for row in good_rows(bank, "parties"):
        digits = re.sub(r"^(0049|49|0)", "", re.sub(r"\D", "", row["TELEFON"] or ""))
        numbers.setdefault(digits, []).append((str(row["GEAENDERT_AM"]), str(row["KUNDEN_NR"])))
    moved = facts(bank)["recycled_numbers"]
    assert moved
    for number in moved:
        holders = sorted(numbers[number["phone"].removeprefix("+49")])
        assert number["on"] < number["from"]
        assert any(when[:10] == number["from"] for when, _ in holders)
        assert len({party for _, party in holders}) >= 2


def long_wait_scores(bank: Path, group: bool) -> tuple[list[int], list[int]]:
    """Transactional NPS scores after short waits and after long ones, of people in Sachsen or of all others."""
    waits = {}
    for row in good_rows(bank, "call_logs"):
        queued, answered = row["Eingereiht"], row["Angenommen"]
        if queued and answered:
            seconds = [
                sum(int(x) * s for x, s in zip(t[11:].split(":"), (3600, 60, 1), strict=True))
                for t in (queued, answered)
            ]
            waits[row["Ruf_ID"]] = seconds[1] - seconds[0]
    short, long = [], []
    for row in good_rows(bank, "survey_responses"):
        if row["question"] == "T-NPS-1" and row["value"] is not None and (row["region"] == "Sachsen") == group:
            wait = waits.get(row["call_ref"])
            if wait is not None:
                (long if wait > 180 else short).append(int(row["value"]))
    return short, long


def test_long_waits_cost_points_where_planted_and_nowhere_else(tmp_path: Path) -> None:
    from scipy.stats import mannwhitneyu

    generate(6000, 60, 11, tmp_path / "planted")
    generate(6000, 60, 11, tmp_path / "plain", plant=False)
    groups = {"members": ("planted", True), "others": ("planted", False), "nobody": ("plain", False)}
    p = {}
    for name, (folder, group) in groups.items():
        short, long = long_wait_scores(tmp_path / folder, group)
        assert min(len(short), len(long)) >= 8, name
        p[name] = mannwhitneyu(short, long, alternative="greater").pvalue
    assert p["members"] < 1e-4
    assert p["others"] > 0.01
    assert p["nobody"] > 0.01


def active_days(bank: Path) -> dict[str, str]:
    """Last day each party logged in or was named in a call."""
    last: dict[str, str] = {}
    for row in good_rows(bank, "app_events"):
        if row["cust"] and str(row["ts"]).startswith("2026"):
            last[row["cust"]] = max(last.get(row["cust"], ""), str(row["ts"])[:10])
    for row in good_rows(bank, "call_logs"):
        if row["Kunde"] and (d := str(row["Beginn"]))[6:10] == "2026":
            last[row["Kunde"]] = max(last.get(row["Kunde"], ""), f"{d[6:10]}-{d[3:5]}-{d[:2]}")
    return last


def test_leavers_stop_on_their_day_where_planted_and_nowhere_else(bank: Path, plain_bank: Path) -> None:
    leavers = facts(bank)["leavers"]
    assert facts(plain_bank)["leavers"] is None
    seen, unplanted = active_days(bank), active_days(plain_bank)
    party_of, last_day = leavers["party_ids"], leavers["members"]
    both = [p for p in last_day if party_of[p] in unplanted]
    assert len(both) >= 10
    assert all(seen.get(party_of[p], "") <= last_day[p] for p in last_day)
    went_on = sum(unplanted[party_of[p]] > last_day[p] for p in both)
    assert went_on / len(both) > 0.7


def app_shares(bank: Path, growers: dict[str, dict[str, str]]) -> tuple[float, float]:
    """Share of days on which those who grow are in the app before their day, and from it on."""
    used: dict[str, set[date]] = {}
    for row in good_rows(bank, "app_events"):
        if row["cust"] and str(row["ts"]).startswith("2026"):
            used.setdefault(row["cust"], set()).add(date.fromisoformat(str(row["ts"])[:10]))
    first, last = (date.fromisoformat(facts(bank)[name]) for name in ("first_date", "last_date"))
    shares = []
    for person, told in growers["members"].items():
        day, days = date.fromisoformat(told), used.get(growers["party_ids"][person], set())
        before, after = sum(first <= each < day for each in days), sum(day <= each <= last for each in days)
        shares.append((before / (day - first).days, after / ((last - day).days + 1)))
    return mean(before for before, _ in shares), mean(after for _, after in shares)


def test_growers_are_in_the_app_daily_from_their_day_on_where_planted_and_nowhere_else(
    bank: Path, plain_bank: Path
) -> None:
    growers = facts(bank)["growers"]
    assert facts(plain_bank)["growers"] is None
    assert len(growers["members"]) >= 10
    assert not set(growers["members"]) & set(facts(bank)["leavers"]["members"])
    before, after = app_shares(bank, growers)
    assert before < 0.1 and after > 0.6
    unplanted = app_shares(plain_bank, growers)
    assert max(unplanted) < 0.3 and abs(unplanted[1] - unplanted[0]) < 0.1


def test_nobody_is_real(bank: Path) -> None:
    import phonenumbers

    found = set()
    for path in sorted((bank / "inbox").rglob("*")):
        if path.is_file() and path.suffix not in (".parquet", ".ctl"):
            found |= set(re.findall(r"@([\w.-]+)", text_of(path).lower()))
    assert found == {"example.com", "example.org", "example.net"}
    numbers = {r["TELEFON"] for r in good_rows(bank, "parties") if r["TELEFON"]}
    made_up = re.compile(r"1760\d{7}|30" + r"23125\d{3,5}|4066969\d{3,5}|8999998\d{3,5}|2214710\d{3,5}|6990009\d{3,5}")
    valid = 0
    for number in numbers - {"unbekannt", "0000", "k.A."}:
        parsed = phonenumbers.parse(number, "DE")
        assert made_up.fullmatch(str(parsed.national_number)), number
        valid += phonenumbers.is_valid_number(parsed)
    assert valid / len(numbers) > 0.99


def test_mappings_give_the_contracts_columns(bank: Path) -> None:
    from cx360.contracts import load

    sources = Path(__file__).parents[2] / "sources/synthetic_bank"
    for feed, contract in load().items():
        path = next(p for p in files(bank, feed) if read(p)[0])
        with duckdb.connect() as db:
            rows = pa.Table.from_pylist(read(path)[0][:50])
            db.register("raw", rows)
            columns = [d[0] for d in db.execute((sources / f"{feed}.sql").read_text()).description]
        assert set(columns) == {c.name for c in contract.columns}, feed


def test_as_many_days_come_one_by_one_as_asked(tmp_path: Path) -> None:
    generate(customers=20, days=20, seed=1, out=tmp_path / "b", daily=8)
    days = sorted(path.name for path in (tmp_path / "b" / "inbox").iterdir())
    assert len(days) == 1 + 8
    assert days[-1] == "2026-04-02"
    for daily in (2, 17, 400):
        with pytest.raises(ValueError, match="must be"):
            generate(customers=20, days=20, seed=1, out=tmp_path / "c", daily=daily)
