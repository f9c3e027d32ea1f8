"""The tables of ``ops``, the schemas of readers, and who may read what.

Readers get rights on schemas, for tables to come too: publications create tables, never grants. Nobody but the
owner gets anything in ``pii``, and PUBLIC gets nothing anywhere. Analysts keep their own views in ``analyst``.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0001"
down_revision = None

SCHEMAS = {
    "ops": "What arrived, what was checked, decided and published.",
    "profile": "One row per customer and what belongs to one: identifiers (as tokens), timeline, segments.",
    "cx": "Customer-experience metrics by day.",
    "features": "Features for models, by profile and as_of date.",
    "pii": "Restricted values behind the tokens; for no reader's role.",
    "analyst": "Analysts' own views; publications never touch them.",
}

READS = {
    "cx360_bi": ("profile", "cx", "ops"),
    "cx360_ml": ("profile", "cx", "features"),
}


def upgrade() -> None:
    """Make schemas, tables and rights."""
    for schema, comment in SCHEMAS.items():
        op.execute(f"create schema if not exists {schema}")
        op.execute(sa.text(f"comment on schema {schema} is '{comment.replace(chr(39), chr(39) * 2)}'"))
    _tables()
    _rights()


def downgrade() -> None:
    """The ledger is append-only: there is no way back but a backup.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError("restore the backup made before the upgrade")


def _rights() -> None:
    op.execute("alter default privileges revoke execute on functions from public")
    for role, schemas in READS.items():
        for schema in schemas:
            op.execute(f"grant usage on schema {schema} to {role}")
            op.execute(f"grant select on all tables in schema {schema} to {role}")
            op.execute(f"alter default privileges in schema {schema} grant select on tables to {role}")
    op.execute("grant usage on schema ops to cx360_ml")  # to note which publication a training set came from
    op.execute("grant select on ops.publications to cx360_ml")
    op.execute("grant usage, create on schema analyst to cx360_bi")


def _tables() -> None:
    op.execute("create sequence ops.arrival_numbers")
    arrival = sa.text("nextval('ops.arrival_numbers')")
    op.create_table(
        "deliveries",
        sa.Column(
            "arrival_number",
            sa.BigInteger(),
            server_default=arrival,
            nullable=False,
            comment="Order of arrival, from 1; the newest wins among repeats without a version",
        ),
        sa.Column(
            "source",
            sa.String(length=100),
            nullable=False,
            comment="System that delivered it: name of its folder in sources/",
        ),
        sa.Column("feed", sa.String(length=100), nullable=False, comment="Contract the rows follow"),
        sa.Column("delivery_name", sa.Text(), nullable=False, comment="Path of the file below the inbox"),
        sa.Column("delivery_day", sa.Date(), nullable=False, comment="The partition the delivery belongs to"),
        sa.Column("content_hash", sa.String(length=64), nullable=False, comment="SHA-256 of the bytes as delivered"),
        sa.Column(
            "mapping_hash",
            sa.String(length=64),
            nullable=False,
            comment="SHA-256 of the mapping and format it was read with",
        ),
        sa.Column(
            "token_key",
            sa.String(length=20),
            nullable=False,
            comment="Short name of the key its tokens were made with",
        ),
        sa.Column(
            "contract_version",
            sa.String(length=20),
            nullable=False,
            comment="Version of the contract the rows were checked against",
        ),
        sa.Column("file_size", sa.BigInteger(), nullable=False, comment="Bytes as delivered"),
        sa.Column(
            "file_mtime_ns",
            sa.BigInteger(),
            nullable=False,
            comment="When the source last wrote the file, nanoseconds since 1970 UTC",
        ),
        sa.Column(
            "outcome",
            sa.String(length=20),
            nullable=False,
            comment="landed: its rows are in the lake; unreadable: kept raw, no row could be taken",
        ),
        sa.Column("message", sa.Text(), nullable=True, comment="What was wrong and what to do next"),
        sa.Column(
            "rows_in",
            sa.BigInteger(),
            nullable=False,
            comment="Records in the file: accepted + repeated + quarantined + suppressed",
        ),
        sa.Column("rows_accepted", sa.BigInteger(), nullable=False, comment="Rows in the lake"),
        sa.Column(
            "rows_repeated",
            sa.BigInteger(),
            nullable=False,
            comment="Rows left out because the same file has the key already",
        ),
        sa.Column(
            "rows_quarantined",
            sa.BigInteger(),
            nullable=False,
            comment="Rows refused, kept with their reasons",
        ),
        sa.Column(
            "rows_suppressed",
            sa.BigInteger(),
            nullable=False,
            comment="Rows left out because the person was erased",
        ),
        sa.Column("event_date_min", sa.Date(), nullable=True, comment="Earliest business date of an accepted row"),
        sa.Column("event_date_max", sa.Date(), nullable=True, comment="Latest business date of an accepted row"),
        sa.Column(
            "busiest_day_rows",
            sa.BigInteger(),
            comment="Accepted rows of the business date that has most; compares daily files with monthly ones",
        ),
        sa.Column("lake_path", sa.Text(), nullable=True, comment="Accepted rows, below the lake"),
        sa.Column(
            "identifiers_path",
            sa.Text(),
            nullable=True,
            comment="Personal identifiers by token, below the lake",
        ),
        sa.Column("texts_path", sa.Text(), nullable=True, comment="Free text by key, below the lake"),
        sa.Column("quarantine_path", sa.Text(), nullable=True, comment="Quarantined raw rows, below the lake"),
        sa.Column("raw_path", sa.Text(), nullable=False, comment="The file as delivered, below the lake"),
        sa.Column("expected", JSONB(), nullable=True, comment="Control totals the source gave: rows, amount"),
        sa.Column(
            "landed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was landed",
        ),
        sa.PrimaryKeyConstraint("arrival_number"),
        schema="ops",
        comment="One arrival of a file or extract, and what landing made of it.",
    )
    op.create_index("ix_ops_deliveries_feed", "deliveries", ["feed"], schema="ops")
    op.create_table(
        "publications",
        sa.Column(
            "publication_id",
            sa.BigInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="Number of the publication; the greatest is the one readers see",
        ),
        sa.Column("run_id", sa.String(length=200), nullable=False, comment="Run that built and published it"),
        sa.Column("as_of", sa.Date(), nullable=False, comment="Business day the profiles speak for, its end"),
        sa.Column(
            "known_at",
            sa.BigInteger(),
            nullable=False,
            comment="Arrival number up to which deliveries are known",
        ),
        sa.Column(
            "decisions_known_at",
            sa.BigInteger(),
            nullable=False,
            comment="Decision number up to which they are known",
        ),
        sa.Column(
            "manifest_hash",
            sa.String(length=64),
            nullable=False,
            comment="Hash of the deliveries it was built from",
        ),
        sa.Column(
            "seeds_hash",
            sa.String(length=64),
            nullable=False,
            comment="Hash of the seeds: thresholds, tiers, rules, calendars",
        ),
        sa.Column(
            "models_hash",
            sa.String(length=64),
            nullable=False,
            comment="Hash of the estimated models: weights, cut points, parameters",
        ),
        sa.Column("code_version", sa.String(length=100), nullable=False, comment="Version of the code that built it"),
        sa.Column("table_rows", JSONB(), nullable=False, comment="Rows per published table"),
        sa.Column(
            "repeated_rows",
            JSONB(),
            nullable=False,
            comment="Accepted rows per feed that lost to another delivery: said again, superseded, older snapshot",
        ),
        sa.Column(
            "parquet_path",
            sa.Text(),
            nullable=False,
            comment="The same tables as Parquet, below publications/",
        ),
        sa.Column(
            "published_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When readers began to see it",
        ),
        sa.PrimaryKeyConstraint("publication_id"),
        schema="ops",
        comment="One audited, visible version and everything it is a function of.",
    )
    op.create_table(
        "conservation",
        sa.Column("arrival_number", sa.BigInteger(), nullable=False, comment="The delivery"),
        sa.Column("measure", sa.String(length=40), nullable=False, comment="rows, or the currency of an amount"),
        sa.Column(
            "total_in",
            sa.Numeric(precision=38, scale=6),
            nullable=False,
            comment="In the file: rows, or the sum of parseable amounts",
        ),
        sa.Column("accepted", sa.Numeric(precision=38, scale=6), nullable=False, comment="In the lake"),
        sa.Column(
            "repeated",
            sa.Numeric(precision=38, scale=6),
            nullable=False,
            comment="Left out as repeats within the file",
        ),
        sa.Column("quarantined", sa.Numeric(precision=38, scale=6), nullable=False, comment="Refused"),
        sa.Column(
            "suppressed",
            sa.Numeric(precision=38, scale=6),
            nullable=False,
            comment="Left out because the person was erased",
        ),
        sa.ForeignKeyConstraint(["arrival_number"], ["ops.deliveries.arrival_number"]),
        sa.PrimaryKeyConstraint("arrival_number", "measure"),
        schema="ops",
        comment="Rows and money of a delivery: total_in = accepted + repeated + quarantined + suppressed, exactly.",
    )
    op.create_table(
        "decisions",
        sa.Column(
            "decision_number",
            sa.BigInteger(),
            server_default=arrival,
            nullable=False,
            comment="Order of arrival, in one order with deliveries",
        ),
        sa.Column(
            "kind",
            sa.String(length=20),
            nullable=False,
            comment="release: let a blocked delivery in; drop: never let it in",
        ),
        sa.Column("arrival_number", sa.BigInteger(), nullable=True, comment="The delivery it is about"),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why, in the words of who decided"),
        sa.Column("decided_by", sa.String(length=100), nullable=False, comment="Who decided"),
        sa.Column(
            "decided_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was decided",
        ),
        sa.ForeignKeyConstraint(["arrival_number"], ["ops.deliveries.arrival_number"]),
        sa.PrimaryKeyConstraint("decision_number"),
        schema="ops",
        comment="A recorded human act.",
    )
    op.create_table(
        "gate_results",
        sa.Column(
            "gate_result_id",
            sa.BigInteger(),
            sa.Identity(always=False),
            nullable=False,
            comment="Number of the result",
        ),
        sa.Column("run_id", sa.String(length=200), nullable=False, comment="Run that checked"),
        sa.Column("gate", sa.String(length=100), nullable=False, comment="delivery.<feed> or candidate"),
        sa.Column(
            "arrival_number",
            sa.BigInteger(),
            nullable=True,
            comment="The delivery checked; null for a candidate",
        ),
        sa.Column("rule", sa.Text(), nullable=False, comment="What was checked"),
        sa.Column("level", sa.String(length=10), nullable=False, comment="block or warn"),
        sa.Column("outcome", sa.String(length=20), nullable=False, comment="passed, failed or could not check"),
        sa.Column("expected", sa.Text(), nullable=True, comment="What the rule asks for"),
        sa.Column("observed", sa.Text(), nullable=True, comment="What was found; never values of rows"),
        sa.Column("reason", sa.Text(), nullable=False, comment="Why the rule is there"),
        sa.Column("detail", sa.Text(), nullable=True, comment="What to know or do next"),
        sa.Column(
            "checked_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was checked",
        ),
        sa.ForeignKeyConstraint(["arrival_number"], ["ops.deliveries.arrival_number"]),
        sa.PrimaryKeyConstraint("gate_result_id"),
        schema="ops",
        comment="One rule of a gate, checked once on one delivery or candidate.",
    )
    op.create_index("ix_ops_gate_results_arrival_number", "gate_results", ["arrival_number"], schema="ops")
    op.create_table(
        "quarantine",
        sa.Column("arrival_number", sa.BigInteger(), nullable=False, comment="The delivery"),
        sa.Column("reason", sa.String(length=120), nullable=False, comment="Reason code, column included"),
        sa.Column(
            "row_count",
            sa.BigInteger(),
            nullable=False,
            comment="Rows with this reason; a row may have several",
        ),
        sa.Column(
            "first_row",
            sa.BigInteger(),
            nullable=False,
            comment="Number of the first such record in the file, from 1",
        ),
        sa.Column("masked_example", sa.Text(), nullable=True, comment="Shape of a value found: letters a, digits 9"),
        sa.ForeignKeyConstraint(["arrival_number"], ["ops.deliveries.arrival_number"]),
        sa.PrimaryKeyConstraint("arrival_number", "reason"),
        schema="ops",
        comment="How many rows of a delivery were quarantined for a reason; the rows are in the pii part of the lake.",
    )
