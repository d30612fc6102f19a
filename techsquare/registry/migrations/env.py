"""Alembic's entrance: migrates over the connection that it is handed, in the transaction that is open there."""

from __future__ import annotations

from alembic import context

from techsquare.registry.tables import Base

context.configure(connection=context.config.attributes["connection"], target_metadata=Base.metadata)
context.run_migrations()
