"""The first version: all tables of `techsquare.registry.migrations.first`, in the order of their references."""

from __future__ import annotations

from techsquare.registry.migrations.first import PARTS, append_only, not_append_only

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables."""
    for part in PARTS:
        part.upgrade()
    append_only("audit")


def downgrade() -> None:
    """Drop all tables."""
    not_append_only("audit")
    for part in reversed(PARTS):
        part.downgrade()
