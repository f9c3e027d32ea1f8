"""Deliveries for tests of the delivery gate: files of the lake and rows of the ledger, made by hand.

A delivery made here is sound unless the test says otherwise: it plants one thing, and all else is in order.
"""

import uuid
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from cx360 import ledger
from cx360.contracts import FEEDS, arrow_type, load
from cx360.ledger import Conservation, Delivery
from cx360.settings import Settings

DAY = date(2024, 3, 4)

#: One sound row of each feed; {n} is its number.
_ROWS: dict[str, dict[str, Any]] = {
    "parties": {
        "party_id": "P{n}",
        "party_type": "person",
        "status": "active",
        "updated_at": DAY,
        "name_token": "k1:name:{n}",
    },
    "accounts": {
        "account_id": "A{n}",
        "account_type": "current",
        "currency": "EUR",
        "status": "open",
        "opened_date": DAY,
    },
    "account_parties": {"account_id": "A{n}", "party_id": "P{n}", "role": "owner"},
    "holdings": {"holding_id": "H{n}", "holding_type": "card", "status": "active", "party_id": "P{n}"},
    "fx_rates": {"rate_date": DAY, "currency": "C{n}", "quote_currency": "EUR", "rate": Decimal("1.1")},
    "transactions": {
        "transaction_id": "T{n}",
        "account_id": "A{n}",
        "booked_date": DAY,
        "amount": Decimal("10.00"),
        "currency": "EUR",
        "direction": "credit",
        "status": "booked",
        "category": "payment",
        "channel": "app",
    },
    "app_events": {
        "event_id": "E{n}",
        "occurred_at": DAY,
        "event_name": "login",
        "platform": "web",
        "party_id": "P{n}",
    },
    "call_logs": {
        "call_id": "L{n}",
        "ended_at": DAY,
        "started_at": DAY,
        "direction": "inbound",
        "outcome": "handled",
        "party_id": "P{n}",
    },
    "survey_responses": {
        "response_id": "R{n}",
        "responded_at": DAY,
        "party_id": "P{n}",
        "question_id": "q",
        "question_family": "nps",
        "survey_kind": "relationship",
        "scale_min": 0,
        "scale_max": 10,
        "is_high_good": True,
        "score": 9,
    },
    "complaints": {"complaint_id": "K{n}", "received_at": DAY, "status": "open", "party_id": "P{n}", "updated_at": DAY},
    "risk_scores": {
        "score_id": "S{n}",
        "party_id": "P{n}",
        "score_name": "fraud",
        "score": Decimal(1),
        "scale_min": Decimal(0),
        "scale_max": Decimal(10),
        "is_high_bad": True,
        "band": "low",
        "scored_at": DAY,
    },
    "outreach": {
        "outreach_id": "O{n}",
        "party_id": "P{n}",
        "channel": "email",
        "sent_at": DAY,
        "delivered_at": DAY,
        "updated_at": DAY,
    },
    "points_entries": {
        "entry_id": "N{n}",
        "party_id": "P{n}",
        "booked_date": DAY,
        "points": 5,
        "entry_type": "earn",
    },
    "survey_invitations": {
        "invitation_id": "I{n}",
        "delivered_at": DAY,
        "party_id": "P{n}",
        "question_id": "q",
        "survey_kind": "relationship",
    },
    "call_legs": {"leg_id": "L{n}-1", "call_id": "L{n}", "agent_id": "ada", "began_at": DAY, "handle_seconds": 300},
}


def rows(feed: str, count: int = 10, **change: Any) -> list[dict[str, Any]]:
    """Sound rows of a feed, with some columns changed in all of them."""
    row = _ROWS[feed] | change
    return [{k: v.format(n=n) if isinstance(v, str) else v for k, v in row.items()} for n in range(count)]


def deliver(
    settings: Settings,
    feed: str,
    records: list[dict[str, Any]] | None = None,
    *,
    day: date = DAY,
    quarantined: int = 0,
    repeated: int = 0,
    stored: list[dict[str, Any]] | None = None,
    lost: int = 0,
    lost_money: Decimal = Decimal(0),
    **columns: Any,
) -> int:
    """Land a delivery by hand; returns its arrival number.

    Args:
        settings: of the deployment.
        feed: of the delivery.
        records: accepted rows; None for ten sound ones.
        day: of the delivery.
        quarantined: rows beside the accepted ones that were quarantined.
        repeated: rows beside the accepted ones that repeat some.
        stored: what the lake holds, where that differs from what was accepted.
        lost: rows that came in and are nowhere.
        lost_money: money that came in and is nowhere.
        **columns: columns of the delivery, over the sound ones.
    """
    accepted = rows(feed) if records is None else records
    path = f"{feed}/{uuid.uuid4().hex}.parquet"
    _write(settings, feed, path, accepted if stored is None else stored)
    dates = [d for r in accepted if (d := _date(r.get(load()[feed].event_time or "")))]
    rows_in = len(accepted) + quarantined + repeated + lost
    made = {
        "source": "bank",
        "feed": feed,
        "delivery_name": f"{day}/{feed}_{uuid.uuid4().hex[:6]}.csv",
        "delivery_day": day,
        "content_hash": uuid.uuid4().hex,
        "mapping_hash": "m",
        "token_key": "k0000",
        "contract_version": "1",
        "file_size": 1,
        "file_mtime_ns": 1,
        "outcome": "landed",
        "rows_in": rows_in,
        "rows_accepted": len(accepted),
        "rows_repeated": repeated,
        "rows_quarantined": quarantined,
        "rows_suppressed": 0,
        "event_date_min": min(dates, default=None),
        "event_date_max": max(dates, default=None),
        "lake_path": path,
        "raw_path": "pii/raw/x",
    }
    with ledger.session(settings) as session:
        delivery = Delivery(**made | columns)
        session.add(delivery)
        session.flush()
        number = delivery.arrival_number
        _conserve(session, number, "rows", rows_in, len(accepted), repeated, quarantined)
        if load()[feed].money:
            money = sum((r["amount"] for r in accepted), Decimal(0))
            _conserve(session, number, "EUR", money + lost_money, money, 0, 0)
    return number


def masters(settings: Settings) -> None:
    """The masters the sound rows refer to."""
    for feed in FEEDS[:2]:
        deliver(settings, feed, rows(feed, 20))


def _conserve(session: Any, number: int, measure: str, came: Any, accepted: Any, repeated: int, refused: int) -> None:
    session.add(
        Conservation(
            arrival_number=number,
            measure=measure,
            total_in=came,
            accepted=accepted,
            repeated=repeated,
            quarantined=refused,
            suppressed=0,
        )
    )


def _write(settings: Settings, feed: str, path: str, records: list[dict[str, Any]]) -> None:
    schema = pa.schema([(name, arrow_type(sql)) for name, sql, _ in load()[feed].lake_columns])
    filled = [
        {f.name: _moment(r.get(f.name)) if pa.types.is_timestamp(f.type) else r.get(f.name) for f in schema}
        for r in records
    ]
    (settings.lake / feed).mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(filled, schema=schema), settings.lake / path)


def _moment(value: Any) -> Any:
    is_day = isinstance(value, date) and not isinstance(value, datetime)
    return datetime.combine(value, time(12), UTC) if is_day else value


def _date(value: Any) -> date | None:
    return value.date() if isinstance(value, datetime) else value
