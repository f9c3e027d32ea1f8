"""A small hand-made candidate: a warehouse and the manifest that describes it, without dbt."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import psycopg
import pytest

from cx360 import ledger, postgres
from cx360.publish import Run
from cx360.settings import Settings

#: Personal values that must never be seen outside ``pii``.
CANARY = "Zephyrine Quackenbush +49 30 900 1820"


@dataclass
class Bank:
    """What the tests build candidates from; change it, then ``build``."""

    settings: Settings
    customers: int = 50
    version: int = 1
    day: date = date(2024, 3, 1)  # the one the features are built for
    features_kept_by: str | None = None
    metrics_by_day: str | None = None
    profile_columns: dict[str, str] = field(
        default_factory=lambda: {
            "profile_id": "'p' || lpad(i::varchar, 6, '0')",
            "version": "case when i % 10 = 0 then {version} else 0 end",
            "balance_amount": "(i * 1.25)::decimal(18, 2)",
            "last_login_at": "timestamptz '2024-03-01 12:00:00+00' + to_seconds(i)",
            "first_seen_date": "date '2024-01-01' + i::integer",
            "is_active": "i % 3 = 0",
            "nps_score": "case when i % 7 = 0 then null else i / 3.0::double end",
            "segment": "case when i % 5 = 0 then null else 'Größe ' || i end",
        }
    )
    without: tuple[str, ...] = ()
    metric: str = "'nps'"
    metrics_grain: tuple[str, ...] = ("metric", "metric_date")
    metric_version: str = "{version}"
    metric_count: int = 20

    def build(self) -> None:
        """Make warehouse and manifest anew."""
        self.settings.warehouse.parent.mkdir(parents=True, exist_ok=True)
        self.settings.warehouse.unlink(missing_ok=True)
        columns = ", ".join(f"{e.format(version=self.version)} as {c}" for c, e in self.profile_columns.items())
        tables = {
            "profile.customer_profile": f"select {columns} from range(1, {self.customers} + 1) t(i)",
            "cx.cx_metrics_daily": f"select {self.metric} as metric, date '2024-03-01' + i::integer as metric_date,"
            f" {self.metric_version.format(version=self.version)} as version"
            f" from range({self.metric_count}) t(i)",
            "features.customer_features": f"select 'p' || i as profile_id, date '{self.day}' as as_of_date,"
            f" {self.version} as version from range(20) t(i)",
        }
        with duckdb.connect(str(self.settings.warehouse)) as connection:
            connection.execute("set TimeZone = 'UTC'")
            for name, rows in tables.items():
                connection.execute(f"create schema if not exists {name.split('.')[0]}")
                connection.execute(f"create table {name} as {rows}")
            connection.execute("create schema raw")
            with ledger.session(self.settings) as session:
                arrived = [d.arrival_number for d in session.query(ledger.Delivery).all()]
            connection.execute("create table raw.deliveries (arrival_number bigint)")
            for number in arrived:
                connection.execute("insert into raw.deliveries values (?)", [number])
        self._manifest()

    def _manifest(self) -> None:
        grains: dict[str, list[str]] = {
            "profile.customer_profile": ["profile_id"],
            "cx.cx_metrics_daily": list(self.metrics_grain),
            "features.customer_features": ["profile_id", "as_of_date"],
        }
        nodes: dict[str, Any] = {}
        for full_name, grain in grains.items():
            schema, name = full_name.split(".")
            if full_name in self.without:
                continue
            nodes[f"model.cx360.{name}"] = {
                "resource_type": "model",
                "schema": schema,
                "alias": name,
                "description": f"One row per {', '.join(grain)}; it's a test.",
                "columns": {column: {"description": f"The {column}"} for column in grain},
                "config": {"meta": {"grain": grain, "publish": True, "indexes": [grain[-1]]}},
            }
            if schema == "features" and self.features_kept_by:
                nodes[f"model.cx360.{name}"]["config"]["meta"]["kept_by"] = self.features_kept_by
            if schema == "cx" and self.metrics_by_day:
                nodes[f"model.cx360.{name}"]["config"]["meta"]["by_day"] = self.metrics_by_day
        nodes["model.cx360.inner"] = {"resource_type": "model", "config": {"meta": {}}, "columns": {}}
        target = self.settings.home / "dbt" / "target"
        target.mkdir(parents=True, exist_ok=True)
        (target / "manifest.json").write_text(json.dumps({"nodes": nodes}))

    def deliver(self, *identifiers: tuple[str, str, str]) -> int:
        """Put a delivery with personal identifiers (semantic_type, token, value) into lake and ledger."""
        path = Path("pii") / "identifiers" / "parties" / f"{abs(hash(identifiers))}.parquet"
        (self.settings.lake / path).parent.mkdir(parents=True, exist_ok=True)
        with duckdb.connect() as connection:
            connection.execute("create table t (semantic_type varchar, token varchar, value varchar)")
            connection.executemany("insert into t values (?, ?, ?)", identifiers)
            connection.execute(f"copy t to '{self.settings.lake / path}' (format parquet)")
        with ledger.session(self.settings) as session:
            delivery = ledger.Delivery(
                source="test",
                feed="parties",
                delivery_name="parties.csv",
                delivery_day=date(2024, 3, 1),
                content_hash="0" * 64,
                mapping_hash="0" * 64,
                token_key="k0000",
                contract_version="1.0.0",
                file_size=1,
                file_mtime_ns=1,
                outcome="landed",
                identifiers_path=str(path),
                raw_path="pii/raw/x",
            )
            session.add(delivery)
            session.flush()
            return delivery.arrival_number

    def run(self, run_id: str = "test") -> Run:
        """What the next publication is a function of."""
        return Run(run_id, date(2024, 3, 1), 1, 0, "a" * 64, "b" * 64, "c" * 64, "0.1.0", {"parties": 3})


@pytest.fixture
def bank(settings: Settings) -> Bank:
    """A bank of fifty customers, built, not published."""
    made = Bank(settings)
    made.build()
    return made


Rows = list[tuple[Any, ...]]


@pytest.fixture
def ask(settings: Settings) -> Callable[..., Rows]:
    """Rows of one statement, run as a role in a transaction of its own."""

    def rows(sql: str, role: postgres.Role = "admin") -> Rows:
        with psycopg.connect(postgres.dsn(settings, role), autocommit=True) as connection:
            cursor = connection.execute(sql)
            return cursor.fetchall() if cursor.description else []

    return rows
