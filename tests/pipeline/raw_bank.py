"""A warehouse with hand-made ``raw`` tables, and the two dbt calls and the Python step that build on them.

Here belongs what stands in for landing and gates in tests of the models. Scenarios belong in the tests.
"""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from cx360 import contracts
from cx360.dbt_sources import ARRIVAL_COLUMNS
from cx360.identity.resolve import Known, resolve
from cx360.ledger import Decision
from cx360.pipeline import EVIDENCE as _EVIDENCE
from cx360.settings import PROJECT, Settings
from cx360.warehouse import EVENT_FEEDS, kept_schema

TIMEZONE = "Europe/Berlin"
EVIDENCE = _EVIDENCE.split()
MODELS = ["+path:models/staging", "+path:models/identity", "+path:models/daily"]


class RawBank:
    """Deliveries as landing would show them, in the warehouse of ``home``.

    Args:
        home: folder of the deployment.
        target: dbt's target folder, with the project parsed; banks may share it.
    """

    def __init__(self, home: Path, target: Path) -> None:
        self.settings = Settings(home=home, threads=2)
        self.settings.warehouse.parent.mkdir(parents=True)
        keys = home / "keys"
        keys.mkdir()
        (keys / "identity").write_text("the same key in every bank of a test")
        self._target = target
        self._feeds = contracts.load()
        self._create()

    def _create(self) -> None:
        with duckdb.connect(str(self.settings.warehouse)) as db:
            db.execute("create schema raw; create schema landed;")
            for feed, contract in self._feeds.items():
                columns = [(n, t) for n, t, _ in (*contract.lake_columns, *ARRIVAL_COLUMNS)]
                db.execute(f"create table landed.{feed} ({', '.join(f'{n} {t}' for n, t in columns)})")
            db.execute("""
                create table landed.deliveries (
                    arrival_number bigint, source varchar, feed varchar, delivery_name varchar, delivery_day date,
                    content_hash varchar, rows_accepted bigint
                );
                create table raw.run_scope (
                    feed varchar, event_key varchar, business_date date, account_id varchar
                );
                create table raw.blocked_identifiers (identifier_type varchar, identifier varchar);
            """)
            for table in ("text_readings", "text_mentions", "driver_estimates"):  # what Python reads and estimates
                db.register("nothing", kept_schema(table).empty_table())
                db.execute(f"create table raw.{table} as from nothing")

    def deliver(
        self,
        arrival_number: int,
        feed: str,
        day: str,
        rows: Iterable[Mapping[str, Any]],
        name: str | None = None,
        source: str = "core",
    ) -> None:
        """One accepted delivery; columns that a row leaves out are null."""
        rows = list(rows)
        content = f"hash-{feed}-{sorted(map(str, rows))}"
        arrival = {
            "arrival_number": arrival_number,
            "source": source,
            "delivery_day": day,
            "content_hash": content,
        }
        with duckdb.connect(str(self.settings.warehouse)) as db:
            db.execute("set TimeZone = 'UTC'")
            db.execute(
                "insert into landed.deliveries values (?, ?, ?, ?, ?, ?, ?)",
                [arrival_number, source, feed, name or f"{day}/{feed}-{arrival_number}", day, content, len(rows)],
            )
            for row in rows:
                values = {**row, **arrival}
                db.execute(
                    f"insert into landed.{feed} ({', '.join(values)}) values ({', '.join('?' * len(values))})",
                    list(values.values()),
                )

    def open(
        self,
        known_at: int,
        changed: Iterable[int] = (),
        withdrawn: int | None = None,
    ) -> None:
        """Show the deliveries up to an arrival number but one; in scope is what those that changed hold keys of."""
        seen = f"arrival_number <= {known_at} and arrival_number <> {withdrawn or 0}"
        with duckdb.connect(str(self.settings.warehouse)) as db:
            for table in (*self._feeds, "deliveries"):
                db.execute(f"create or replace view raw.{table} as select * from landed.{table} where {seen}")
            db.execute("delete from raw.run_scope")
            arrivals = ", ".join(map(str, changed)) or "null"
            for feed in EVENT_FEEDS:
                contract = self._feeds[feed]
                (key,), day = contract.key, str(contract.event_time)
                if contract.column(day).type == "timestamptz":
                    day = f"cast(timezone('{TIMEZONE}', {day}) as date)"
                account = "account_id" if feed == "transactions" else "null"
                db.execute(f"""
                    insert into raw.run_scope
                    select distinct '{feed}', {key}, {day}, {account} from landed.{feed}
                    where {key} in (select {key} from landed.{feed} where arrival_number in ({arrivals}))
                """)

    def build(
        self,
        as_of: str,
        full: bool,
        tests: bool = False,
        models: list[str] = MODELS,
        decided: Iterable[Decision] = (),
    ) -> dict[str, Any]:
        """Evidence, the Python step, everything else; returns the Python step's summary."""
        self.dbt(EVIDENCE, as_of, full, tests)
        summary = resolve(self.settings, Known(list(decided)))
        self.dbt(models, as_of, full, tests, exclude=EVIDENCE)
        return summary

    def dbt(
        self,
        select: list[str],
        as_of: str,
        full: bool = False,
        tests: bool = False,
        exclude: list[str] | None = None,
        command: str = "build",
    ) -> int:
        """One call of dbt, which must go well; returns how many nodes it ran.

        Args:
            select: dbt's selection.
            as_of: day, YYYY-MM-DD.
            full: with --full-refresh.
            tests: run data tests too; a build leaves unit tests out.
            exclude: what to leave out.
            command: build or test.
        """
        os.environ |= {
            "CX360_WAREHOUSE": str(self.settings.warehouse),
            "CX360_THREADS": "2",
            "DBT_TARGET_PATH": str(self._target),
            "DBT_LOG_PATH": str(self._target / "logs"),
        }
        project = str(PROJECT / "dbt_project")
        variables = {"as_of": as_of, "known_at": 0, "timezone": TIMEZONE, "reporting_currency": "EUR"}
        arguments = [
            "--quiet",
            "--log-level-file",
            "info",
            "--no-write-json",
            command,
            "--project-dir",
            project,
            "--profiles-dir",
            project,
        ]
        arguments += ["--vars", json.dumps(variables), "--select", *select]
        if command == "build":
            arguments += ["--exclude-resource-type", "unit_test", *([] if tests else ["test"])]
        arguments += ["--exclude", *exclude] if exclude else []
        arguments += ["--full-refresh"] if full else []
        # dbt would parse all anew for another as_of
        manifest = Manifest.from_msgpack((self._target / "partial_parse.msgpack").read_bytes())
        result = dbtRunner(manifest=manifest).invoke(arguments)
        DuckDBConnectionManager.close_all_connections()  # else the file stays open, with dbt's own configuration
        problems = [
            f"{each.node.name}: {each.status} {each.message}"
            for each in (result.result or ())
            if str(each.status) not in ("success", "pass")
        ]
        assert result.success and not problems, (problems, result.exception)
        return len(result.result)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query."""
        with duckdb.connect(str(self.settings.warehouse), read_only=True) as db:
            db.execute("set TimeZone = 'UTC'")
            return db.execute(sql).fetchall()

    def profile_of(self, party_id: str) -> str:
        """The profile of a party."""
        return str(self.query(f"select profile_id from identity.party_groups where party_id = '{party_id}'")[0][0])

    def periods(self, identifier: str) -> list[tuple[Any, ...]]:
        """(valid_from, valid_to, profile_id) of an identifier, dates as text."""
        return self.query(
            "select valid_from::varchar, valid_to::varchar, profile_id from identity.identity_map"
            f" where identifier = '{identifier}' order by valid_from"
        )
