"""How Alembic reaches the database: over the connection, and in the transaction, that ``ledger`` gives it."""

from alembic import context
from sqlalchemy import text

from cx360.ledger import Base

connection = context.config.attributes["connection"]
connection.execute(text("create schema if not exists ops"))
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    version_table_schema="ops",
    include_schemas=True,
)
with context.begin_transaction():
    context.run_migrations()
