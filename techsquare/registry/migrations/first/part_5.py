"""Tables report to offer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "report",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("level", sa.Text(), nullable=True),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["factory_id", "agent_id"],
            ["agent.factory_id", "agent.id"],
            name=op.f("fk_report_factory_id_agent_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_report")),
        sa.UniqueConstraint("factory_id", "agent_id", "hash", name=op.f("uq_report_factory_id_agent_id_hash")),
    )
    op.create_index(op.f("ix_report_factory_id_made_at"), "report", ["factory_id", "made_at"], unique=False)
    op.create_table(
        "roadmap",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("assessment_id", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("bound", sa.Double(), nullable=False),
        sa.Column("proven", sa.Boolean(), nullable=False),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_roadmap_range_version")),
        sa.ForeignKeyConstraint(
            ["assessment_id"], ["assessment.id"], name=op.f("fk_roadmap_assessment_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["factory_id"], ["factory.id"], name=op.f("fk_roadmap_factory_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roadmap")),
        sa.UniqueConstraint("factory_id", "version", name=op.f("uq_roadmap_factory_id_version")),
        sa.UniqueConstraint("id", "factory_id", name=op.f("uq_roadmap_id_factory_id")),
    )
    op.create_index(op.f("ix_roadmap_assessment_id"), "roadmap", ["assessment_id"], unique=False)
    op.create_index(op.f("ix_roadmap_factory_id"), "roadmap", ["factory_id"], unique=False)
    op.create_table(
        "solution_version",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("solution_id", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("processes", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("interfaces", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("regions", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("remote", sa.Boolean(), nullable=False),
        sa.Column("price_low", sa.BigInteger(), nullable=False),
        sa.Column("price_high", sa.BigInteger(), nullable=False),
        sa.Column("yearly_low", sa.BigInteger(), nullable=False),
        sa.Column("yearly_high", sa.BigInteger(), nullable=False),
        sa.Column("exit_low", sa.BigInteger(), nullable=False),
        sa.Column("exit_high", sa.BigInteger(), nullable=False),
        sa.Column("needs_consent", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("requires", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("continuity", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("hash", sa.Text(), nullable=True),
        sa.Column("registered_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(state = 'draft') = (registered_at IS NULL)", name=op.f("ck_solution_version_registered")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'registered', 'withdrawn')", name=op.f("ck_solution_version_one_of_state")
        ),
        sa.CheckConstraint("exit_low <= exit_high", name=op.f("ck_solution_version_exit_low_first")),
        sa.CheckConstraint("exit_low >= 0", name=op.f("ck_solution_version_range_exit_low")),
        sa.CheckConstraint("price_low <= price_high", name=op.f("ck_solution_version_price_low_first")),
        sa.CheckConstraint("price_low >= 0", name=op.f("ck_solution_version_range_price_low")),
        sa.CheckConstraint("yearly_low <= yearly_high", name=op.f("ck_solution_version_yearly_low_first")),
        sa.CheckConstraint("yearly_low >= 0", name=op.f("ck_solution_version_range_yearly_low")),
        sa.ForeignKeyConstraint(
            ["solution_id", "supplier_id"],
            ["solution.id", "solution.supplier_id"],
            name=op.f("fk_solution_version_solution_id_supplier_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_solution_version")),
        sa.UniqueConstraint("id", "supplier_id", name=op.f("uq_solution_version_id_supplier_id")),
        sa.UniqueConstraint("solution_id", "version", name=op.f("uq_solution_version_solution_id_version")),
    )
    op.create_index(op.f("ix_solution_version_solution_id"), "solution_version", ["solution_id"], unique=False)
    op.create_index(op.f("ix_solution_version_supplier_id"), "solution_version", ["supplier_id"], unique=False)
    op.create_table(
        "tag_set",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("machine_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("tags", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["factory_id", "machine_id"],
            ["machine.factory_id", "machine.id"],
            name=op.f("fk_tag_set_factory_id_machine_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tag_set")),
        sa.UniqueConstraint("factory_id", "machine_id", "hash", name=op.f("uq_tag_set_factory_id_machine_id_hash")),
    )
    op.create_table(
        "fit_check",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("asked", sa.Boolean(), nullable=False),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("missing", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("tried_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("by IN ('platform', 'owner')", name=op.f("ck_fit_check_one_of_by")),
        sa.CheckConstraint("result IN ('pass', 'fail', 'unknown')", name=op.f("ck_fit_check_one_of_result")),
        sa.ForeignKeyConstraint(
            ["factory_id"], ["factory.id"], name=op.f("fk_fit_check_factory_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["solution_version.id"], name=op.f("fk_fit_check_version_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fit_check")),
        sa.UniqueConstraint("factory_id", "version_id", name=op.f("uq_fit_check_factory_id_version_id")),
    )
    op.create_index(
        "few_fit_check_at",
        "fit_check",
        ["at"],
        unique=False,
        sqlite_where=sa.text("result IS NULL"),
        postgresql_where=sa.text("result IS NULL"),
    )
    op.create_index(op.f("ix_fit_check_version_id"), "fit_check", ["version_id"], unique=False)
    op.create_table(
        "roadmap_item",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("roadmap_id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("measure_id", sa.Text(), nullable=False),
        sa.Column("machine_id", sa.Text(), nullable=True),
        sa.Column("phase", sa.BigInteger(), nullable=False),
        sa.Column("solid", sa.Boolean(), nullable=False),
        sa.Column("depends", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("advice", sa.Text(), nullable=True),
        sa.Column("most_won", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "advice IN ('offers', 'not_now', 'not_known', 'nobody')", name=op.f("ck_roadmap_item_one_of_advice")
        ),
        sa.CheckConstraint(
            "state IN ('open', 'offered', 'taken', 'done', 'dropped')", name=op.f("ck_roadmap_item_one_of_state")
        ),
        sa.CheckConstraint("phase >= 0 AND phase <= 2", name=op.f("ck_roadmap_item_phase")),
        sa.ForeignKeyConstraint(
            ["measure_id"], ["measure.id"], name=op.f("fk_roadmap_item_measure_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["roadmap_id", "factory_id"],
            ["roadmap.id", "roadmap.factory_id"],
            name=op.f("fk_roadmap_item_roadmap_id_factory_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roadmap_item")),
        sa.UniqueConstraint("id", "factory_id", name=op.f("uq_roadmap_item_id_factory_id")),
        sa.UniqueConstraint(
            "roadmap_id", "measure_id", "machine_id", name=op.f("uq_roadmap_item_roadmap_id_measure_id_machine_id")
        ),
    )
    op.create_index(op.f("ix_roadmap_item_factory_id"), "roadmap_item", ["factory_id"], unique=False)
    op.create_index(op.f("ix_roadmap_item_measure_id"), "roadmap_item", ["measure_id"], unique=False)
    op.create_index(op.f("ix_roadmap_item_roadmap_id"), "roadmap_item", ["roadmap_id"], unique=False)
    op.create_table(
        "seen_version",
        sa.Column("version_id", sa.Text(), nullable=False),
        sa.Column("owner_group", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["version_id"], ["solution_version.id"], name=op.f("fk_seen_version_version_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_seen_version")),
    )
    op.create_index(op.f("ix_seen_version_family"), "seen_version", ["family"], unique=False)
    op.create_table(
        "version_capability",
        sa.Column("version_id", sa.Text(), nullable=False),
        sa.Column("capability_id", sa.Text(), nullable=False),
        sa.Column("properties", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["capability_id"],
            ["capability.id"],
            name=op.f("fk_version_capability_capability_id"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"],
            ["solution_version.id"],
            name=op.f("fk_version_capability_version_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("version_id", "capability_id", name=op.f("pk_version_capability")),
    )
    op.create_table(
        "failed_pair",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("failed", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("evidence", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("short_by", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["item_id", "factory_id"],
            ["roadmap_item.id", "roadmap_item.factory_id"],
            name=op.f("fk_failed_pair_item_id_factory_id"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["solution_version.id"], name=op.f("fk_failed_pair_version_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failed_pair")),
        sa.UniqueConstraint("item_id", "version_id", name=op.f("uq_failed_pair_item_id_version_id")),
    )
    op.create_index(op.f("ix_failed_pair_factory_id"), "failed_pair", ["factory_id"], unique=False)
    op.create_index(op.f("ix_failed_pair_version_id"), "failed_pair", ["version_id"], unique=False)
    op.create_table(
        "offer",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("measure_id", sa.Text(), nullable=False),
        sa.Column("round_id", sa.Text(), nullable=True),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("shown_by", sa.Text(), nullable=False),
        sa.Column("cost", sa.Double(), nullable=False),
        sa.Column("q10", sa.Double(), nullable=False),
        sa.Column("mean", sa.Double(), nullable=False),
        sa.Column("q90", sa.Double(), nullable=False),
        sa.Column("terms", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("reasons", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("shown_at", sa.BigInteger(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("contacted_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("answer IN ('wanted', 'declined', 'expired')", name=op.f("ck_offer_one_of_answer")),
        sa.CheckConstraint("contacted_at IS NULL OR answer = 'wanted'", name=op.f("ck_offer_asked")),
        sa.CheckConstraint("shown_by IN ('merit', 'exposure', 'round')", name=op.f("ck_offer_one_of_shown_by")),
        sa.CheckConstraint("slot > 1 OR shown_by <> 'exposure'", name=op.f("ck_offer_merit")),
        sa.CheckConstraint("(answer IS NULL) = (answered_at IS NULL)", name=op.f("ck_offer_answered")),
        sa.CheckConstraint("slot >= 1 AND slot <= 3", name=op.f("ck_offer_slot")),
        sa.ForeignKeyConstraint(
            ["item_id", "factory_id"],
            ["roadmap_item.id", "roadmap_item.factory_id"],
            name=op.f("fk_offer_item_id_factory_id"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["measure_id"], ["measure.id"], name=op.f("fk_offer_measure_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["round_id"], ["match_round.id"], name=op.f("fk_offer_round_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["version_id", "supplier_id"],
            ["solution_version.id", "solution_version.supplier_id"],
            name=op.f("fk_offer_version_id_supplier_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
    )
    op.create_index(op.f("ix_offer_factory_id"), "offer", ["factory_id"], unique=False)
    op.create_index(op.f("ix_offer_item_id"), "offer", ["item_id"], unique=False)
    op.create_index(op.f("ix_offer_round_id"), "offer", ["round_id"], unique=False)
    op.create_index(op.f("ix_offer_supplier_id"), "offer", ["supplier_id"], unique=False)
    op.create_index(op.f("ix_offer_version_id"), "offer", ["version_id"], unique=False)
    op.create_index(
        "one_offer_item_id",
        "offer",
        ["item_id", "slot"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "one_offer_solution",
        "offer",
        ["item_id", "version_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("offer")
    op.drop_table("failed_pair")
    op.drop_table("version_capability")
    op.drop_table("seen_version")
    op.drop_table("roadmap_item")
    op.drop_table("fit_check")
    op.drop_table("tag_set")
    op.drop_table("solution_version")
    op.drop_table("roadmap")
    op.drop_table("report")
