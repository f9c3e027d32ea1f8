"""What the night leaves behind: closings of delivery days, and what became of each dbt model."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make both tables; readers of ``ops`` may read them."""
    now = sa.text("now()")
    op.create_table(
        "day_closings",
        sa.Column(
            "closing_number",
            sa.BigInteger(),
            sa.Identity(),
            nullable=False,
            comment="Order of closing; a day may be closed again",
        ),
        sa.Column("delivery_day", sa.Date(), nullable=False, comment="The partition that was closed"),
        sa.Column("run_id", sa.String(200), nullable=False, comment="Run that closed it"),
        sa.Column(
            "known_at", sa.BigInteger(), nullable=False, comment="Arrival number up to which deliveries were known"
        ),
        sa.Column("missing", JSONB(), nullable=False, comment="Files that were expected and had not come: source/feed"),
        sa.Column("blocked", JSONB(), nullable=False, comment="Deliveries of any day that wait for a decision"),
        sa.Column(
            "closed_at", sa.DateTime(timezone=True), server_default=now, nullable=False, comment="When it was closed"
        ),
        sa.PrimaryKeyConstraint("closing_number"),
        schema="ops",
        comment="A delivery day was closed: what it was built from, and what was missing then.",
    )
    op.create_index("ix_ops_day_closings_delivery_day", "day_closings", ["delivery_day"], schema="ops")
    op.create_table(
        "dbt_results",
        sa.Column("dbt_result_id", sa.BigInteger(), sa.Identity(), nullable=False, comment="Number of the result"),
        sa.Column("run_id", sa.String(200), nullable=False, comment="Run that called dbt"),
        sa.Column(
            "step", sa.String(100), nullable=False, comment="Step of the pipeline: build_evidence or build_tables"
        ),
        sa.Column("node", sa.Text(), nullable=False, comment="dbt's name of the model, seed or test"),
        sa.Column("resource_type", sa.String(20), nullable=False, comment="model, seed or test"),
        sa.Column(
            "status",
            sa.String(20),
            nullable=False,
            comment="As dbt says: success, pass, warn, fail, error or skipped",
        ),
        sa.Column("seconds", sa.Double(), nullable=False, comment="Time it took"),
        sa.Column(
            "row_count",
            sa.BigInteger(),
            nullable=True,
            comment="Rows of the table afterwards; null for views, tests and what was not built",
        ),
        sa.Column("failures", sa.BigInteger(), nullable=True, comment="Rows that break a test"),
        sa.Column(
            "finished_at",
            sa.DateTime(timezone=True),
            server_default=now,
            nullable=False,
            comment="When dbt's call had ended",
        ),
        sa.PrimaryKeyConstraint("dbt_result_id"),
        schema="ops",
        comment="What became of one model, seed or test in one call of dbt.",
    )
    op.create_index("ix_ops_dbt_results_run_id", "dbt_results", ["run_id"], schema="ops")


def downgrade() -> None:
    """The ledger is append-only: there is no way back but a backup.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError("restore the backup made before the upgrade")
