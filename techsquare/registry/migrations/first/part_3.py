"""Tables filed_account to task."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "filed_account",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("figures", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("consented_at", sa.BigInteger(), nullable=False),
        sa.Column("filed_at", sa.BigInteger(), nullable=False),
        sa.Column("z2", sa.Double(), nullable=True),
        sa.Column("zone", sa.Text(), nullable=True),
        sa.CheckConstraint("zone IN ('safe', 'grey', 'distress')", name=op.f("ck_filed_account_one_of_zone")),
        sa.CheckConstraint("z2 IS NULL OR zone IS NOT NULL", name=op.f("ck_filed_account_zone")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["supplier.id"], name=op.f("fk_filed_account_supplier_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filed_account")),
        sa.UniqueConstraint("supplier_id", "year", name=op.f("uq_filed_account_supplier_id_year")),
    )
    op.create_index(op.f("ix_filed_account_supplier_id"), "filed_account", ["supplier_id"], unique=False)
    op.create_table(
        "job",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("factory_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("progress", sa.Double(), nullable=False),
        sa.Column("asked", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("answer", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(state IN ('waiting', 'running')) = (ended_at IS NULL)", name=op.f("ck_job_ended")),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'done', 'failed', 'stopped')", name=op.f("ck_job_one_of_state")
        ),
        sa.CheckConstraint("progress >= 0 AND progress <= 1", name=op.f("ck_job_range_progress")),
        sa.ForeignKeyConstraint(["factory_id"], ["factory.id"], name=op.f("fk_job_factory_id"), onupdate="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["user_account.id"], name=op.f("fk_job_user_id"), onupdate="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
    )
    op.create_index(
        "few_job_created_at",
        "job",
        ["created_at"],
        unique=False,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(op.f("ix_job_factory_id"), "job", ["factory_id"], unique=False)
    op.create_index(op.f("ix_job_user_id"), "job", ["user_id"], unique=False)
    op.create_table(
        "machine",
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("process", sa.Text(), nullable=True),
        sa.Column("maker", sa.Text(), nullable=True),
        sa.Column("interfaces", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("weight", sa.Double(), nullable=False),
        sa.Column("limits_output", sa.Text(), nullable=False),
        sa.Column("comparable", sa.Boolean(), nullable=False),
        sa.Column("retired_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "limits_output IN ('yes', 'no', 'unknown')", name=op.f("ck_machine_one_of_limits_output")
        ),
        sa.ForeignKeyConstraint(
            ["factory_id"], ["factory.id"], name=op.f("fk_machine_factory_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("factory_id", "id", name=op.f("pk_machine")),
    )
    op.create_index(op.f("ix_machine_process"), "machine", ["process"], unique=False)
    op.create_table(
        "rates",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("by_user", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["by_user"], ["user_account.id"], name=op.f("fk_rates_by_user"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["factory_id"], ["factory.id"], name=op.f("fk_rates_factory_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rates")),
        sa.UniqueConstraint("factory_id", "at", name=op.f("uq_rates_factory_id_at")),
    )
    op.create_index(op.f("ix_rates_factory_id"), "rates", ["factory_id"], unique=False)
    op.create_table(
        "reason_sum",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("factories", sa.BigInteger(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("factories >= 10", name=op.f("ck_reason_sum_range_factories")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["supplier.id"], name=op.f("fk_reason_sum_supplier_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reason_sum")),
        sa.UniqueConstraint("supplier_id", "month", "reason", name=op.f("uq_reason_sum_supplier_id_month_reason")),
    )
    op.create_index(op.f("ix_reason_sum_supplier_id"), "reason_sum", ["supplier_id"], unique=False)
    op.create_table(
        "record",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("improved", sa.BigInteger(), nullable=False),
        sa.Column("decided", sa.BigInteger(), nullable=False),
        sa.Column("cannot_tell", sa.BigInteger(), nullable=False),
        sa.Column("cause_not_shown", sa.BigInteger(), nullable=False),
        sa.Column("mean", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.CheckConstraint("cannot_tell >= 0", name=op.f("ck_record_range_cannot_tell")),
        sa.CheckConstraint("cause_not_shown >= 0", name=op.f("ck_record_range_cause_not_shown")),
        sa.CheckConstraint("decided >= 0", name=op.f("ck_record_range_decided")),
        sa.CheckConstraint("improved <= decided", name=op.f("ck_record_counts")),
        sa.CheckConstraint("improved >= 0", name=op.f("ck_record_range_improved")),
        sa.CheckConstraint("low <= mean AND mean <= high AND low >= 0 AND high <= 1", name=op.f("ck_record_rate")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["supplier.id"], name=op.f("fk_record_supplier_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_record")),
        sa.UniqueConstraint("supplier_id", "family", "at", name=op.f("uq_record_supplier_id_family_at")),
    )
    op.create_index(op.f("ix_record_supplier_id"), "record", ["supplier_id"], unique=False)
    op.create_table(
        "showing",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("shown", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("shown >= 0", name=op.f("ck_showing_range_shown")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["supplier.id"], name=op.f("fk_showing_supplier_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("day", "supplier_id", name=op.f("pk_showing")),
    )
    op.create_table(
        "slot",
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("quarter", sa.Text(), nullable=False),
        sa.Column("declared", sa.BigInteger(), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.Column("most", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "quarter LIKE '____-Q_' AND substr(quarter, 7, 1) IN ('1', '2', '3', '4')", name=op.f("ck_slot_quarter")
        ),
        sa.CheckConstraint("declared >= 0", name=op.f("ck_slot_range_declared")),
        sa.CheckConstraint("used <= declared AND (most IS NULL OR used <= most)", name=op.f("ck_slot_fits")),
        sa.CheckConstraint("used >= 0", name=op.f("ck_slot_range_used")),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["supplier.id"], name=op.f("fk_slot_supplier_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("supplier_id", "quarter", name=op.f("pk_slot")),
    )
    op.create_table(
        "solution",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("family", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["supplier.id"], name=op.f("fk_solution_supplier_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_solution")),
        sa.UniqueConstraint("id", "supplier_id", name=op.f("uq_solution_id_supplier_id")),
        sa.UniqueConstraint("supplier_id", "name", name=op.f("uq_solution_supplier_id_name")),
    )
    op.create_index(op.f("ix_solution_family"), "solution", ["family"], unique=False)
    op.create_index(op.f("ix_solution_supplier_id"), "solution", ["supplier_id"], unique=False)
    op.create_table(
        "task",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.CheckConstraint("(state = 'open') = (ended_at IS NULL)", name=op.f("ck_task_done")),
        sa.CheckConstraint("state IN ('open', 'done', 'dropped')", name=op.f("ck_task_one_of_state")),
        sa.ForeignKeyConstraint(
            ["factory_id"], ["factory.id"], name=op.f("fk_task_factory_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_task_party_id"), onupdate="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
    )
    op.create_index(op.f("ix_task_factory_id"), "task", ["factory_id"], unique=False)
    op.create_index(op.f("ix_task_party_id"), "task", ["party_id"], unique=False)


def downgrade() -> None:
    """Drop them."""
    op.drop_table("task")
    op.drop_table("solution")
    op.drop_table("slot")
    op.drop_table("showing")
    op.drop_table("record")
    op.drop_table("reason_sum")
    op.drop_table("rates")
    op.drop_table("machine")
    op.drop_table("job")
    op.drop_table("filed_account")
