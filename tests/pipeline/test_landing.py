"""Landing: every kind of file and fault has its outcome, nothing is lost, and the same input makes the same bytes."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from cx360 import contracts, landing, ledger, sample
from cx360.settings import PROJECT, Settings
from tests.pipeline.bank import DAY, GOOD, HEADER, as_json_lines, deliver, settle, transactions


@pytest.fixture
def bank(settings: Settings) -> Settings:
    return settle(settings)


def land(bank: Settings, feed: str = "transactions") -> landing.Landed:
    return landing.land(bank, feed)


def deliveries(bank: Settings) -> list[ledger.Delivery]:
    with ledger.session(bank) as session:
        return list(session.scalars(select(ledger.Delivery).order_by(ledger.Delivery.arrival_number)))


def reasons(bank: Settings) -> dict[str, int]:
    with ledger.session(bank) as session:
        return {q.reason: q.row_count for q in session.scalars(select(ledger.Quarantine))}


def rows(bank: Settings, part: str) -> list[dict[str, object]]:
    """Rows of a part of the lake, of all deliveries."""
    files = sorted((bank.lake / part).glob("*.parquet"))
    return [row for file in files for row in pq.read_table(file).to_pylist()]


def lake_bytes(bank: Settings) -> dict[str, str]:
    files = sorted(p for p in bank.lake.rglob("*") if p.is_file())
    return {p.relative_to(bank.lake).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def test_good_rows_come_through_typed_and_without_personal_values(bank: Settings) -> None:
    deliver(bank, "tx.csv", transactions())
    assert land(bank).accepted == 3
    first = rows(bank, "transactions")[0]
    assert first["booked_date"] == date(2026, 3, 1)
    assert first["amount"] == Decimal("1234.50")
    assert first["direction"] == "credit"
    assert "description" not in first
    assert [r["description"] for r in rows(bank, "pii/texts/transactions")] == ["for Ada", 'a; b "c"']
    (delivery,) = deliveries(bank)
    assert (delivery.event_date_min, delivery.event_date_max) == (date(2026, 3, 1), date(2026, 3, 2))
    assert delivery.delivery_day == date.fromisoformat(DAY)


def record(line: str) -> dict[str, str | None]:
    return dict(zip(HEADER.split(";"), line.split(";"), strict=True))


PLAIN = "t1;a1;01.03.2026;1234,50;EUR;C;payment;Käthe\nt2;a1;02.03.2026;20,00;EUR;D;fee;x\n"


@pytest.mark.parametrize("name", ["tx.csv", "tx.csv.gz", "tx.csv.zst", "tx.latin1.txt", "tx.jsonl", "tx.parquet"])
def test_every_format_and_compression_gives_the_same_rows(bank: Settings, name: str) -> None:
    records = [record(line) for line in PLAIN.splitlines()]
    content: str | bytes = transactions(PLAIN)
    if name.endswith("latin1.txt"):
        content = transactions(PLAIN).encode("latin-1")
    elif name.endswith("jsonl"):
        content = as_json_lines(records)
    elif name.endswith("parquet"):
        buffer = pa.BufferOutputStream()
        pq.write_table(pa.Table.from_pylist(records), buffer)
        content = buffer.getvalue().to_pybytes()
    deliver(bank, name, content)
    land(bank)
    assert [(r["transaction_id"], r["amount"]) for r in rows(bank, "transactions")] == [
        ("t1", Decimal("1234.50")),
        ("t2", Decimal("20.00")),
    ]
    assert [r["description"] for r in rows(bank, "pii/texts/transactions")] == ["Käthe", "x"]


def test_a_byte_order_mark_is_no_part_of_the_text(bank: Settings) -> None:
    deliver(bank, "tx.csv", b"\xef\xbb\xbf" + transactions().encode())
    deliver(bank, "tx.jsonl", b"\xef\xbb\xbf" + as_json_lines([record(line) for line in PLAIN.splitlines()]).encode())
    assert land(bank).accepted == 5


BAD_ROWS = {
    "t9;a1;31.12.26;1,00;EUR;C;fee;": "unparseable:booked_date",
    "t9;a1;epoch;1,00;EUR;C;fee;": "unparseable:booked_date",
    "t9;a1;infinity;1,00;EUR;C;fee;": "unparseable:booked_date",
    "t9;a1;2026-03-01 (BC);1,00;EUR;C;fee;": "unparseable:booked_date",
    "t9;a1;01.03.2026;5.50;EUR;C;fee;": "unparseable:amount",
    "t9;a1;01.03.2026;1.0850;EUR;C;fee;": "unparseable:amount",
    "t9;a1;01.03.2026;1e3;EUR;C;fee;": "unparseable:amount",
    "t9;a1;01.03.2026;1_000;EUR;C;fee;": "unparseable:amount",
    "t9;a1;01.03.2026;1 000;EUR;C;fee;": "unparseable:amount",
    "t9;a1;01.03.2026;1.23.456,00;EUR;C;fee;": "unparseable:amount",
    "t9;a1;01.03.2026;infinity;EUR;C;fee;": "unparseable:amount",
    "t9;a1;32.13.2026;1,00;EUR;C;fee;": "unparseable:booked_date",
    "t9;a1;;1,00;EUR;C;fee;": "missing:booked_date",
    "t9;a1;  ;1,00;EUR;C;fee;": "missing:booked_date",
    "t9;a1;01.03.2026;\u00a0;EUR;C;fee;": "missing:amount",
    "t9;a1;01.03.2026; one ;EUR;C;fee;": "unparseable:amount",
    "t9;a1;01.03.2026;one;EUR;C;fee;": "unparseable:amount",
    "t9;a1;01.03.2026;99999999999999999999,00;EUR;C;fee;": "overflow:amount",
    "t9;a1;01.03.2026;1,005;EUR;C;fee;": "too_precise:amount",
    "t9;a1;01.03.2026;-1,00;EUR;C;fee;": "out_of_range:amount",
    "t9;a1;01.03.2026;;EUR;C;fee;": "missing:amount",
    "t9;a1;01.03.2026;1,00;EUR;X;fee;": "not_allowed:direction",
    "t9;a1;01.03.2026;1,00;euro;C;fee;": "pattern:currency",
    "t9;a1;01.03.2026;1,00;EUR;C;bribe;": "not_allowed:category",
    ";a1;01.03.2026;1,00;EUR;C;fee;": "missing:transaction_id",
    f"t9;a1;01.03.2026;1,00;EUR;C;fee;{'x' * 501}": "too_long:description",
    "t9;a1;01.03.2026;1,00;EUR": "malformed_record",
    "t9;a1;01.03.2026;1,00;EUR;C;fee;x;y;z": "malformed_record",
    't9;a1;01.03.2026;1,00;EUR;C;fee;"open': "malformed_record",
}


@pytest.mark.parametrize(("row", "reason"), BAD_ROWS.items(), ids=BAD_ROWS)
def test_a_bad_row_is_quarantined_whole_with_its_reason(bank: Settings, row: str, reason: str) -> None:
    deliver(bank, "tx.csv", transactions(GOOD + row + "\n"))
    summary = land(bank)
    assert (summary.rows_in, summary.accepted, summary.quarantined) == (4, 3, 1)
    assert reasons(bank) == {reason: 1}
    (kept,) = rows(bank, "pii/quarantine/transactions")
    assert kept["reasons"] == [reason]
    assert "t9" in str(kept["raw_row"]) or reason == "missing:transaction_id"
    assert len(str(kept["raw_row"])) >= len(row)


def test_numbers_are_read_as_their_source_writes_them_and_typed_ones_as_they_are(bank: Settings) -> None:
    texts = [("t1", "1.234.567,8"), ("t2", "+5"), ("t3", ",25"), ("t4", "1234,50")]
    deliver(bank, "tx.csv", transactions("".join(f"{t};a1;01.03.2026;{n};EUR;C;fee;\n" for t, n in texts)))
    typed = [
        record("t5;a1;;;EUR;C;fee;x") | {"amount": Decimal("1.085"), "day": date(2026, 3, 1)},
        record("t6;a1;;;EUR;C;fee;x") | {"amount": Decimal("2.500"), "day": date(2026, 3, 2)},
    ]
    buffer = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_pylist(typed), buffer)
    deliver(bank, "tx.parquet", buffer.getvalue().to_pybytes())
    assert land(bank).accepted == 5
    assert reasons(bank) == {"too_precise:amount": 1}, "1.085 is not a thousand"
    amounts = {str(r["transaction_id"]): str(r["amount"]) for r in rows(bank, "transactions")}
    assert amounts == {"t1": "1234567.80", "t2": "5.00", "t3": "0.25", "t4": "1234.50", "t6": "2.50"}


def test_a_row_with_several_faults_tells_them_all_and_counts_once(bank: Settings) -> None:
    deliver(bank, "tx.csv", transactions("t9;;never;much;EUR;C;fee;\n"))
    assert land(bank).quarantined == 1
    assert reasons(bank) == {"missing:account_id": 1, "unparseable:booked_date": 1, "unparseable:amount": 1}


def test_a_json_line_that_is_no_record_is_quarantined(bank: Settings) -> None:
    good = as_json_lines([record(line) for line in PLAIN.splitlines()])
    deliver(bank, "tx.jsonl", good + "{broken\n[1, 2]\n\n")
    summary = land(bank)
    assert (summary.rows_in, summary.accepted, summary.quarantined) == (4, 2, 2)
    assert reasons(bank) == {"malformed_record": 2}


ODD_LINES = {
    "a control character": '{"id": "t\x019"}',
    "the delimiter of an earlier reader": '{"id": "t9"}\x01{"id": "t8"}',
    "over the limit": '{"id": "t9", "text": "%s"}' % ("x" * (9 << 20)),
    "no UTF-16 half": '{"id": "\\ud800"}',
    "a quote alone": '"',
}


@pytest.mark.parametrize("line", ODD_LINES.values(), ids=ODD_LINES)
def test_an_odd_json_line_is_one_malformed_record(bank: Settings, line: str) -> None:
    first, second = (as_json_lines([record(text)]) for text in PLAIN.splitlines())
    deliver(bank, "tx.jsonl", f"{first}{line}\n{second}")
    summary = land(bank)
    assert (summary.rows_in, summary.accepted, summary.quarantined) == (3, 2, 1)
    assert reasons(bank) == {"malformed_record": 1}


def test_json_lines_may_end_in_either_way(bank: Settings) -> None:
    first, second = (as_json_lines([record(text)]) for text in PLAIN.splitlines())
    deliver(bank, "tx.jsonl", first.replace("\n", "\r\n") + second)
    assert land(bank).accepted == 2


UNREADABLE = {
    "truncated gzip": ("tx.csv.gz", lambda: _gzip(transactions() * 200)[:-20], "cut off"),
    "truncated zstd": ("tx.csv.zst", lambda: _zstd(transactions() * 200)[:-20], "cut off"),
    "no gzip at all": ("tx.csv.gz", lambda: transactions().encode(), "not what its ending says"),
    "wrong encoding": ("tx.csv", lambda: transactions(PLAIN).encode("latin-1"), "is not utf-8: byte 80"),
    "missing column": (
        "tx.csv",
        lambda: transactions().replace(";amount", ";betrag", 1).encode(),
        "lacks column amount",
    ),
    "mixed ends of lines": ("tx.csv", lambda: f"{HEADER}\r\n{GOOD}".encode(), "cannot be cut into records"),
    "column twice": ("tx.csv", lambda: transactions().replace(";cur", ";day", 1).encode(), "column twice"),
    "empty file": ("tx.csv", lambda: b"", "is empty"),
    "half a Parquet file": ("tx.parquet", lambda: b"PAR1 and no more", "no whole Parquet file"),
}


def _gzip(text: str) -> bytes:
    import gzip

    return gzip.compress(text.encode(), mtime=0)


def _zstd(text: str) -> bytes:
    return pa.Codec("zstd").compress(text.encode()).to_pybytes()  # type: ignore[no-any-return]


@pytest.mark.parametrize(("name", "content", "message"), UNREADABLE.values(), ids=UNREADABLE)
def test_a_file_no_row_can_be_taken_from_is_kept_and_told(bank: Settings, name, content, message) -> None:  # type: ignore[no-untyped-def]
    delivered = deliver(bank, name, content())
    summary = land(bank)
    assert (summary.unreadable, summary.accepted) == (1, 0)
    (delivery,) = deliveries(bank)
    assert delivery.outcome == "unreadable"
    assert message in (delivery.message or "")
    assert delivery.lake_path is None
    assert (bank.lake / delivery.raw_path).read_bytes() == delivered.read_bytes()
    assert (
        "Ask the source" in str(delivery.message)
        or "source.yaml" in str(delivery.message)
        or "header" in str(delivery.message)
    )
    assert land(bank).known_already == 1, "the same bytes are not tried again"


def test_a_file_with_a_header_alone_is_a_delivery_of_no_rows(bank: Settings) -> None:
    deliver(bank, "tx.csv", HEADER + "\n")
    assert land(bank).rows_in == 0
    (delivery,) = deliveries(bank)
    assert delivery.outcome == "landed"
    assert pq.read_table(bank.lake / str(delivery.lake_path)).num_rows == 0


def test_an_extra_column_is_told_and_not_taken(bank: Settings) -> None:
    lines = transactions().splitlines()
    deliver(bank, "tx.csv", "\n".join([lines[0] + ";colour", *[line + ";red" for line in lines[1:]]]))
    assert land(bank).accepted == 3
    message = str(deliveries(bank)[0].message)
    assert "1 of 9 columns nobody declared (column 9)" in message
    assert "colour" not in message, "what stands in a header may be a person's data"


def test_a_file_without_a_header_is_told_without_its_first_row(bank: Settings) -> None:
    deliver(bank, "tx.csv", "p1;Anna Schmidt;01.03.2026;1,00;EUR;C;fee;hello\n")
    assert land(bank).unreadable == 1
    message = str(deliveries(bank)[0].message)
    assert "is there a header line?" in message and "lacks column id, account" in message
    assert "Anna" not in message and "p1" not in message


def test_an_unreadable_file_is_tried_again_when_its_mapping_was_mended(bank: Settings) -> None:
    mapping = bank.source_folders[0] / "transactions.sql"
    good = mapping.read_text()
    mapping.write_text(good.replace("account as account_id", "konto as account_id"))
    deliver(bank, "tx.csv", transactions())
    assert land(bank).unreadable == 1
    mapping.write_text(good)
    assert land(bank).accepted == 3
    assert [d.outcome for d in deliveries(bank)] == ["unreadable", "landed"]


def test_repeats_are_counted_lower_versions_lose_and_contradictions_are_quarantined(bank: Settings) -> None:
    mapping = bank.source_folders[0] / "transactions.sql"
    mapping.write_text(mapping.read_text().replace("text as description", "text as version_number"))
    deliver(
        bank,
        "tx.csv",
        transactions(
            "t1;a1;01.03.2026;1,00;EUR;C;fee;1\n"
            "t1;a1;01.03.2026;2,00;EUR;C;fee;2\n"
            "t2;a1;01.03.2026;3,00;EUR;C;fee;\n"
            "t2;a1;01.03.2026;3,00;EUR;C;fee;\n"
            "t3;a1;01.03.2026;4,00;EUR;C;fee;\n"
            "t3;a1;01.03.2026;5,00;EUR;C;fee;\n"
        ),
    )
    summary = land(bank)
    assert (summary.rows_in, summary.accepted, summary.repeated, summary.quarantined) == (6, 3, 2, 1)
    assert reasons(bank) == {"contradicts:transaction_id": 1}
    amounts = {r["transaction_id"]: r["amount"] for r in rows(bank, "transactions")}
    assert amounts["t1"] == Decimal("2.00")
    assert amounts["t2"] == Decimal("3.00")
    assert amounts["t3"] in (Decimal("4.00"), Decimal("5.00"))


def test_rows_and_money_are_conserved_per_delivery(bank: Settings) -> None:
    bad = "t9;a1;01.03.2026;1,005;EUR;C;fee;\nt8;a1;01.03.2026;99999999999999999999,00;EUR;C;fee;\n"
    again = "t2;a1;02.03.2026;20,00;EUR;D;fee;\n"
    deliver(bank, "tx.csv", transactions(GOOD + bad + again))
    land(bank)
    with ledger.session(bank) as session:
        found = {c.measure: c for c in session.scalars(select(ledger.Conservation))}
    for row in found.values():
        assert row.total_in == row.accepted + row.repeated + row.quarantined + row.suppressed
    assert found["rows"].total_in == 6
    assert found["EUR"].total_in == Decimal("1234.50") + 20 + 20 + Decimal("1.005") + Decimal("99999999999999999999")
    assert found["EUR"].accepted == Decimal("1254.50")
    assert found["USD"].accepted == Decimal("7.25")


def test_what_is_no_currency_is_counted_and_not_told(bank: Settings) -> None:
    rows_ = f"t1;a1;01.03.2026;1,00;Anna Schmidt;C;fee;\nt2;a1;01.03.2026;2,00;{'Anna ' * 20};C;fee;\n"
    deliver(bank, "tx.csv", transactions(rows_ + "t3;a1;01.03.2026;4,00;EUR;C;fee;\n"))
    land(bank)
    with ledger.session(bank) as session:
        found = {c.measure: c.quarantined for c in session.scalars(select(ledger.Conservation))}
    assert found == {"rows": 2, "EUR": 0, "(no currency)": Decimal(3)}


def test_junk_amounts_of_any_size_do_not_stop_the_sums(bank: Settings) -> None:
    deliver(bank, "tx.csv", transactions("".join(f"t{i};a1;01.03.2026;{'9' * 32};EUR;C;fee;\n" for i in range(3))))
    assert land(bank).quarantined == 3


def test_texts_of_two_versions_of_a_complaint_keep_their_versions(bank: Settings) -> None:
    said = ["c1;02.03.2026;second", "c1;01.03.2026;first", "c2;01.03.2026;other"]
    for number, lines in enumerate((said, said[::-1])):
        deliver(bank, f"complaints_{number}.csv", "id;changed;said\n" + "".join(f"{line}\n" for line in lines))
    assert land(bank, "complaints").accepted == 6
    texts = [(r["complaint_id"], r["updated_at"].day, r["text"]) for r in rows(bank, "pii/texts/complaints")]  # type: ignore[attr-defined]
    assert sorted(texts) == sorted([("c1", 28, "first"), ("c1", 1, "second"), ("c2", 28, "other")] * 2)


@pytest.mark.parametrize(
    ("scale", "undeclared"),
    [
        ("low as scale_min, high as scale_max, up as is_high_good", 1),
        ("null as scale_min, null as scale_max, null as is_high_good", 4),
    ],
)
def test_an_answer_on_an_undeclared_scale_is_quarantined_never_guessed(
    bank: Settings, scale: str, undeclared: int
) -> None:
    folder = bank.source_folders[0]
    (folder / "survey_responses.sql").write_text(
        "select id as response_id, day as responded_at, 'q' as question_id, 'csat' as question_family,"
        f" 'relationship' as survey_kind, score, {scale} from raw"
    )
    with (folder / "source.yaml").open("a") as source:
        source.write('  - {feed: survey_responses, pattern: "{delivery_day}/answers*.csv"}\n')
    said = ["a;01.03.2026;1;5;true;4", "b;01.03.2026;;5;true;4", "c;01.03.2026;1;;true;4", "d;01.03.2026;1;5;;4"]
    deliver(bank, "answers.csv", "id;day;low;high;up;score\n" + "".join(f"{line}\n" for line in said))
    landed = land(bank, "survey_responses")
    columns = ("scale_min", "scale_max", "is_high_good")
    assert reasons(bank) == {f"missing:{column}": undeclared for column in columns}
    declared = ["a"] if undeclared == 1 else []
    assert [r["response_id"] for r in rows(bank, "survey_responses")] == declared
    assert (landed.accepted, landed.quarantined) == (len(declared), 4 - len(declared))


def land_sample(settings: Settings, folder: Path, feed: str) -> tuple[list[dict[str, object]], int]:
    """Accepted rows of a feed of the synthetic bank, which are all good ones, and how many kinds of dirt were not."""
    sample.generate(1500, 40, 7, folder, feeds=[feed])
    source = str(PROJECT / "sources" / "synthetic_bank")
    bank = settings.model_copy(update={"sources": source, "inbox": folder / "inbox"})
    land(bank, feed)
    told = json.loads((folder / "truth" / "dirt.json").read_text())
    bad = Counter[str]()
    for file in told["files"].values():
        bad.update(file["bad"])
    assert reasons(bank) == bad
    accepted = rows(bank, feed)
    assert len(accepted) == told["totals"][feed]["good"]
    return accepted, len(bad)


def test_invitations_of_the_synthetic_bank_land_but_for_what_is_wrong_on_purpose(
    settings: Settings, tmp_path: Path
) -> None:
    accepted, kinds_of_dirt = land_sample(settings, tmp_path, "survey_invitations")
    assert kinds_of_dirt == 6
    assert all(row["delivered_at"] and row["question_id"] and "address" not in row for row in accepted)
    assert {str(row["contact_token"]).split(":")[1] for row in accepted if row["contact_token"]} == {"email", "phone"}


def test_legs_of_the_synthetic_bank_land_but_for_what_is_wrong_on_purpose(settings: Settings, tmp_path: Path) -> None:
    accepted, kinds_of_dirt = land_sample(settings, tmp_path, "call_legs")
    assert kinds_of_dirt == 5
    assert all(row["call_id"] and row["agent_id"] and row["handle_seconds"] for row in accepted)


def test_business_dates_of_a_delivery_are_the_banks(bank: Settings) -> None:
    deliver(bank, "calls.csv", "id;began;ended;phone;queue;said\na;01.03.2026 23:30:00;;;;\n")
    land(bank.model_copy(update={"timezone": "Asia/Tokyo"}), "call_logs")
    (there,) = deliveries(bank)
    assert there.event_date_min == date(2026, 3, 1)
    source = bank.source_folders[0] / "source.yaml"
    source.write_text(source.read_text().replace("phone_region: DE", "phone_region: DE, timezone: America/New_York"))
    deliver(bank, "calls.csv", "id;began;ended;phone;queue;said\nb;01.03.2026 23:30:00;;;;\n")
    land(bank, "call_logs")
    assert deliveries(bank)[1].event_date_max == date(2026, 3, 2), "it was the second in Berlin by then"


def test_a_bad_control_file_concerns_its_delivery_alone_until_it_is_mended(bank: Settings) -> None:
    source = bank.source_folders[0] / "source.yaml"
    source.write_text(source.read_text().replace("phone_region: DE", 'phone_region: DE, control: "{name}.ctl"'))
    for name, control in {"tx1.csv": '{"rows": "Anna"}', "tx2.csv": '{"rows": 3, "amount": "1.00"}'}.items():
        path = deliver(bank, name, transactions())
        path.with_name(f"{name}.ctl").write_text(control)
    land(bank)
    bad, good = deliveries(bank)
    assert (bad.outcome, good.outcome) == ("unreadable", "landed")
    assert "tx1.csv.ctl is no JSON with rows" in str(bad.message) and "Anna" not in str(bad.message)
    assert good.expected == {"rows": 3, "amount": "1.00"}
    assert land(bank).known_already == 2
    (bank.inbox_folder / DAY / "tx1.csv.ctl").write_text('{"rows": 3}')
    assert land(bank).deliveries == 1
    assert [d.outcome for d in deliveries(bank)] == ["unreadable", "landed", "landed"]
    (bank.inbox_folder / DAY / "tx2.csv.ctl").write_text('{"rows": 3, "amount": "2.00"}')
    assert land(bank).deliveries == 1
    corrected = deliveries(bank)[-1]
    assert (corrected.lake_path, corrected.expected) == (good.lake_path, {"rows": 3, "amount": "2.00"})
    assert land(bank).known_already == 2


def test_a_full_disk_fails_the_task_and_the_next_try_lands_the_file(bank: Settings) -> None:
    many = transactions("".join(f"t{i};a1;01.03.2026;1,00;EUR;C;fee;n\n" for i in range(60_000)))
    deliver(bank, "tx.csv.gz", many)  # small as delivered, two megabytes as text
    script = (
        "import resource, signal\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "from cx360 import landing, ledger\nfrom cx360.settings import Settings\n"
        "with ledger.session(Settings()): pass\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20))\n"
        "landing.land(Settings(), 'transactions')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], env=_environment(bank), capture_output=True, check=False)
    assert done.returncode == 1 and "OSError: [Errno 27] File too large" in done.stderr.decode()
    assert deliveries(bank) == []
    assert land(bank).accepted == 60_000


def test_want_of_memory_fails_the_task_and_the_next_try_lands_the_file(bank: Settings) -> None:
    deliver(bank, "tx.csv", transactions("".join(f"t{i};a1;01.03.2026;1,00;EUR;C;fee;n\n" for i in range(60_000))))
    with pytest.raises(duckdb.OutOfMemoryException):
        land(bank.model_copy(update={"memory_limit": "5MB"}))
    assert deliveries(bank) == []
    assert land(bank).accepted == 60_000


def test_calls_without_a_key_get_one_from_what_they_say(bank: Settings) -> None:
    said = ";01.03.2026 10:00:00;01.03.2026 10:05:00;030 901820;cards;hello\n"
    deliver(bank, "calls.csv", "id;began;ended;phone;queue;said\nc1;01.03.2026 09:00:00;;;;\n" + said + said)
    assert land(bank, "call_logs").accepted == 3
    keys = [str(r["call_id"]) for r in rows(bank, "call_logs")]
    derived = sorted(k for k in keys if k != "c1")
    assert derived[0][:-1] == derived[1][:-1] and (derived[0][-2:], derived[1][-2:]) == ("-1", "-2")
    again = deliver(
        bank, "calls_again.csv", "id;began;ended;phone;queue;said\n" + said.replace("030 901820", "+4930901820")
    )
    assert again.exists()
    land(bank, "call_logs")
    assert len(set(derived) & {str(r["call_id"]) for r in rows(bank, "call_logs")}) == 2


def _quarantined_are_lines(bank: Settings, feed: str, lines: list[str]) -> list[int]:
    """Numbers of the quarantined rows, each of which must be the line of its number."""
    found = rows(bank, f"pii/quarantine/{feed}")
    for row in found:
        raw = json.loads(str(row["raw_row"]))
        assert ";".join(v or "" for v in raw.values()) == lines[int(str(row["row_number"])) - 1]
    return [int(str(row["row_number"])) for row in found]


def test_of_rows_with_one_key_or_none_each_is_quarantined_as_itself(bank: Settings) -> None:
    good = [f"g{i};a1;01.03.2026;1,00;EUR;C;fee;n" for i in range(3_000)]
    alike = [
        ";a1;01.03.2026;1,00;EUR;C;fee;first",
        "t1;a1;01.03.2026;2,00;EUR;C;fee;n",
        "t1;a1;never;2,00;EUR;C;fee;n",
        " t1;a1;01.03.2026;2,00;EUR;C;fee;n",
        "t1;a1;01.03.2026;3,00;EUR;C;fee;n",
        "t1 ;a1;01.03.2026;3,00;EUR;C;fee;n",
        "t1;a1;never;3,00;EUR;C;fee;n",
        ";a1;never;1,00;EUR;C;fee;second",
    ]
    lines = [*alike[:3], *good, *alike[3:]]
    deliver(bank, "tx.csv", transactions("".join(f"{line}\n" for line in lines)))
    land(bank)
    assert reasons(bank) == {
        "contradicts:transaction_id": 2,
        "missing:transaction_id": 2,
        "unparseable:booked_date": 3,
    }
    found = _quarantined_are_lines(bank, "transactions", lines)
    assert {1, 3, len(lines) - 1, len(lines)} < set(found) and len(found) == 6


def test_of_calls_without_a_key_the_bad_ones_are_quarantined_as_themselves(bank: Settings) -> None:
    said = "01.03.2026 10:00:00;01.03.2026 10:05:00;030 901820;cards;hello"
    lines = [f";{said}", f";{said.replace('01.03.2026 10:00:00', 'never')}", f";{said}", ";then;;;;", f";{said}"]
    deliver(bank, "calls.csv", "id;began;ended;phone;queue;said\n" + "".join(f"{line}\n" for line in lines))
    assert land(bank, "call_logs").accepted == 3
    assert _quarantined_are_lines(bank, "call_logs", lines) == [2, 4]


def test_tokens_carried_as_numbers_make_the_same_rows(bank: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = "".join(f"c{i};01.03.2026 10:00:00;;030 9018{i % 50:02d};;\n" for i in range(200))
    deliver(bank, "calls.csv", f"id;began;ended;phone;queue;said\n{calls}c;01.03.2026 10:00:00;;;;\n")
    seen = []
    for few in (250_000, 0):
        monkeypatch.setattr("cx360.rows._FEW_TOKENS", few)
        assert land(bank, "call_logs").accepted == 201
        seen.append([rows(bank, part) for part in ("call_logs", "pii/identifiers/call_logs")])
        _forget(bank)
    assert seen[0] == seen[1]
    assert [r["token"] for r in seen[0][1]] == sorted(str(r["token"]) for r in seen[0][1])


def test_local_times_become_instants_also_on_the_night_the_clocks_change(bank: Settings) -> None:
    text = "id;began;ended;phone;queue;said\na;29.03.2026 01:59:59;;;;\nb;29.03.2026 03:00:00;;;;\n"
    text += "c;01.07.2026 12:00:00;;;;\nd;2026-07-01T12:00:00+05:30;;;;\ne;2026-07-01T12:00:00Z;;;;\n"
    deliver(bank, "calls.csv", text)
    land(bank, "call_logs")
    times = {r["call_id"]: r["started_at"].strftime("%d %H:%M:%S") for r in rows(bank, "call_logs")}  # type: ignore[attr-defined]
    assert times == {"a": "29 00:59:59", "b": "29 01:00:00", "c": "01 10:00:00", "d": "01 06:30:00", "e": "01 12:00:00"}


def test_the_same_file_is_landed_once_and_a_second_run_changes_no_byte(bank: Settings) -> None:
    path = deliver(bank, "tx.csv", transactions())
    land(bank)
    before = lake_bytes(bank)
    os.utime(path)  # touched, not changed
    assert land(bank).known_already == 1
    assert len(deliveries(bank)) == 1
    assert lake_bytes(bank) == before


def test_snapshots_a_b_a_are_three_deliveries_of_two_contents(bank: Settings) -> None:
    for content in (GOOD, GOOD + "t4;a1;02.03.2026;1,00;EUR;D;fee;\n", GOOD):
        deliver(bank, "tx.csv", transactions(content))
        land(bank)
    first, second, third = deliveries(bank)
    assert first.lake_path == third.lake_path != second.lake_path
    assert (third.rows_in, third.rows_accepted) == (3, 3)
    assert len(list((bank.lake / "transactions").glob("*.parquet"))) == 2


def _forget(bank: Settings) -> None:
    """Back to an empty lake and ledger."""
    shutil.rmtree(bank.lake)
    with ledger.session(bank) as session:
        for table in (ledger.Quarantine, ledger.Conservation, ledger.Delivery):
            session.query(table).delete()


def test_the_same_input_makes_the_same_bytes_with_any_number_of_threads_and_little_memory(bank: Settings) -> None:
    faults = {7: "never", 8: "", 9: "32.13.2026"}
    many = "".join(
        f"t{i * 7919 % 149_999};a{i % 7};{faults.get(i % 1000, '01.03.2026')};{i % 97},{i % 90 + 10};EUR;C;fee;n {i}\n"
        for i in range(150_000)
    )
    deliver(bank, "tx.csv", transactions(many + "short\n"))
    seen = []
    for threads, memory in ((2, "1GB"), (1, "1GB"), (4, "1GB"), (2, "90MB"), (2, "1GB")):
        assert land(bank.model_copy(update={"threads": threads, "memory_limit": memory})).quarantined == 451 + 1
        seen.append(lake_bytes(bank))
        _forget(bank)
    assert seen == seen[:1] * len(seen)


def test_rows_of_a_file_that_several_threads_read_keep_their_numbers(bank: Settings) -> None:
    line = '{"id":"t%d","account":"a1","day":"%s","amount":"1,00","cur":"EUR","dc":"C","what":"fee","text":null}\n'
    bad = range(999, 400_000, 1000)
    deliver(bank, "tx.jsonl", "".join(line % (i, "never" if i in bad else "01.03.2026") for i in range(400_000)))
    assert land(bank.model_copy(update={"threads": 4})).quarantined == len(bad)
    refused = rows(bank, "pii/quarantine/transactions")
    assert [(row["row_number"], json.loads(str(row["raw_row"]))["id"]) for row in refused] == [
        (i + 1, f"t{i}") for i in bad
    ]


def test_the_lake_has_the_types_of_the_contract(bank: Settings) -> None:
    deliver(bank, "tx.csv", transactions())
    land(bank)
    contract = contracts.load(bank)["transactions"]
    found = pq.read_schema(bank.lake / str(deliveries(bank)[0].lake_path))
    assert {f.name: f.type for f in found} == {n: contracts.arrow_type(t) for n, t, _ in contract.lake_columns}


def test_a_refused_row_is_kept_as_it_was_delivered_wherever_it_stands(bank: Settings) -> None:
    good = "".join(f"t{i};a1;01.03.2026;1,00;EUR;C;fee;n\n" for i in range(9_000))
    lines = ["x1;a1;never;1,00;EUR;C;fee; kept as is", "no record", good, "x2;a1;01.03.2026;much;EUR;C;fee;"]
    deliver(bank, "tx.csv", transactions("".join(f"{line.rstrip()}\n" for line in lines)))
    land(bank)
    kept = {str(r["reasons"]): r for r in rows(bank, "pii/quarantine/transactions")}
    assert kept["['unparseable:booked_date']"]["row_number"] == 1
    assert '"text":" kept as is"' in str(kept["['unparseable:booked_date']"]["raw_row"])
    assert kept["['unparseable:amount']"]["row_number"] == 9_002, "counting the well-formed records"
    assert '"id":"x2"' in str(kept["['unparseable:amount']"]["raw_row"])
    assert kept["['malformed_record']"]["row_number"] == 3, "its line, the header being the first"


@pytest.mark.parametrize("blank", [" ", "\u00a0", "\u3000", " \u2009"], ids=["space", "no-break", "wide", "thin"])
def test_spaces_around_a_value_are_no_part_of_it(bank: Settings, blank: str) -> None:
    line = f"{blank}t1{blank};{blank}a1;01.03.2026{blank};{blank}1,00;EUR{blank};C;fee{blank};{blank}\n"
    deliver(bank, "tx.csv", transactions(line + f"t2;{blank};01.03.2026;1,00;EUR;C;fee;\n"))
    assert land(bank).accepted == 1
    (accepted,) = rows(bank, "transactions")
    assert [accepted[c] for c in ("transaction_id", "account_id", "currency")] == ["t1", "a1", "EUR"]
    assert rows(bank, "pii/texts/transactions") == [], "a text of spaces is none"
    assert reasons(bank) == {"missing:account_id": 1}


def test_a_landing_killed_anywhere_leaves_nothing_that_counts_and_finishes_the_same(
    bank: Settings, tmp_path: Path
) -> None:
    many = "".join(f"t{i};a1;01.03.2026;1,{i % 90 + 10};EUR;C;fee;n\n" for i in range(60_000))
    deliver(bank, "tx.csv", transactions(many))
    land(bank)
    whole, before = lake_bytes(bank), deliveries(bank)[0].rows_accepted
    with ledger.session(bank) as session:
        for table in (ledger.Quarantine, ledger.Conservation, ledger.Delivery):
            session.query(table).delete()
    shutil.rmtree(bank.lake)
    for signal_after in _killed_landings(bank):
        assert deliveries(bank) == [], signal_after
    assert land(bank).accepted == before
    assert lake_bytes(bank) == whole


def _environment(bank: Settings) -> dict[str, str]:
    """What a process of its own needs to work for this bank."""
    return os.environ | {
        "CX360_HOME": str(bank.home),
        "CX360_SOURCES": bank.sources,
        "CX360_INBOX": str(bank.inbox),
        **({"CX360_DATABASE_URL": bank.database_url.get_secret_value()} if bank.database_url else {}),
    }


def _killed_landings(bank: Settings) -> Iterator[str]:
    """Run the landing in a process of its own and kill it when it reaches each of these calls."""
    for place in ("cx360.rows.judge", "cx360.lake.write", "cx360.lake.place", "cx360.manifest.record"):
        module, _, function = place.rpartition(".")
        script = (
            "import os, signal, importlib\n"
            f"module = importlib.import_module({module!r})\n"
            f"setattr(module, {function!r}, lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL))\n"
            "from cx360 import landing\nfrom cx360.settings import Settings\n"
            "landing.land(Settings(), 'transactions')\n"
        )
        done = subprocess.run([sys.executable, "-c", script], env=_environment(bank), capture_output=True, check=False)
        assert done.returncode == -signal.SIGKILL, done.stderr.decode()
        yield place


CANARIES = {
    "full_name": "Canaria Vogelsang",
    "phone": "0301234567890",
    "email": "canaria.vogelsang@example.org",
    "street": "Kanarienweg 77",
    "text": "canary sings of secrets",
    "born": "13.07.1987",
}


def test_canaries_of_personal_data_are_found_nowhere_outside_pii(
    bank: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    c = CANARIES
    person = f"p1;{c['full_name']};{c['born']};{c['phone']};{c['email']};{c['street']};01.03.2026 08:00:00\n"
    broken = f"p2;{c['full_name']};{c['phone']};{c['phone']};{c['email']};{c['street']};{c['email']}\n"
    deliver(bank, "people.csv", "id;name;born;phone;mail;street;changed\n" + person + broken + f"p3;{c['full_name']}\n")
    deliver(
        bank,
        "tx.csv",
        transactions(f"t1;a1;{c['email']};1,00;EUR;C;fee;{c['text']}\nt2;a1;01.03.2026;1,00;EUR;C;fee;{c['text']}\n"),
    )
    deliver(bank, "calls.csv", f"id;began;ended;phone;queue;said\nc1;01.03.2026 09:00:00;;{c['phone']};q;{c['text']}\n")
    for place in range(2, 8):  # and where nobody expects a person: day, amount, currency, direction, category
        misplaced = ["t3", "a1", "01.03.2026", "1,00", "EUR", "C", "fee", ""]
        misplaced[place] = c["full_name"] + " " * (place % 2) + "x" * 60 * (place % 2)
        deliver(bank, f"tx_{place}.csv", transactions(";".join(misplaced) + "\n"))
        deliver(bank, f"tx_{place}.jsonl", f'{{"id": {c["email"]}}}\n{{"id": "{c["full_name"]}\x01"}}\n')
    deliver(bank, "tx_headless.csv", f"{c['full_name']};{c['phone']};{c['text']}\n")
    deliver(bank, "tx_mixed.csv", f"{HEADER}\r\n{c['full_name']};{c['phone']}\n{c['text']}\r\n")
    deliver(bank, "tx_header.csv", f"{HEADER};{c['full_name']}\n")
    with caplog.at_level("DEBUG"):
        summaries = [land(bank, feed).as_dict() for feed in ("parties", "transactions", "call_logs")]
    assert sum(s["quarantined"] for s in summaries) == 3 + 5 + 12
    assert sum(s["unreadable"] for s in summaries) == 2

    haystack = str(summaries) + caplog.text
    with ledger.session(bank) as session:
        for table in ledger.Base.metadata.sorted_tables:
            haystack += str(session.execute(select(table)).fetchall())
    for path in bank.lake.rglob("*.parquet"):
        if "pii" not in path.relative_to(bank.lake).parts:
            haystack += duckdb.sql(f"select * from read_parquet('{path}')").to_arrow_table().to_pandas().to_csv()
    assert not [name for name, canary in CANARIES.items() if canary.lower() in haystack.lower()]
    inside = b"".join(p.read_bytes() for p in (bank.lake / "pii" / "raw").rglob("*") if p.is_file())
    assert all(canary.encode() in inside for canary in CANARIES.values()), "the canaries were really there"
