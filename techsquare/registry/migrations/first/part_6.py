"""Tables engagement to plan_machine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "engagement",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Text(), nullable=False),
        sa.Column("measure_id", sa.Text(), nullable=False),
        sa.Column("item_id", sa.Text(), nullable=True),
        sa.Column("offer_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("agreed_on", sa.Date(), nullable=True),
        sa.Column("signed_on", sa.Date(), nullable=True),
        sa.Column("installed_on", sa.Date(), nullable=True),
        sa.Column("accepted_on", sa.Date(), nullable=True),
        sa.Column("ended_on", sa.Date(), nullable=True),
        sa.Column("unmeasured_at", sa.BigInteger(), nullable=True),
        sa.Column("drill", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("life", sa.JSON(none_as_null=True), nullable=True),
        sa.CheckConstraint("(state = 'ended') = (ended_on IS NOT NULL)", name=op.f("ck_engagement_ended")),
        sa.CheckConstraint(
            "state IN ('agreed', 'ended') OR agreed_on IS NOT NULL", name=op.f("ck_engagement_agreed")
        ),
        sa.CheckConstraint(
            "state IN ('agreed', 'ended') OR signed_on IS NOT NULL", name=op.f("ck_engagement_signed")
        ),
        sa.CheckConstraint(
            "state IN ('agreed', 'signed', 'installed', 'accepted', 'decided', 'ended')",
            name=op.f("ck_engagement_one_of_state"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('accepted', 'decided') OR accepted_on IS NOT NULL", name=op.f("ck_engagement_accepted")
        ),
        sa.CheckConstraint(
            "state NOT IN ('installed', 'accepted', 'decided') OR installed_on IS NOT NULL",
            name=op.f("ck_engagement_installed"),
        ),
        sa.ForeignKeyConstraint(
            ["factory_id"], ["factory.id"], name=op.f("fk_engagement_factory_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["item_id"], ["roadmap_item.id"], name=op.f("fk_engagement_item_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["measure_id"], ["measure.id"], name=op.f("fk_engagement_measure_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["offer_id"], ["offer.id"], name=op.f("fk_engagement_offer_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["supplier.id"], name=op.f("fk_engagement_supplier_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["solution_version.id"], name=op.f("fk_engagement_version_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engagement")),
        sa.UniqueConstraint("offer_id", name=op.f("uq_engagement_offer_id")),
    )
    op.create_index(op.f("ix_engagement_factory_id"), "engagement", ["factory_id"], unique=False)
    op.create_index(op.f("ix_engagement_supplier_id"), "engagement", ["supplier_id"], unique=False)
    op.create_index(op.f("ix_engagement_version_id"), "engagement", ["version_id"], unique=False)
    op.create_index(
        "one_engagement_item_id",
        "engagement",
        ["item_id"],
        unique=True,
        sqlite_where=sa.text("ended_on IS NULL AND item_id IS NOT NULL"),
        postgresql_where=sa.text("ended_on IS NULL AND item_id IS NOT NULL"),
    )
    op.create_table(
        "contract",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("won", sa.BigInteger(), nullable=False),
        sa.Column("funding_id", sa.Text(), nullable=True),
        sa.Column("conditions", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("owner_signed_at", sa.BigInteger(), nullable=True),
        sa.Column("supplier_signed_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("won >= 0", name=op.f("ck_contract_range_won")),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagement.id"], name=op.f("fk_contract_engagement_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["funding_id"], ["funding.id"], name=op.f("fk_contract_funding_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract")),
        sa.UniqueConstraint("engagement_id", name=op.f("uq_contract_engagement_id")),
    )
    op.create_index(op.f("ix_contract_funding_id"), "contract", ["funding_id"], unique=False)
    op.create_table(
        "escrow_deposit",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("supplier_id", sa.Text(), nullable=False),
        sa.Column("version_id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=True),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("place", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("deposited_at", sa.BigInteger(), nullable=False),
        sa.Column("verified_at", sa.BigInteger(), nullable=True),
        sa.Column("built_by", sa.Text(), nullable=True),
        sa.Column("released_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "(level = 'verified') = (verified_at IS NOT NULL)", name=op.f("ck_escrow_deposit_verified")
        ),
        sa.CheckConstraint("level IN ('deposited', 'verified')", name=op.f("ck_escrow_deposit_one_of_level")),
        sa.CheckConstraint(
            "built_by IS NULL OR (verified_at IS NOT NULL AND built_by <> supplier_id)",
            name=op.f("ck_escrow_deposit_built"),
        ),
        sa.ForeignKeyConstraint(
            ["built_by"], ["party.id"], name=op.f("fk_escrow_deposit_built_by"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagement.id"], name=op.f("fk_escrow_deposit_engagement_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["supplier_id"], ["supplier.id"], name=op.f("fk_escrow_deposit_supplier_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["version_id"], ["solution_version.id"], name=op.f("fk_escrow_deposit_version_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_escrow_deposit")),
    )
    op.create_index(op.f("ix_escrow_deposit_engagement_id"), "escrow_deposit", ["engagement_id"], unique=False)
    op.create_index(op.f("ix_escrow_deposit_supplier_id"), "escrow_deposit", ["supplier_id"], unique=False)
    op.create_index(op.f("ix_escrow_deposit_version_id"), "escrow_deposit", ["version_id"], unique=False)
    op.create_table(
        "measurement_plan",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("applied_on", sa.Date(), nullable=False),
        sa.Column("baseline_from", sa.Date(), nullable=False),
        sa.Column("baseline_to", sa.Date(), nullable=False),
        sa.Column("verdict_on", sa.Date(), nullable=False),
        sa.Column("extended_to", sa.Date(), nullable=False),
        sa.Column("least", sa.Double(), nullable=False),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("promise", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("owner_at", sa.BigInteger(), nullable=True),
        sa.Column("supplier_at", sa.BigInteger(), nullable=True),
        sa.Column("frozen_at", sa.BigInteger(), nullable=True),
        sa.Column("hash", sa.Text(), nullable=True),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("(frozen_at IS NULL) = (hash IS NULL)", name=op.f("ck_measurement_plan_frozen")),
        sa.CheckConstraint("applied_on <= baseline_from", name=op.f("ck_measurement_plan_applied_on_first")),
        sa.CheckConstraint("baseline_from <= baseline_to", name=op.f("ck_measurement_plan_baseline_from_first")),
        sa.CheckConstraint("baseline_to <= verdict_on", name=op.f("ck_measurement_plan_baseline_to_first")),
        sa.CheckConstraint(
            "frozen_at IS NULL OR (owner_at IS NOT NULL AND supplier_at IS NOT NULL)",
            name=op.f("ck_measurement_plan_agreed"),
        ),
        sa.CheckConstraint("verdict_on <= extended_to", name=op.f("ck_measurement_plan_verdict_on_first")),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagement.id"], name=op.f("fk_measurement_plan_engagement_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measurement_plan")),
    )
    op.create_index(
        "one_measurement_plan_engagement_id",
        "measurement_plan",
        ["engagement_id", "metric"],
        unique=True,
        sqlite_where=sa.text("withdrawn_at IS NULL"),
        postgresql_where=sa.text("withdrawn_at IS NULL"),
    )
    op.create_table(
        "message",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("party_id", sa.Text(), nullable=True),
        sa.Column("engagement_id", sa.Text(), nullable=True),
        sa.Column("from_user", sa.Text(), nullable=True),
        sa.Column("from_party", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("read_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagement.id"], name=op.f("fk_message_engagement_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["factory_id"], ["factory.id"], name=op.f("fk_message_factory_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["from_party"], ["party.id"], name=op.f("fk_message_from_party"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["from_user"], ["user_account.id"], name=op.f("fk_message_from_user"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(["party_id"], ["party.id"], name=op.f("fk_message_party_id"), onupdate="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_message")),
    )
    op.create_index(op.f("ix_message_engagement_id"), "message", ["engagement_id"], unique=False)
    op.create_index(op.f("ix_message_factory_id"), "message", ["factory_id"], unique=False)
    op.create_index(op.f("ix_message_party_id"), "message", ["party_id"], unique=False)
    op.create_table(
        "takeover",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("from_supplier", sa.Text(), nullable=False),
        sa.Column("to_supplier", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("checklist", sa.JSON(none_as_null=True), nullable=False),
        sa.CheckConstraint(
            "(state IN ('done', 'dropped')) = (ended_at IS NOT NULL)", name=op.f("ck_takeover_ended")
        ),
        sa.CheckConstraint(
            "state IN ('needed', 'offered', 'agreed', 'done', 'dropped')", name=op.f("ck_takeover_one_of_state")
        ),
        sa.CheckConstraint("why IN ('gone', 'unwanted')", name=op.f("ck_takeover_one_of_why")),
        sa.CheckConstraint("to_supplier IS NULL OR to_supplier <> from_supplier", name=op.f("ck_takeover_other")),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagement.id"], name=op.f("fk_takeover_engagement_id"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["from_supplier"], ["supplier.id"], name=op.f("fk_takeover_from_supplier"), onupdate="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["to_supplier"], ["supplier.id"], name=op.f("fk_takeover_to_supplier"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_takeover")),
    )
    op.create_index(op.f("ix_takeover_from_supplier"), "takeover", ["from_supplier"], unique=False)
    op.create_index(op.f("ix_takeover_to_supplier"), "takeover", ["to_supplier"], unique=False)
    op.create_index(
        "one_takeover_engagement_id",
        "takeover",
        ["engagement_id"],
        unique=True,
        sqlite_where=sa.text("ended_at IS NULL"),
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "ticket",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("engagement_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("answered_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("reopened", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name=op.f("ck_ticket_closed")),
        sa.CheckConstraint("severity IN ('low', 'high', 'stopped')", name=op.f("ck_ticket_one_of_severity")),
        sa.CheckConstraint(
            "state = 'open' OR answered_at IS NOT NULL OR closed_at IS NOT NULL", name=op.f("ck_ticket_answered")
        ),
        sa.CheckConstraint("state IN ('open', 'answered', 'closed')", name=op.f("ck_ticket_one_of_state")),
        sa.ForeignKeyConstraint(
            ["engagement_id"], ["engagement.id"], name=op.f("fk_ticket_engagement_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ticket")),
    )
    op.create_index(op.f("ix_ticket_engagement_id"), "ticket", ["engagement_id"], unique=False)
    op.create_table(
        "milestone",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("contract_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("won", sa.BigInteger(), nullable=False),
        sa.Column("due", sa.Date(), nullable=True),
        sa.Column("reached_on", sa.Date(), nullable=True),
        sa.Column("paid_on", sa.Date(), nullable=True),
        sa.Column("advice", sa.Text(), nullable=True),
        sa.CheckConstraint("kind IN ('delivery', 'acceptance', 'verdict')", name=op.f("ck_milestone_one_of_kind")),
        sa.CheckConstraint("paid_on IS NULL OR reached_on IS NOT NULL", name=op.f("ck_milestone_paid")),
        sa.CheckConstraint("share >= 0 AND share <= 1", name=op.f("ck_milestone_range_share")),
        sa.CheckConstraint("won >= 0", name=op.f("ck_milestone_range_won")),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contract.id"], name=op.f("fk_milestone_contract_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_milestone")),
        sa.UniqueConstraint("contract_id", "kind", name=op.f("uq_milestone_contract_id_kind")),
    )
    op.create_table(
        "outcome",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("look", sa.BigInteger(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("estimate", sa.Double(), nullable=True),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("body", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("decayed_on", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "word IN ('improved', 'worse', 'no_change', 'cannot_tell', 'cause_not_shown')",
            name=op.f("ck_outcome_one_of_word"),
        ),
        sa.CheckConstraint("look IN (1, 2)", name=op.f("ck_outcome_look")),
        sa.CheckConstraint("low <= estimate AND estimate <= high", name=op.f("ck_outcome_interval")),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["measurement_plan.id"], name=op.f("fk_outcome_plan_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outcome")),
        sa.UniqueConstraint("plan_id", "look", name=op.f("uq_outcome_plan_id_look")),
    )
    op.create_table(
        "plan_machine",
        sa.Column("plan_id", sa.Text(), nullable=False),
        sa.Column("factory_id", sa.Text(), nullable=False),
        sa.Column("machine_id", sa.Text(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("alias", sa.Text(), nullable=False),
        sa.Column("days", sa.Text(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.CheckConstraint("part IN ('treated', 'control')", name=op.f("ck_plan_machine_one_of_part")),
        sa.ForeignKeyConstraint(
            ["factory_id", "machine_id"],
            ["machine.factory_id", "machine.id"],
            name=op.f("fk_plan_machine_factory_id_machine_id"),
            onupdate="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["plan_id"], ["measurement_plan.id"], name=op.f("fk_plan_machine_plan_id"), onupdate="CASCADE"
        ),
        sa.PrimaryKeyConstraint("plan_id", "factory_id", "machine_id", name=op.f("pk_plan_machine")),
        sa.UniqueConstraint("plan_id", "alias", name=op.f("uq_plan_machine_plan_id_alias")),
    )


def downgrade() -> None:
    """Drop them."""
    op.drop_table("plan_machine")
    op.drop_table("outcome")
    op.drop_table("milestone")
    op.drop_table("ticket")
    op.drop_table("takeover")
    op.drop_table("message")
    op.drop_table("measurement_plan")
    op.drop_table("escrow_deposit")
    op.drop_table("contract")
    op.drop_table("engagement")
