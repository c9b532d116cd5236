"""Alembic's entry: runs the migrations on the connection it was given."""

from alembic import context
from sqlmodel import SQLModel

import contactctl.store.models  # noqa: F401  (registers the tables)

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=SQLModel.metadata,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
connection.commit()
