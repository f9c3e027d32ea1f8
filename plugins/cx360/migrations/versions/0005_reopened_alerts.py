"""Notifications of alerts that opened again, and of the end of that."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Tell openings of an alert apart; what was told until now was of the first one."""
    op.add_column(
        "notifications",
        sa.Column(
            "reopening_number",
            sa.BigInteger(),
            server_default="0",
            nullable=False,
            comment="0 of the opening and its end, then how often it had been reopened; each is told once",
        ),
        schema="ops",
    )
    op.drop_constraint("notifications_pkey", "notifications", schema="ops")
    op.create_primary_key("notifications_pkey", "notifications", ["alert_id", "kind", "reopening_number"], schema="ops")
    for column, type_, comment in (
        ("kind", sa.String(10), "opened, reopened or closed"),
        ("event_date", sa.Date(), "Day it opened, reopened or closed, as was known then"),
    ):
        op.alter_column("notifications", column, comment=comment, existing_type=type_, schema="ops")
    op.create_table_comment(
        "notifications",
        "An alert that was told as opened, reopened or closed; data that comes late changes nothing here.",
        schema="ops",
    )


def downgrade() -> None:
    """The ledger is append-only: there is no way back but a backup.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError("restore the backup made before the upgrade")
