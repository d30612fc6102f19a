"""Versions of the schema, for Alembic; `techsquare.registry.migrate` runs them."""
