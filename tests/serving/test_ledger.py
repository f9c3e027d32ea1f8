"""The ledger's tables: as the models say, commented, migrated once."""

import subprocess
import sys
from datetime import date

import psycopg
import pytest
from sqlalchemy import text

from cx360 import ledger, postgres
from cx360.settings import Settings

MIGRATE = """
import sys
from pathlib import Path
from cx360 import ledger
from cx360.settings import Settings
with ledger.session(Settings(home=Path(sys.argv[1]), database_url=sys.argv[2])) as session:
    print(session.query(ledger.Delivery).count())
"""


def test_migrations_make_what_the_models_say(settings: Settings) -> None:
    """Columns, types, keys, indexes and comments; a changed model needs a migration."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with ledger.engine(settings).connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_schemas": True, "version_table_schema": "ops", "compare_type": True}
        )
        assert compare_metadata(context, ledger.Base.metadata) == []


def test_every_table_and_column_of_ops_has_a_comment(settings: Settings) -> None:
    """What an analyst's tool shows."""
    with ledger.session(settings) as session:
        silent = session.execute(
            text(
                "select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid"
                " left join pg_description d on d.objoid = c.oid and d.objsubid = greatest(a.attnum, 0)"
                " where c.relnamespace = 'ops'::regnamespace and c.relkind = 'r' and not a.attisdropped"
                " and (a.attnum > 0 or a.attname = 'tableoid')"  # tableoid stands for the table itself
                " and c.relname <> 'alembic_version' and d.description is null"
            )
        ).all()
    assert silent == []


def test_several_processes_migrate_an_empty_database_at_once(settings: Settings) -> None:
    """All end well, and it is migrated once."""
    name = f"{postgres.dsn(settings).rsplit('/', 1)[1]}_empty"
    with psycopg.connect(postgres.dsn(settings), autocommit=True) as connection:
        connection.execute(f"create database {name}")
        place = f"{postgres.dsn(settings).rsplit('/', 1)[0]}/{name}"
        try:
            processes = [
                subprocess.Popen(
                    [sys.executable, "-c", MIGRATE, str(settings.home), place],
                    env={"PYTHONPATH": ":".join(sys.path)},
                    stdout=subprocess.PIPE,
                    text=True,
                )
                for _ in range(3)
            ]
            assert [(p.communicate(timeout=120)[0], p.returncode) for p in processes] == [("0\n", 0)] * 3
        finally:
            connection.execute(f"drop database {name} with (force)")


def test_what_raises_is_not_kept(settings: Settings) -> None:
    """A session commits at its end or not at all."""
    decision = {"kind": "release", "reason": "x", "decided_by": "y"}
    with pytest.raises(ValueError, match="stop"), ledger.session(settings) as session:
        session.add(ledger.Decision(**decision))
        session.flush()
        raise ValueError("stop")
    with ledger.session(settings) as session:
        assert session.query(ledger.Decision).count() == 0
        session.add(ledger.Decision(**decision))
    with ledger.session(settings) as session:
        assert session.query(ledger.Decision).count() == 1


def test_a_newer_database_is_left_alone(settings: Settings) -> None:
    """An old cx360 says so and changes nothing."""
    with ledger.session(settings) as session:
        session.execute(text("update ops.alembic_version set version_num = '9999'"))
    ledger.dispose()
    with pytest.raises(postgres.PostgresError, match="revision 9999 of a newer cx360"), ledger.session(settings):
        pass


def test_money_and_days_come_back_exactly(settings: Settings) -> None:
    """Decimal to the cent, dates as dates."""
    from decimal import Decimal

    with ledger.session(settings) as session:
        delivery = ledger.Delivery(
            source="s",
            feed="transactions",
            delivery_name="n",
            delivery_day=date(2024, 2, 29),
            content_hash="0",
            mapping_hash="0",
            token_key="k0000",
            contract_version="1",
            file_size=1,
            file_mtime_ns=1,
            outcome="landed",
            raw_path="x",
        )
        session.add(delivery)
        session.flush()
        amount = Decimal("12345678901234567890.12")
        session.add(
            ledger.Conservation(
                arrival_number=delivery.arrival_number,
                measure="EUR",
                total_in=amount,
                accepted=amount,
                repeated=Decimal(0),
                quarantined=Decimal(0),
                suppressed=Decimal(0),
            )
        )
    with ledger.session(settings) as session:
        assert session.query(ledger.Conservation).one().total_in == amount
        assert session.query(ledger.Delivery).one().delivery_day == date(2024, 2, 29)
