"""Tables audit to measure_capability."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "audit",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=True),
        sa.Column("factory_id", sa.Text(), nullable=True),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("row_key", sa.Text(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "action IN ('insert', 'update', 'delete', 'export', 'erase')", name=op.f("ck_audit_one_of_action")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_actor"), "audit", ["actor"], unique=False)
    op.create_index(op.f("ix_audit_at"), "audit", ["at"], unique=False)
    op.create_index(op.f("ix_audit_factory_id"), "audit", ["factory_id"], unique=False)
    op.create_table(
        "capability",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("iri", sa.Text(), nullable=False),
        sa.Column("label_ko", sa.Text(), nullable=False),
        sa.Column("label_en", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_capability")),
        sa.UniqueConstraint("iri", name=op.f("uq_capability_iri")),
    )
    op.create_table(
        "funding",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("title_ko", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("cap", sa.BigInteger(), nullable=False),
        sa.Column("opens", sa.Date(), nullable=False),
        sa.Column("closes", sa.Date(), nullable=False),
        sa.Column("vat", sa.Boolean(), nullable=False),
        sa.Column("upfront", sa.Double(), nullable=False),
        sa.Column("after_months", sa.Double(), nullable=False),
        sa.Column("eligible", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.CheckConstraint("cap >= 0", name=op.f("ck_funding_range_cap")),
        sa.CheckConstraint("opens <= closes", name=op.f("ck_funding_opens_first")),
        sa.CheckConstraint("share >= 0 AND share <= 1", name=op.f("ck_funding_range_share")),
        sa.CheckConstraint("upfront >= 0 AND upfront <= 1", name=op.f("ck_funding_range_upfront")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_funding")),
    )
    op.create_table(
        "match_round",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column("opens", sa.Date(), nullable=False),
        sa.Column("closes", sa.Date(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=True),
        sa.Column("result", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint(
            "(state = 'published') = (published_at IS NOT NULL)", name=op.f("ck_match_round_published")
        ),
        sa.CheckConstraint(
            "state IN ('planned', 'open', 'closed', 'published')", name=op.f("ck_match_round_one_of_state")
        ),
        sa.CheckConstraint("opens <= closes", name=op.f("ck_match_round_opens_first")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_match_round")),
    )
    op.create_table(
        "measure",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("title_ko", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("cost_low", sa.BigInteger(), nullable=False),
        sa.Column("cost_high", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("retired_on", sa.Date(), nullable=True),
        sa.CheckConstraint("cost_low <= cost_high", name=op.f("ck_measure_cost_low_first")),
        sa.CheckConstraint("cost_low >= 0", name=op.f("ck_measure_range_cost_low")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measure")),
    )
    op.create_index(op.f("ix_measure_family"), "measure", ["family"], unique=False)
    op.create_table(
        "party",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner_group", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('factory', 'supplier', 'mentor', 'operator')", name=op.f("ck_party_one_of_kind")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_party")),
        sa.UniqueConstraint("id", "kind", name=op.f("uq_party_id_kind")),
    )
    op.create_index(op.f("ix_party_owner_group"), "party", ["owner_group"], unique=False)
    op.create_table(
        "peer",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("formulas", sa.Text(), nullable=False),
        sa.Column("step", sa.Double(), nullable=False),
        sa.Column("suppressed", sa.Text(), nullable=True),
        sa.Column("companies", sa.BigInteger(), nullable=True),
        sa.Column("heaviest", sa.Double(), nullable=True),
        sa.Column("q25", sa.Double(), nullable=True),
        sa.Column("q50", sa.Double(), nullable=True),
        sa.Column("q75", sa.Double(), nullable=True),
        sa.Column("frozen_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("suppressed IN ('few', 'heavy')", name=op.f("ck_peer_one_of_suppressed")),
        sa.CheckConstraint(
            "(companies IS NULL) = (q25 IS NULL) AND (heaviest IS NULL) = (q25 IS NULL)", name=op.f("ck_peer_known")
        ),
        sa.CheckConstraint(
            "(suppressed IS NULL) = (q25 IS NOT NULL AND q50 IS NOT NULL AND q75 IS NOT NULL)",
            name=op.f("ck_peer_told"),
        ),
        sa.CheckConstraint("companies >= 11", name=op.f("ck_peer_range_companies")),
        sa.CheckConstraint("heaviest <= 0.25", name=op.f("ck_peer_heaviest")),
        sa.CheckConstraint("q25 <= q50 AND q50 <= q75", name=op.f("ck_peer_quartiles")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_peer")),
        sa.UniqueConstraint(
            "quarter", "metric", "process", "formulas", name=op.f("uq_peer_quarter_metric_process_formulas")
        ),
    )
    op.create_table(
        "user_account",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("language IN ('ko', 'en')", name=op.f("ck_user_account_one_of_language")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("email", name=op.f("uq_user_account_email")),
    )
    op.create_table(
        "factory",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=False),
        sa.Column("process", sa.Text(), nullable=True),
        sa.Column("staff_band", sa.Text(), nullable=True),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("applied_on", sa.Date(), nullable=True),
        sa.Column("notice_at", sa.BigInteger(), nullable=True),
        sa.Column("notice_scopes", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("notice_hash", sa.Text(), nullable=True),
        sa.Column("notice_body", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint("kind = 'factory'", name=op.f("ck_factory_kind")),
        sa.ForeignKeyConstraint(
            ["id", "kind"], ["party.id", "party.kind"], name=op.f("fk_factory_id_kind"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_factory")),
    )
    op.create_table(
        "measure_capability",
        sa.Column("measure_id", sa.Text(), nullable=False),
        sa.Column("capability_id", sa.Text(), nullable=False),
        sa.Column("needed", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["capability_id"],
            ["capability.id"],
            name=op.f("fk_measure_capability_capability_id"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["measure_id"], ["measure.id"], name=op.f("fk_measure_capability_measure_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("measure_id", "capability_id", name=op.f("pk_measure_capability")),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("measure_capability")
    op.drop_table("factory")
    op.drop_table("user_account")
    op.drop_table("peer")
    op.drop_table("party")
    op.drop_table("measure")
    op.drop_table("match_round")
    op.drop_table("funding")
    op.drop_table("capability")
    op.drop_table("audit")
