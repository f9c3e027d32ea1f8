"""Notifications: each opening and reopening of an alert is told once, and each end, whatever comes late."""

import importlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from multiprocessing import get_context

import pytest
from sqlalchemy import text

from cx360 import airflow_home, ledger, notifications
from cx360.settings import Settings

#: Counts, and what the notifier was handed: kind and message.
Sent = tuple[dict[str, int], list[tuple[str, str]]]

NOTEBOOK = "tests.serving.notebook"

COLUMNS = (
    "alert_id text, rule text, owner text, opened_date date, closed_date date, reopened_date date,"
    " reopened_count bigint, opening_value double precision, told_within_days bigint"
)


@pytest.fixture
def publish(settings: Settings) -> Callable[..., None]:
    """Publishes alerts (id, opened, closed, and the days it was opened again) as of a day."""

    def publish(
        as_of: date, *alerts: tuple[str, date, date | None] | tuple[str, date, date | None, list[date]]
    ) -> None:
        with ledger.session(settings) as session:
            session.execute(text("create schema if not exists cx"))
            session.execute(text("drop table if exists cx.cx_alerts"))
            session.execute(text(f"create table cx.cx_alerts ({COLUMNS})"))
            for alert_id, opened, closed, *again in alerts:
                days = again[0] if again else []
                told = {"id": alert_id, "opened": opened, "closed": closed, "count": len(days)}
                session.execute(
                    text(
                        "insert into cx.cx_alerts values (:id, 'low', 'desk', :opened, :closed, :last, :count, 0.7, 14)"
                    ),
                    told | {"last": max(days, default=None)},
                )
            session.add(
                ledger.Publication(
                    run_id="r",
                    as_of=as_of,
                    known_at=1,
                    decisions_known_at=1,
                    manifest_hash="",
                    seeds_hash="",
                    models_hash="",
                    code_version="",
                    table_rows={},
                    repeated_rows={},
                    parquet_path="",
                )
            )

    return publish


def handed(settings: Settings) -> list[tuple[str, str]]:
    """What a run tells: kind and alert."""
    found: list[tuple[str, str]] = []
    notifications.send(settings, lambda notice: found.append((notice["kind"], notice["alert_id"])))
    return found


def march(day: int) -> date:
    return date(2026, 3, day)


def test_an_alert_is_told_once_as_opened_and_once_as_closed(settings, publish) -> None:
    publish(march(10), ("a", march(9), None))
    assert handed(settings) == [("opened", "a")]
    assert handed(settings) == []
    publish(march(20), ("a", march(9), march(18)), ("b", march(19), march(20)))
    assert handed(settings) == [("closed", "a"), ("opened", "b"), ("closed", "b")]
    assert handed(settings) == []


def test_late_data_takes_nothing_back_and_tells_what_is_new(settings, publish) -> None:
    publish(march(10), ("a", march(9), march(10)))
    assert handed(settings) == [("opened", "a"), ("closed", "a")]
    publish(march(11), ("a moved", march(8), None))
    assert handed(settings) == [("opened", "a moved")]
    publish(march(12), ("a", march(9), None))  # and back: it was told, also that it was over
    assert handed(settings) == []
    with ledger.session(settings) as session:
        told = session.query(ledger.Notification).order_by(ledger.Notification.sent_at).all()
    assert [(n.alert_id, n.kind, n.event_date) for n in told] == [
        ("a", "opened", march(9)),
        ("a", "closed", march(10)),
        ("a moved", "opened", march(8)),
    ]


def test_a_reopening_is_told_once_and_so_is_its_end(settings, publish) -> None:
    """Opened on 1 March, closed on the 6th, open again on the 10th, over on 2 April: four messages."""
    told = []
    for as_of, closed, again in (
        (march(1), None, []),
        (march(6), march(6), []),
        (march(10), None, [march(10)]),
        (march(11), None, [march(10)]),
        (date(2026, 4, 2), date(2026, 4, 2), [march(10)]),
        (date(2026, 4, 3), date(2026, 4, 1), [march(11)]),  # late rows moved it: what was told stays told
    ):
        publish(as_of, ("a", march(1), closed, again))
        told += [kind for kind, _ in handed(settings)]
        assert handed(settings) == []
    assert told == ["opened", "closed", "reopened", "closed"]
    with ledger.session(settings) as session:
        log = session.query(ledger.Notification).order_by(ledger.Notification.sent_at).all()
    assert [(n.kind, n.reopening_number, n.event_date) for n in log] == [
        ("opened", 0, march(1)),
        ("closed", 0, march(6)),
        ("reopened", 1, march(10)),
        ("closed", 1, date(2026, 4, 2)),
    ]


def test_a_reopening_is_news_also_where_the_opening_was_not(settings, publish) -> None:
    """Of a second reopening, the first of which nobody was told of either."""
    publish(march(31), ("a", march(1), None, [march(8), march(28)]))
    assert handed(settings) == [("reopened", "a")]
    publish(date(2026, 4, 30), ("a", march(1), date(2026, 4, 29), [march(8), march(28)]))
    assert handed(settings) == [("closed", "a")]


def test_history_is_told_to_nobody(settings, publish) -> None:
    """A first build over years opens many episodes that are over; of one that is not told the end is not either."""
    old = date(2025, 6, 1)
    publish(march(31), ("old", old, date(2025, 6, 9)), ("long", old, march(30)), ("edge", march(17), None))
    assert handed(settings) == [("opened", "edge")]


@pytest.fixture
def send_by_notifier(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Sent]:
    """Sends by a notifier of Airflow, which takes a process of its own: Airflow reads its environment only once."""
    for name, value in airflow_home.environment(settings).items():
        monkeypatch.setenv(name, value)

    def send(**arguments: str) -> Sent:
        told = {"notifier": f"{NOTEBOOK}.Notebook", "notifier_arguments": arguments}
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
            return process.submit(_send, settings.model_copy(update=told)).result()

    return send


def _send(settings: Settings) -> Sent:
    counts = notifications.send(settings)
    return counts, importlib.import_module(NOTEBOOK).taken


def test_a_notifier_of_airflow_is_made_for_each_alert(publish, send_by_notifier) -> None:
    publish(march(10), ("a", march(8), None), ("b", march(9), None))
    counts, taken = send_by_notifier(message="{{ alert.rule }} {{ kind }} on {{ alert.event_date }}")
    assert counts == {"opened": 2, "reopened": 0, "closed": 0}
    assert taken == [("opened", "low opened on 2026-03-08"), ("opened", "low opened on 2026-03-09")]


def test_what_a_notifier_did_not_take_is_due_again(settings, publish, send_by_notifier) -> None:
    publish(march(10), ("a", march(8), None), ("b", march(9), None))
    with pytest.raises(ConnectionError):
        send_by_notifier(message="{{ alert.alert_id }}", fails_on="b")
    assert handed(settings) == [("opened", "b")]


def test_without_a_notifier_alerts_are_logged(settings, publish, caplog) -> None:
    publish(march(10), ("a", march(9), None))
    assert notifications.send(settings) == {"opened": 1, "reopened": 0, "closed": 0}
    assert "alert opened: a on 2026-03-09, for desk" in caplog.text


def test_a_notifier_that_is_not_there_is_named(settings, publish) -> None:
    publish(march(10), ("a", march(9), None))
    with pytest.raises(ValueError, match=r"CX360_NOTIFIER=nowhere\.Nobody"):
        notifications.send(settings.model_copy(update={"notifier": "nowhere.Nobody"}))
