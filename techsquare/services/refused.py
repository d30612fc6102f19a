"""What a service refuses, as a code: words are the caller's business, in his language."""

from __future__ import annotations

from typing import Literal, get_args

Code = Literal[
    "not_there",  # no such row, or not his to see: nobody is told which
    "not_yours",  # he sees it, and may not do this with it
    "address_taken",
    "bad_invitation",
    "bad_password",
    "wrong_password",
    "wrong_role",
    "bad_scope",
    "not_confirmed",
    "no_diagnosis",
    "nothing_known",
    "off_scale",
    "in_future",
    "twice",
    "no_price",
    "no_budget",
    "no_measure",
    "outdated",
    "no_family",
    "no_capability",
    "not_draft",
    "incomplete",
    "slots_used",
    "not_open",
    "not_wanted",
    "answered",
    "no_candidates",
    "mentor_full",
    "mentor_away",
    "conflict_of_interest",
    "same_mentor",
    "mentor_region",
    "still_so",
    "messages_used",
    "visit_state",
    "payer",
    "no_contact",
    "consent_first",
    "fit_month",
    "fit_consent",
    "no_needs",
    "bad_needs",
    "round_state",
    "plan_refused",
    "no_promise",
    "not_agreed",
    "frozen",
    "no_days",
    "not_installed",
    "too_early",
    "decided",
    "baseline_changed",
    "objection_open",
    "objection_refused",
    "job_over",
    "step_refused",
    "contract_refused",
    "not_reached",
    "ticket_refused",
    "takeover_refused",
    "bad_key",
    "key_pinned",
    "no_key",
    "not_taken",
    "engine_refused",
]
CODES: tuple[Code, ...] = get_args(Code)


class RefusedError(Exception):
    """A use case cannot be done as asked; nothing was changed.

    Args:
        code: Why.
        details: Plain values that help to mend it; never anything that the caller may not see.
    """

    def __init__(self, code: Code, **details: object) -> None:
        super().__init__(code)
        self.code = code
        self.details = details
