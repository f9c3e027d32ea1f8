"""Identity: decisions on party records, what each run made of them, merges and splits."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _count(name: str, comment: str) -> "sa.Column[int]":
    return sa.Column(name, sa.BigInteger(), nullable=False, comment=comment)


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
    op.create_table(
        "identity_runs",
        sa.Column(
            "identity_run_number",
            sa.BigInteger(),
            sa.Identity(),
            nullable=False,
            comment="Order of counting; a step may be run again",
        ),
        sa.Column("run_id", sa.String(200), nullable=False, comment="Run that counted"),
        _count("parties", "Party records"),
        _count("people", "People and organisations they are of"),
        _count("prospects", "Prospects known by an identifier only"),
        sa.Column(
            "largest_person_records", sa.BigInteger(), nullable=False, comment="Records of the person who has most"
        ),
        _count("merged", "Published profiles that went into another one"),
        _count("split", "Parts that left a published profile"),
        sa.Column(
            "renamed",
            sa.BigInteger(),
            nullable=False,
            comment="Published profiles that have another id, since a record with a smaller key joined",
        ),
        sa.Column(
            "open_identifiers",
            sa.BigInteger(),
            nullable=False,
            comment="Identifiers that are nobody's on some days, since several hold them",
        ),
        sa.Column(
            "suppressed_identifiers",
            sa.BigInteger(),
            nullable=False,
            comment="Identifiers of party records over their limit, which link nobody",
        ),
        sa.Column(
            "review_links", sa.BigInteger(), nullable=False, comment="Links that were refused or wait for a person"
        ),
        sa.Column(
            "counted_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="When it was counted",
        ),
        sa.PrimaryKeyConstraint("identity_run_number"),
        schema="ops",
        comment="What a run made of people, counted before its candidate was judged.",
    )
    op.create_index("ix_ops_identity_runs_run_id", "identity_runs", ["run_id"], schema="ops")
    op.create_table(
        "identity_changes",
        _count("publication_id", "The publication"),
        sa.Column("previous_profile_id", sa.String(40), nullable=False, comment="Profile as published before"),
        sa.Column("profile_id", sa.String(40), nullable=False, comment="Profile its records are of now"),
        sa.Column(
            "change_type",
            sa.String(10),
            nullable=False,
            comment="merge: another profile took it in; split: some of its records left; renamed: a new id",
        ),
        _count("party_count", "Party records that moved"),
        sa.Column(
            "cause", sa.Text(), nullable=False, comment="Rule of the strongest link that joins, or what parts them"
        ),
        sa.Column("party_id_a", sa.Text(), comment="A record of that link"),
        sa.Column("party_id_b", sa.Text(), comment="The other"),
        sa.Column("weight_millibits", sa.BigInteger(), comment="Weight of a match, in thousandths of a bit"),
        sa.ForeignKeyConstraint(["publication_id"], ["ops.publications.publication_id"]),
        sa.PrimaryKeyConstraint("publication_id", "previous_profile_id", "profile_id"),
        schema="ops",
        comment="A published profile that merged into another, split, or got another id, with the publication that did"
        " it.",
    )


def downgrade() -> None:
    """The ledger is append-only: there is no way back but a backup.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError("restore the backup made before the upgrade")
