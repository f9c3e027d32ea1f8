"""Identity: decisions on party records, what each run made of them, merges and splits."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Widen decisions, make two tables; readers of ``ops`` may read them."""
    op.alter_column(
        "decisions",
        "kind",
        comment="release: let a blocked delivery in; drop: never let it in; force_link: two party records are one"
        " person; do_not_link: they are two; withdraw: an earlier decision on party records holds no longer",
        existing_type=sa.String(20),
        schema="ops",
    )
    for column in (
        sa.Column("party_id_a", sa.Text(), comment="A party record it is about"),
        sa.Column("party_id_b", sa.Text(), comment="The other, the larger key"),
        sa.Column("withdraws", sa.BigInteger(), comment="The decision that holds no longer"),
    ):
        op.add_column("decisions", column, schema="ops")
    op.create_foreign_key(
        "decisions_withdraws_fkey",
        "decisions",
        "decisions",
        ["withdraws"],
        ["decision_number"],
        source_schema="ops",
        referent_schema="ops",
    )


def downgrade() -> None:
    """The ledger is append-only: there is no way back but a backup.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError("restore the backup made before the upgrade")
