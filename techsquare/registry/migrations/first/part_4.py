"""Tables token to reading."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "token",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("membership_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("scopes", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("created_at <= expires_at", name=op.f("ck_token_created_at_first")),
        sa.ForeignKeyConstraint(
            ["membership_id"], ["membership.id"], name=op.f("fk_token_membership_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token")),
    )
    op.create_index(op.f("ix_token_membership_id"), "token", ["membership_id"], unique=False)
    op.create_table(
        "visit",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("mentor_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("planned_on", sa.Date(), nullable=True),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("sheet", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(state = 'done') = (done_on IS NOT NULL)", name=op.f("ck_visit_done")),
        sa.CheckConstraint(
            "kind IN ('first', 'diagnosis', 'installation', 'follow_up', 'verdict', 'takeover')",
            name=op.f("ck_visit_one_of_kind"),
        ),
        sa.CheckConstraint(
            "state IN ('asked', 'planned', 'done', 'missed', 'dropped')", name=op.f("ck_visit_one_of_state")
        ),
        sa.ForeignKeyConstraint(
            ["factory_id"], ["factory.id"], name=op.f("fk_visit_factory_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(["mentor_id"], ["mentor.id"], name=op.f("fk_visit_mentor_id"), onupdate="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
    )
    op.create_index(op.f("ix_visit_factory_id"), "visit", ["factory_id"], unique=False)
    op.create_index(op.f("ix_visit_mentor_id"), "visit", ["mentor_id"], unique=False)
    op.create_table(
        "agent_event",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["factory_id", "agent_id"],
            ["agent.factory_id", "agent.id"],
            name=op.f("fk_agent_event_factory_id_agent_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_event")),
        sa.UniqueConstraint(
            "factory_id",
            "agent_id",
            "kind",
            "at",
            "hash",
            name=op.f("uq_agent_event_factory_id_agent_id_kind_at_hash"),
        ),
    )
    op.create_table(
        "consent",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("serial", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("scopes", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("source IN ('manifest', 'platform')", name=op.f("ck_consent_one_of_source")),
        sa.ForeignKeyConstraint(
            ["factory_id", "agent_id"],
            ["agent.factory_id", "agent.id"],
            name=op.f("fk_consent_factory_id_agent_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
        sa.UniqueConstraint(
            "factory_id",
            "agent_id",
            "source",
            "since",
            "serial",
            name=op.f("uq_consent_factory_id_agent_id_source_since_serial"),
        ),
    )
    op.create_table(
        "day_record",
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("head", sa.Text(), nullable=False),
        sa.Column("prev", sa.Text(), nullable=True),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("number >= 1", name=op.f("ck_day_record_number")),
        sa.ForeignKeyConstraint(
            ["factory_id", "agent_id"],
            ["agent.factory_id", "agent.id"],
            name=op.f("fk_day_record_factory_id_agent_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("factory_id", "agent_id", "day", name=op.f("pk_day_record")),
        sa.UniqueConstraint(
            "factory_id", "agent_id", "key", "number", name=op.f("uq_day_record_factory_id_agent_id_key_number")
        ),
        sa.UniqueConstraint("head", name=op.f("uq_day_record_head")),
    )
    op.create_table(
        "exclusion",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=True),
        sa.Column("solution_id", sa.Text(), nullable=True),
        sa.Column("why", sa.Text(), nullable=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(supplier_id IS NULL) <> (solution_id IS NULL)", name=op.f("ck_exclusion_one")),
        sa.CheckConstraint("since <= until", name=op.f("ck_exclusion_since_first")),
        sa.ForeignKeyConstraint(
            ["factory_id"], ["factory.id"], name=op.f("fk_exclusion_factory_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["solution_id"], ["solution.id"], name=op.f("fk_exclusion_solution_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["supplier.id"], name=op.f("fk_exclusion_supplier_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exclusion")),
    )
    op.create_index(op.f("ix_exclusion_factory_id"), "exclusion", ["factory_id"], unique=False)
    op.create_index(op.f("ix_exclusion_solution_id"), "exclusion", ["solution_id"], unique=False)
    op.create_index(op.f("ix_exclusion_supplier_id"), "exclusion", ["supplier_id"], unique=False)
    op.create_index(
        "one_exclusion_solution",
        "exclusion",
        ["factory_id", "solution_id"],
        unique=True,
        sqlite_where=sa.text("until IS NULL AND solution_id IS NOT NULL"),
        postgresql_where=sa.text("until IS NULL AND solution_id IS NOT NULL"),
    )
    op.create_index(
        "one_exclusion_supplier",
        "exclusion",
        ["factory_id", "supplier_id"],
        unique=True,
        sqlite_where=sa.text("until IS NULL AND supplier_id IS NOT NULL"),
        postgresql_where=sa.text("until IS NULL AND supplier_id IS NOT NULL"),
    )
    op.create_table(
        "gap",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("assessment_id", sa.Text(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("machine_id", sa.Text(), nullable=True),
        sa.Column("bucket", sa.Text(), nullable=True),
        sa.Column("won_low", sa.BigInteger(), nullable=True),
        sa.Column("won_high", sa.BigInteger(), nullable=True),
        sa.Column("hours_low", sa.Double(), nullable=True),
        sa.Column("hours_high", sa.Double(), nullable=True),
        sa.Column("confidence", sa.Text(), nullable=False),
        sa.Column("why", sa.JSON(none_as_null=True), nullable=False),
        sa.CheckConstraint("confidence IN ('low', 'medium', 'high')", name=op.f("ck_gap_one_of_confidence")),
        sa.CheckConstraint("(won_low IS NULL) = (won_high IS NULL)", name=op.f("ck_gap_won")),
        sa.CheckConstraint("won_low <= won_high", name=op.f("ck_gap_won_low_first")),
        sa.ForeignKeyConstraint(
            ["assessment_id"], ["assessment.id"], name=op.f("fk_gap_assessment_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gap")),
    )
    op.create_index(op.f("ix_gap_assessment_id"), "gap", ["assessment_id"], unique=False)
    op.create_table(
        "loss",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("assessment_id", sa.Text(), nullable=False),
        sa.Column("machine_id", sa.Text(), nullable=False),
        sa.Column("bucket", sa.Text(), nullable=False),
        sa.Column("share_low", sa.Double(), nullable=False),
        sa.Column("share_high", sa.Double(), nullable=False),
        sa.Column("hours_low", sa.Double(), nullable=True),
        sa.Column("hours_high", sa.Double(), nullable=True),
        sa.Column("won_low", sa.BigInteger(), nullable=True),
        sa.Column("won_high", sa.BigInteger(), nullable=True),
        sa.Column("coverage", sa.Double(), nullable=False),
        sa.Column("days", sa.BigInteger(), nullable=False),
        sa.Column("lacking", sa.JSON(none_as_null=True), nullable=False),
        sa.CheckConstraint("(won_low IS NULL) = (won_high IS NULL)", name=op.f("ck_loss_won")),
        sa.CheckConstraint("coverage >= 0 AND coverage <= 1", name=op.f("ck_loss_range_coverage")),
        sa.CheckConstraint("share_low <= share_high", name=op.f("ck_loss_share_low_first")),
        sa.CheckConstraint("won_low <= won_high", name=op.f("ck_loss_won_low_first")),
        sa.ForeignKeyConstraint(
            ["assessment_id"], ["assessment.id"], name=op.f("fk_loss_assessment_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_loss")),
        sa.UniqueConstraint(
            "assessment_id", "machine_id", "bucket", name=op.f("uq_loss_assessment_id_machine_id_bucket")
        ),
    )
    op.create_index(op.f("ix_loss_assessment_id"), "loss", ["assessment_id"], unique=False)
    op.create_table(
        "metric_day",
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("machine_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("head", sa.Text(), nullable=True),
        sa.Column("planned_s", sa.Double(), nullable=False),
        sa.Column("known_s", sa.Double(), nullable=False),
        sa.Column("production_s", sa.Double(), nullable=True),
        sa.Column("setup_s", sa.Double(), nullable=True),
        sa.Column("fault_s", sa.Double(), nullable=True),
        sa.Column("standby_s", sa.Double(), nullable=True),
        sa.Column("off_s", sa.Double(), nullable=True),
        sa.Column("ideal_s", sa.Double(), nullable=True),
        sa.Column("priced_s", sa.Double(), nullable=True),
        sa.Column("good_s", sa.Double(), nullable=True),
        sa.Column("checked_s", sa.Double(), nullable=True),
        sa.Column("pieces", sa.Double(), nullable=True),
        sa.Column("energy_kwh", sa.Double(), nullable=True),
        sa.Column("simulated", sa.Double(), nullable=False),
        sa.Column("formulas", sa.Text(), nullable=False),
        sa.Column("metrics", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("reasons", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint("(source = 'measured') = (head IS NOT NULL)", name=op.f("ck_metric_day_head")),
        sa.CheckConstraint(
            "source IN ('measured', 'counted', 'answered')", name=op.f("ck_metric_day_one_of_source")
        ),
        sa.CheckConstraint("planned_s >= 0 AND known_s >= 0", name=op.f("ck_metric_day_planned_s")),
        sa.ForeignKeyConstraint(
            ["factory_id", "machine_id"],
            ["machine.factory_id", "machine.id"],
            name=op.f("fk_metric_day_factory_id_machine_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("factory_id", "machine_id", "day", "source", name=op.f("pk_metric_day")),
    )
    op.create_index(op.f("ix_metric_day_day_factory_id"), "metric_day", ["day", "factory_id"], unique=False)
    op.create_table(
        "reading",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("machine_id", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by_user", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["by_user"], ["user_account.id"], name=op.f("fk_reading_by_user"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["factory_id", "machine_id"],
            ["machine.factory_id", "machine.id"],
            name=op.f("fk_reading_factory_id_machine_id"),
            onupdate="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reading")),
        sa.UniqueConstraint(
            "factory_id",
            "machine_id",
            "day",
            "kind",
            "at",
            name=op.f("uq_reading_factory_id_machine_id_day_kind_at"),
        ),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("reading")
    op.drop_table("metric_day")
    op.drop_table("loss")
    op.drop_table("gap")
    op.drop_table("exclusion")
    op.drop_table("day_record")
    op.drop_table("consent")
    op.drop_table("agent_event")
    op.drop_table("visit")
    op.drop_table("token")
