"""Dirt of the synthetic bank: bad, repeated, late and empty files and rows, each counted.

Here belongs what is wrong on purpose. Rates are in ``parameters.yaml``. Bad rows are extra rows with keys of their own.
"""

from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np

from cx360.sample import files
from cx360.sample.bank import Feed, Ints, Plan, Slot, digits, join, pick

if TYPE_CHECKING:
    import pyarrow as pa

#: Column of each feed's key; a bad row gets a key nobody else has.
KEYS = {
    "parties": "KUNDEN_NR", "accounts": "ACCT_NO", "account_parties": "CUST_NO", "holdings": "contract_no",
    "fx_rates": "to_ccy", "transactions": "txn_ref", "app_events": "id", "call_logs": "Ruf_ID",
    "survey_responses": "response_uuid", "complaints": "case_no", "risk_scores": "score_no",
    "outreach": "message_id", "points_entries": "booking_no", "survey_invitations": "invitation",
    "call_legs": "Abschnitt",
}  # fmt: skip

#: What each kind of dirt puts into which columns; several values are used in turn. None empties a column.
DEFECTS: dict[str, dict[str, list[dict[str, str | None]]]] = {
    "parties": {
        "missing:party_id": [{"KUNDEN_NR": None}],
        "unparseable:birth_date": [{"GEBURTSDATUM": "31.02.1980"}, {"GEBURTSDATUM": "unbekannt"}],
        "not_allowed:status": [{"STATUS": "X"}],
        "too_long:full_name": [{"NACHNAME": "Wolfeschlegelsteinhausenberger" * 8}],
        "out_of_range:birth_year": [{"GEBURTSJAHR": "1780", "GEBURTSDATUM": None}],
    },
    "accounts": {
        "missing:account_id": [{"ACCT_NO": None}],
        "unparseable:opened_date": [{"OPEN_DT": "20260230"}, {"OPEN_DT": "0"}],
        "not_allowed:account_type": [{"ACCT_TYPE": "BAUSPAR"}],
        "pattern:currency": [{"CCY": "EURO"}],
        "rule:closes_after_it_opens": [{"CLOSE_DT": "19491231", "STAT": "C"}],
    },
    "account_parties": {"missing:party_id": [{"CUST_NO": None}], "not_allowed:role": [{"ROLE": "??"}]},
    "holdings": {
        "missing:holding_id": [{"contract_no": None}],
        "not_allowed:holding_type": [{"kind": "BITCOIN"}],
        "rule:held_by_someone": [{"cust_no": None, "acct_no": None, "rel_id": None}],
    },
    "fx_rates": {
        "unparseable:rate": [{"rate": "k.A."}],
        "out_of_range:rate": [{"rate": "0,00000000"}],
        "too_precise:rate": [{"rate": "1,0712345678"}],
        "pattern:currency": [{"from_ccy": "US$"}],
    },
    "transactions": {
        "missing:transaction_id": [{"txn_ref": None}],
        "missing:account_id": [{"acct": None}],
        "unparseable:booked_date": [{"book_date": "2026-02-30"}, {"book_date": "31/13/2026"}, {"book_date": "heute"}],
        "unparseable:amount": [{"amt": "n/a"}, {"amt": "12.5O"}],
        "overflow:amount": [{"amt": "99999999999999999999.99"}],
        "too_precise:amount": [{"amt": "12.3456"}, {"amt": "0.005"}],
        "out_of_range:amount": [{"amt": "-25.00"}, {"amt": "-0.01"}],
        "not_allowed:category": [{"purpose_code": "ZZZ"}],
        "pattern:currency": [{"ccy": "EURO"}, {"ccy": "eur"}],
        "too_long:counterparty": [{"counterparty": "Frischemarkt, Filiale " * 12}],
    },
    "app_events": {
        "missing:event_id": [{"id": None}],
        "unparseable:occurred_at": [{"ts": "1970"}, {"ts": "2026-02-30T10:00:00.000Z"}],
        "not_allowed:platform": [{"os": "Symbian"}],
        "unparseable:is_error": [{"err": '"vielleicht"'}],
        "rule:somebody_acted": [{"dev": None, "usr": None, "cust": None}],
    },
    "call_logs": {
        "unparseable:started_at": [{"Beginn": "31.02.2026 09:00:00"}, {"Beginn": "gestern"}],
        "not_allowed:outcome": [{"Ergebnis": "FEHLER"}],
        "out_of_range:handle_seconds": [{"Bearbeitung_s": "-30"}, {"Bearbeitung_s": "99999999"}],
        "rule:ends_after_it_starts": [{"Ende": "01.01.2001 09:00:00"}],
        "rule:answered_after_it_queued": [{"Eingereiht": "31.12.2035 10:00:00", "Angenommen": "31.12.2035 09:00:00"}],
    },
    "survey_responses": {
        "missing:question_id": [{"question": None}],
        "unparseable:score": [{"value": '"zehn"'}],
        "not_allowed:question_family": [{"metric": "SMILEY"}],
        "rule:score_on_its_scale": [{"metric": "NPS", "min": "0", "max": "10", "value": "11"},
                                    {"metric": "CES", "min": "1", "max": "7", "value": "0"}],
        "rule:nps_is_asked_0_to_10": [{"metric": "NPS", "min": "1", "max": "10", "value": "5"}],
    },
    "complaints": {
        "missing:complaint_id": [{"case_no": None}],
        "unparseable:received_at": [{"received": "32.01.2026 10:00"}, {"received": "am Montag"}],
        "not_allowed:status": [{"state": "WEITERGELEITET"}],
        "too_long:text": [{"text": "Ich habe es schon oft gesagt; " * 150}],
        "rule:closes_after_it_is_received": [{"closed": "01.01.2001 10:00", "state": "ERLEDIGT"}],
    },
    "risk_scores": {
        "missing:score_id": [{"score_no": None}],
        "unparseable:score": [{"wert": "k.A."}, {"wert": "512.30"}],
        "unparseable:scored_at": [{"zeitpunkt": "31.02.2026 04:00:00"}, {"zeitpunkt": "nachts"}],
        "rule:score_on_its_scale": [{"wert": "1000,01", "skala_von": "0", "skala_bis": "1000"},
                                    {"wert": "299,00", "skala_von": "300", "skala_bis": "850"}],
        "rule:scale_has_a_width": [{"wert": "100,00", "skala_von": "100", "skala_bis": "100"}],
    },
    "outreach": {
        "missing:outreach_id": [{"message_id": None}],
        "unparseable:sent_at": [{"sent": "2026-02-30 10:00:00"}, {"sent": "gestern"}],
        "not_allowed:channel": [{"medium": "Rauchzeichen"}],
        "rule:delivered_after_it_is_sent": [{"delivered": "2001-01-01 10:00:00"}],
        "rule:responded_after_it_is_delivered": [{"reacted": "2001-01-01 10:00:00"}],
        "rule:converted_after_it_is_delivered": [{"bought": "2001-01-01 10:00:00"}],
    },
    "points_entries": {
        "missing:entry_id": [{"booking_no": None}],
        "missing:party_id": [{"cust_no": None}],
        "unparseable:points": [{"points": "viele"}, {"points": "12.5"}],
        "not_allowed:entry_type": [{"kind": "GESCHENK"}],
        "rule:sign_of_its_type": [{"kind": "SAMMELN", "points": "-50", "usable_until": None},
                                  {"kind": "EINLOESEN", "points": "50", "usable_until": None}],
        "rule:only_what_is_gained_expires": [{"kind": "EINLOESEN", "points": "-20", "usable_until": "20991231"}],
        "rule:expires_after_it_is_booked": [{"kind": "SAMMELN", "points": "20", "usable_until": "20010101"}],
    },
    "survey_invitations": {
        "missing:invitation_id": [{"invitation": None}],
        "missing:delivered_at": [{"delivered": None}],
        "unparseable:delivered_at": [{"delivered": "2026-02-30 10:00:00"}, {"delivered": "unterwegs"}],
        "missing:question_id": [{"question": None}],
        "not_allowed:survey_kind": [{"kind": "POPUP"}],
    },
    "call_legs": {
        "missing:call_id": [{"Ruf_ID": None}],
        "missing:began_at": [{"Beginn": None}],
        "unparseable:began_at": [{"Beginn": "31.02.2026 09:00:00"}, {"Beginn": "mittags"}],
        "out_of_range:handle_seconds": [{"Bearbeitung_s": "-5"}, {"Bearbeitung_s": "99999999"}],
    },
}  # fmt: skip

#: Records no reader can split; ``{d}`` is the delimiter. None of them reaches into the next record.
MALFORMED_CSV = ["zu{d}wenig{d}Felder", "{row}{d}ein Feld{d}zu viel", "{quote}"]
MALFORMED_JSON = ['{"id":"abgebrochen', "kein JSON", "{row}}"]


def add_dirt(plan: Plan, feed: Feed) -> None:
    """Add bad and repeated rows to a feed, in the files that are large enough; sets ``feed.reason``."""
    import pyarrow as pa

    rng, p = plan.rng(f"dirt/{feed.name}"), plan.settings["dirt"]
    n = feed.table.num_rows
    feed.table = feed.table.append_column("_raw", pa.nulls(n, pa.string()))
    size = np.bincount(feed.slot, minlength=len(feed.slots))
    fit = size >= min(p["smallest_file"], size.max())
    places = np.flatnonzero(fit[feed.slot])
    parts, sources, reasons = [feed.table], [np.arange(n)], [pa.nulls(n, pa.string())]

    kinds = p.get(feed.name, {})

    def draw(rate: float) -> Ints:
        return rng.choice(places, max(round(rate * n), 1 if n >= p["smallest_file"] else 0), replace=False)

    for reason, rate in kinds.items():
        rows = draw(rate)
        bad = feed.table.take(pa.array(rows))
        if reason == "malformed_record":
            bad = bad.set_column(bad.schema.get_field_index("_raw"), "_raw", _malformed(feed.name, bad))
        else:
            bad = _spoil(feed.name, bad, reason)
        parts.append(bad)
        sources.append(rows)
        reasons.append(pick([reason], np.zeros(len(rows), np.int64)))
    able = np.flatnonzero(_has_key(feed)[places])
    again = rng.choice(places[able], min(len(able), max(1, round(p["repeated_rows"] * n))), replace=False)
    parts.append(feed.table.take(pa.array(again)))
    sources.append(again)
    reasons.append(pick(["repeated"], np.zeros(len(again), np.int64)))
    slot = feed.slot[np.concatenate(sources)]
    origin = np.concatenate(sources)
    if ".csv" in files.FORMS[feed.name].suffix and "malformed_record" in kinds and n >= p["smallest_file"]:
        # the last record of the largest file opens a quote and never closes it
        parts.append(_open_quote(feed))
        slot, origin = np.append(slot, size.argmax()), np.append(origin, n)
        reasons.append(pick(["malformed_record"], np.zeros(1, np.int64)))
    order = np.lexsort((np.arange(len(origin)), origin, slot))
    feed.table = pa.concat_tables(parts).take(pa.array(order)).combine_chunks()
    feed.slot = slot[order]
    feed.reason = pa.concat_arrays(reasons).take(pa.array(order))


def _open_quote(feed: Feed) -> "pa.Table":
    import pyarrow as pa

    last = feed.table.slice(0, 1)
    delimiter = files.FORMS[feed.name].delimiter
    raw = delimiter.join(["offen"] * (len(last.column_names) - 2) + ['"ohne Ende'])
    return last.set_column(last.schema.get_field_index("_raw"), "_raw", pa.array([raw]))


def _has_key(feed: Feed) -> np.ndarray[Any, np.dtype[np.bool_]]:
    import pyarrow.compute as pc

    valid: np.ndarray[Any, np.dtype[np.bool_]] = pc.is_valid(feed.table[KEYS[feed.name]]).to_numpy()
    return valid


def _spoil(feed: str, bad: "pa.Table", reason: str) -> "pa.Table":
    """Give rows keys of their own and one defect each."""
    n = bad.num_rows
    key = KEYS[feed]
    if feed not in ("fx_rates", "account_parties"):
        mark = f"X{sorted(DEFECTS[feed]).index(reason)}"
        bad = bad.set_column(bad.schema.get_field_index(key), key, join(mark, digits(np.arange(n) + 1, 7)))
    choices = DEFECTS[feed][reason]
    for column in choices[0]:
        values = [c.get(column) for c in choices]
        bad = bad.set_column(bad.schema.get_field_index(column), column, pick(values, np.arange(n) % len(values)))
    return bad


def _malformed(feed: str, bad: "pa.Table") -> "pa.Array":
    """Raw records: too few fields, too many, text after a closing quote; or broken JSON."""
    import pyarrow as pa
    import pyarrow.compute as pc

    form, n = files.FORMS[feed], bad.num_rows
    json_like = "jsonl" in form.suffix
    row = files.records(feed, bad).combine_chunks()
    many = join(row, form.delimiter, "ein Feld", form.delimiter, "zu viel")
    if json_like:
        ways: list[Any] = [pick(['{"id":"abgebrochen'], np.zeros(n, np.int64)), join(row, "}"), "kein JSON"]
    else:
        columns = len([c for c in bad.column_names if c[0] != "_"])
        quote = form.delimiter.join(['"Rückruf" am Montag"'] + ["x"] * (columns - 1))
        ways = [pick([form.delimiter.join(["zu", "wenig", "Felder"])], np.zeros(n, np.int64)), many, quote]
    chosen = pc.choose(pa.array(np.arange(n) % 3), *ways)
    return chosen.combine_chunks() if isinstance(chosen, pa.ChunkedArray) else chosen


def count(feed: Feed, rows: Ints) -> dict[str, Any]:
    """What a file holds: rows, good, repeated, bad by reason."""
    import pyarrow as pa

    assert feed.reason is not None
    reasons = Counter(r for r in feed.reason.take(pa.array(rows)).to_pylist() if r)
    repeated = reasons.pop("repeated", 0)
    return {
        "feed": feed.name,
        "rows": len(rows),
        "good": len(rows) - repeated - sum(reasons.values()),
        "repeated": repeated,
        "bad": dict(sorted(reasons.items())),
    }


def copies(plan: Plan) -> list[tuple[str, Slot, Slot]]:
    """Files whose content comes again under another name: (feed, file, its copy)."""
    day = plan.last - 1
    return [("call_logs", Slot(day, day), Slot(plan.last, day, 2))]


def header_only(plan: Plan) -> tuple[str, Slot]:
    """A file of a header and nothing else."""
    return "complaints", Slot(plan.last - 2, plan.last - 2, 2)


def unfinished(plan: Plan) -> tuple[str, Slot]:
    """A file whose sending broke off at once: no bytes, and no control file, so it is never complete."""
    return "survey_responses", Slot(plan.last - 1, plan.last - 1, 2)
