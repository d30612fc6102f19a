"""Tables membership to cost."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "membership",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column(
            "party_kind", sa.Enum("factory", "supplier", "mentor", "operator", native_enum=False), nullable=False
        ),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(role = 'owner' AND party_kind = 'factory') OR (role = 'supplier' AND party_kind = 'supplier') OR (role = 'mentor' AND party_kind = 'mentor') OR (role IN ('operator', 'risk', 'service') AND party_kind = 'operator')",  # noqa: E501
            name=op.f("ck_membership_role_fits"),
        ),
        sa.CheckConstraint(
            "role IN ('owner', 'mentor', 'supplier', 'operator', 'risk', 'service')",
            name=op.f("ck_membership_one_of_role"),
        ),
        sa.CheckConstraint("since <= until", name=op.f("ck_membership_since_first")),
        sa.ForeignKeyConstraint(
            ["party_id", "party_kind"],
            ["party.id", "party.kind"],
            name=op.f("fk_membership_party_id_party_kind"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_membership_user_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_membership")),
    )
    op.create_index(op.f("ix_membership_party_id"), "membership", ["party_id"], unique=False)
    op.create_index(op.f("ix_membership_user_id"), "membership", ["user_id"], unique=False)
    op.create_index(
        "one_membership_user_id",
        "membership",
        ["user_id", "party_id", "role"],
        unique=True,
        sqlite_where=sa.text("until IS NULL"),
        postgresql_where=sa.text("until IS NULL"),
    )
    op.create_table(
        "mentor",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("firm_id", sa.Text(), nullable=True),
        sa.Column("skills", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("regions", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("capacity", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("related", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint("kind = 'mentor'", name=op.f("ck_mentor_kind")),
        sa.CheckConstraint("state IN ('active', 'away', 'left')", name=op.f("ck_mentor_one_of_state")),
        sa.CheckConstraint("capacity >= 0", name=op.f("ck_mentor_range_capacity")),
        sa.ForeignKeyConstraint(["firm_id"], ["party.id"], name=op.f("fk_mentor_firm_id"), onupdate="CASCADE"),
        sa.ForeignKeyConstraint(
            ["id", "kind"], ["party.id", "party.kind"], name=op.f("fk_mentor_id_kind"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mentor")),
    )
    op.create_table(
        "notification",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("about_table", sa.Text(), nullable=True),
        sa.Column("about_id", sa.Text(), nullable=True),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_notification_user_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
    )
    op.create_index(op.f("ix_notification_user_id"), "notification", ["user_id"], unique=False)
    op.create_table(
        "supplier",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("size", sa.Text(), nullable=False),
        sa.Column("regions", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("industries", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("joined_on", sa.Date(), nullable=False),
        sa.Column("parties", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("contact", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint("kind = 'supplier'", name=op.f("ck_supplier_kind")),
        sa.CheckConstraint("size IN ('micro', 'small', 'medium', 'large')", name=op.f("ck_supplier_one_of_size")),
        sa.CheckConstraint(
            "state IN ('applied', 'active', 'suspended', 'closed')", name=op.f("ck_supplier_one_of_state")
        ),
        sa.ForeignKeyConstraint(
            ["id", "kind"], ["party.id", "party.kind"], name=op.f("fk_supplier_id_kind"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_supplier")),
    )
    op.create_table(
        "agent",
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("reporter", sa.Boolean(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=True),
        sa.Column("next_key", sa.Text(), nullable=True),
        sa.Column("chain_number", sa.BigInteger(), nullable=True),
        sa.Column("chain_head", sa.Text(), nullable=True),
        sa.Column("chain_date", sa.Date(), nullable=True),
        sa.Column("made_at", sa.BigInteger(), nullable=True),
        sa.Column("seen_at", sa.BigInteger(), nullable=True),
        sa.Column("silent_since", sa.BigInteger(), nullable=True),
        sa.Column("manifest", sa.Text(), nullable=True),
        sa.CheckConstraint("(chain_number IS NULL) = (chain_head IS NULL)", name=op.f("ck_agent_head")),
        sa.ForeignKeyConstraint(
            ["factory_id"], ["factory.id"], name=op.f("fk_agent_factory_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("factory_id", "id", name=op.f("pk_agent")),
    )
    op.create_index(
        "one_agent_factory_id",
        "agent",
        ["factory_id"],
        unique=True,
        sqlite_where=sa.text("reporter"),
        postgresql_where=sa.text("reporter"),
    )
    op.create_table(
        "answer",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("machine_id", sa.Text(), nullable=True),
        sa.Column("value", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("metric", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by_user", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["by_user"], ["user_account.id"], name=op.f("fk_answer_by_user"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["factory_id"], ["factory.id"], name=op.f("fk_answer_factory_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer")),
    )
    op.create_index(op.f("ix_answer_factory_id"), "answer", ["factory_id"], unique=False)
    op.create_table(
        "assessment",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("window_from", sa.Date(), nullable=True),
        sa.Column("window_to", sa.Date(), nullable=True),
        sa.Column("formulas", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("coverage", sa.Double(), nullable=False),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.CheckConstraint("kind IN ('measured', 'counted', 'answered')", name=op.f("ck_assessment_one_of_kind")),
        sa.CheckConstraint("state IN ('day0', 'day7', 'day28')", name=op.f("ck_assessment_one_of_state")),
        sa.CheckConstraint("coverage >= 0 AND coverage <= 1", name=op.f("ck_assessment_range_coverage")),
        sa.CheckConstraint("window_from <= window_to", name=op.f("ck_assessment_window_from_first")),
        sa.ForeignKeyConstraint(
            ["factory_id"], ["factory.id"], name=op.f("fk_assessment_factory_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assessment")),
        sa.UniqueConstraint("id", "factory_id", name=op.f("uq_assessment_id_factory_id")),
    )
    op.create_index(op.f("ix_assessment_factory_id"), "assessment", ["factory_id"], unique=False)
    op.create_table(
        "assignment",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("mentor_id", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("handover", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint(
            "ended_by IN ('owner', 'mentor', 'operator')", name=op.f("ck_assignment_one_of_ended_by")
        ),
        sa.CheckConstraint("since <= until", name=op.f("ck_assignment_since_first")),
        sa.ForeignKeyConstraint(
            ["factory_id"], ["factory.id"], name=op.f("fk_assignment_factory_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["mentor_id"], ["mentor.id"], name=op.f("fk_assignment_mentor_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
    )
    op.create_index(op.f("ix_assignment_mentor_id"), "assignment", ["mentor_id"], unique=False)
    op.create_index(
        "one_assignment_factory_id",
        "assignment",
        ["factory_id"],
        unique=True,
        sqlite_where=sa.text("until IS NULL"),
        postgresql_where=sa.text("until IS NULL"),
    )
    op.create_table(
        "budget",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("cash", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("staff_days", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("support", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("most_measures", sa.BigInteger(), nullable=False),
        sa.Column("by_user", sa.Text(), nullable=True),
        sa.CheckConstraint("most_measures >= 0", name=op.f("ck_budget_range_most_measures")),
        sa.ForeignKeyConstraint(
            ["by_user"], ["user_account.id"], name=op.f("fk_budget_by_user"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["factory_id"], ["factory.id"], name=op.f("fk_budget_factory_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_budget")),
        sa.UniqueConstraint("factory_id", "at", name=op.f("uq_budget_factory_id_at")),
    )
    op.create_index(op.f("ix_budget_factory_id"), "budget", ["factory_id"], unique=False)
    op.create_table(
        "cost",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("won", sa.BigInteger(), nullable=True),
        sa.Column("payer", sa.Text(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("funding_id", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('diagnosis', 'visit', 'measure', 'verification', 'other')", name=op.f("ck_cost_one_of_kind")
        ),
        sa.CheckConstraint("won >= 0", name=op.f("ck_cost_range_won")),
        sa.ForeignKeyConstraint(
            ["factory_id"], ["factory.id"], name=op.f("fk_cost_factory_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["funding_id"], ["funding.id"], name=op.f("fk_cost_funding_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cost")),
    )
    op.create_index(op.f("ix_cost_factory_id"), "cost", ["factory_id"], unique=False)
    op.create_index(op.f("ix_cost_funding_id"), "cost", ["funding_id"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("cost")
    op.drop_table("budget")
    op.drop_table("assignment")
    op.drop_table("assessment")
    op.drop_table("answer")
    op.drop_table("agent")
    op.drop_table("supplier")
    op.drop_table("notification")
    op.drop_table("mentor")
    op.drop_table("membership")
