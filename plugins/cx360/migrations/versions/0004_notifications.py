"""Notifications: what was told of alerts, and when."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Make the log; readers of ``ops`` may read it."""
    op.create_table(
        "notifications",
        sa.Column("alert_id", sa.Text(), nullable=False, comment="Alert as in cx.cx_alerts when it was told"),
        sa.Column("kind", sa.String(10), nullable=False, comment="opened or closed; each is told once"),
        sa.Column(
            "publication_id", sa.BigInteger(), nullable=False, comment="Publication that showed it for the first time"
        ),
        sa.Column("owner", sa.Text(), nullable=False, comment="Who answers for the rule"),
        sa.Column("event_date", sa.Date(), nullable=False, comment="Day it opened or closed, as was known then"),
        sa.Column(
            "sent_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was handed to the notifier, or logged where there is none",
        ),
        sa.ForeignKeyConstraint(["publication_id"], ["ops.publications.publication_id"]),
        sa.PrimaryKeyConstraint("alert_id", "kind"),
        schema="ops",
        comment="An alert that was told as opened or closed; data that comes late changes nothing here.",
    )


def downgrade() -> None:
    """The ledger is append-only: there is no way back but a backup.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError("restore the backup made before the upgrade")
