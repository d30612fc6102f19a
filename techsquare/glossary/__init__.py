"""Every word of a list that a person may see, in Korean and English: states, kinds, reasons, verdicts.

Rows, engines and the API say words (`cannot_tell`); pages, mails and an existing platform show these texts.
`LISTS` has them by name, and `COLUMNS` says which list a column of the registry takes its words from.
A test holds the lists against the `Literal` that each stands for, so that a new word without a text fails.

Problems of the API stand in `techsquare.api.words`, sentences to people in `techsquare.mentoring`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from techsquare.glossary import advice, diagnosis, people, projects, verdicts
from techsquare.mentoring import change, engagement, events, notifications
from techsquare.privacy import notice

if TYPE_CHECKING:
    from collections.abc import Mapping

    from settings.language import Text

LISTS: Mapping[str, Mapping[str, Text]] = {
    "role": people.ROLE, "party": people.PARTY, "size": people.SIZE, "token_scope": people.TOKEN_SCOPE,
    "consent_scope": {str(scope): text for scope, text in notice.SCOPES.items()},
    "consent_source": people.CONSENT_SOURCE, "supplier_state": people.SUPPLIER_STATE,
    "mentor_state": people.MENTOR_STATE, "zone": people.ZONE,
    "task": {
        **{str(kind): text for kind, text in notifications.TITLES.items()}, **events.TITLES, **people.QUESTIONS,
    },
    "task_state": people.TASK_STATE, "job": people.JOB, "job_state": people.JOB_STATE, "action": people.ACTION,
    "language": people.LANGUAGE, "fate": people.FATE,
    "bucket": diagnosis.BUCKET, "source": diagnosis.SOURCE, "by": diagnosis.BY, "tell": diagnosis.TELL,
    "confidence": diagnosis.CONFIDENCE, "lacking": diagnosis.LACKING, "flag": diagnosis.FLAG,
    "reading": diagnosis.READING, "reading_wrong": diagnosis.READING_WRONG,
    "entry_conflict": diagnosis.ENTRY_CONFLICT, "result": diagnosis.RESULT,
    "result_state": diagnosis.RESULT_STATE, "result_reason": diagnosis.RESULT_REASON, "next": diagnosis.NEXT,
    "stage": diagnosis.STAGE, "worth_storing": diagnosis.WORTH_STORING, "suppressed": diagnosis.SUPPRESSED,
    "quarter": diagnosis.QUARTER, "metric": diagnosis.METRIC,
    "resource": advice.RESOURCE, "item_state": advice.ITEM_STATE, "advice": advice.ADVICE,
    "version_state": advice.VERSION_STATE, "fit": advice.FIT, "fit_by": advice.FIT_BY,
    "fit_because": advice.FIT_BECAUSE, "fit_needs": advice.FIT_NEEDS, "constraint": advice.CONSTRAINT,
    "summary": advice.SUMMARY, "shown_by": advice.SHOWN_BY, "offer_answer": advice.OFFER_ANSWER,
    "round_state": advice.ROUND_STATE, "placed_by": advice.PLACED_BY, "condition": advice.CONDITION,
    "escrow": advice.ESCROW,
    "barrier": projects.BARRIER, "handover": {str(part): text for part, text in change.PARTS.items()},
    "visit": projects.VISIT, "visit_state": projects.VISIT_STATE,
    "project_state": projects.PROJECT_STATE, "life": projects.LIFE, "step": projects.STEP,
    "step_refused": {str(why): text for why, text in engagement.WORDS.items()},
    "milestone": projects.MILESTONE, "milestone_status": projects.MILESTONE_STATUS,
    "milestone_because": projects.MILESTONE_BECAUSE, "severity": projects.SEVERITY,
    "ticket_state": projects.TICKET_STATE, "takeover_state": projects.TAKEOVER_STATE,
    "takeover_why": projects.TAKEOVER_WHY, "takeover_done": projects.TAKEOVER_DONE,
    "takeover_way": projects.TAKEOVER_WAY, "deposit_held": projects.DEPOSIT_HELD, "cost": projects.COST,
    "payer": projects.PAYER,
    "verdict": verdicts.VERDICT, "verdict_why": verdicts.VERDICT_WHY, "plan_refused": verdicts.PLAN_REFUSED,
    "part": verdicts.PART, "over": verdicts.OVER, "unfit": verdicts.UNFIT,
    "objection_about": verdicts.OBJECTION_ABOUT, "objection_decision": verdicts.OBJECTION_DECISION,
    "objection_refused": verdicts.OBJECTION_REFUSED, "use": verdicts.USE, "use_reason": verdicts.USE_REASON,
    "watch": verdicts.WATCH,
}  # fmt: skip
COLUMNS: Mapping[str, str] = {
    "assessment.kind": "source", "assessment.state": "stage", "assignment.ended_by": "role",
    "audit.action": "action", "consent.source": "consent_source", "cost.kind": "cost",
    "engagement.state": "project_state", "escrow_deposit.level": "escrow", "filed_account.zone": "zone",
    "fit_check.by": "fit_by", "fit_check.result": "fit", "gap.bucket": "bucket",
    "gap.confidence": "confidence", "job.kind": "job",
    "job.state": "job_state", "loss.bucket": "bucket", "machine.limits_output": "tell",
    "match_round.state": "round_state", "membership.role": "role", "mentor.state": "mentor_state",
    "measurement_plan.metric": "metric", "metric_day.source": "source", "milestone.kind": "milestone",
    "notification.kind": "task",
    "objection.decision": "objection_decision", "offer.answer": "offer_answer", "offer.shown_by": "shown_by",
    "outcome.word": "verdict", "party.kind": "party", "peer.metric": "metric", "peer.suppressed": "suppressed",
    "plan_machine.part": "part", "roadmap_item.advice": "advice", "roadmap_item.state": "item_state",
    "solution_version.state": "version_state", "supplier.size": "size", "supplier.state": "supplier_state",
    "takeover.state": "takeover_state", "takeover.why": "takeover_why", "task.kind": "task",
    "task.state": "task_state", "ticket.severity": "severity", "ticket.state": "ticket_state",
    "user_account.language": "language", "visit.kind": "visit", "visit.state": "visit_state",
}  # fmt: skip
