"""Every word that a person may see has Korean and English texts: lists against the `Literal`s of the code."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import pytest

import techsquare
from techsquare.api.words import OF_SERVICES
from techsquare.glossary import COLUMNS, LISTS
from techsquare.glossary.reference import reference
from techsquare.mentoring.engagement import WORDS
from techsquare.registry import tables
from techsquare.registry.base import CHECK, Base
from techsquare.services.peering import METRICS as PEERS
from techsquare.services.series import METRICS
from techsquare.services.work import KINDS

ROOT = Path(__file__).parents[2]
assert tables.Base is Base

# A `Literal` of the code -> the list of its texts. A name is enough where it stands in several modules.
SHOWN = {
    "registry.privacy.Role": "role", "mentoring.engagement.Actor": "role", "fit.book.Reader": "role",
    "fit.register.Audience": "role", "mentoring.notifications.Reader": "role", "registry.mentors.EndedBy": "role",
    "services.messages.To": "role", "registry.privacy.PartyKind": "party", "verdict.objection.Side": "party",
    "registry.suppliers.Size": "size", "registry.access.TokenScope": "token_scope",
    "registry.privacy.ConsentScope": "consent_scope", "privacy.notice.Scope": "consent_scope",
    "registry.factories.ConsentSource": "consent_source", "registry.suppliers.SupplierState": "supplier_state",
    "registry.mentors.MentorState": "mentor_state", "registry.suppliers.Zone": "zone",
    "matching.continuity.Tier": "zone", "mentoring.terms.Kind": "task", "mentoring.events.Event": "task",
    "mentoring.followup.Reminded": "task", "registry.people.TaskState": "task_state",
    "registry.people.JobState": "job_state", "intake.terms.Fate": "fate",
    "diagnosis.terms.Bucket": "bucket", "catalogue.model.Bucket": "bucket", "diagnosis.terms.Source": "source",
    "registry.measured.Source": "source", "registry.advice.AssessmentKind": "source", "diagnosis.beside.By": "by",
    "diagnosis.terms.Tell": "tell", "registry.factories.Tell": "tell", "diagnosis.terms.Confidence": "confidence",
    "registry.advice.Confidence": "confidence", "diagnosis.terms.Lacking": "lacking",
    "diagnosis.terms.Flag": "flag", "diagnosis.counted.Kind": "reading", "diagnosis.counted.Wrong": "reading_wrong",
    "entry.terms.Conflict": "entry_conflict", "entry.stages.Result": "result", "entry.stages.State": "result_state",
    "entry.stages.Reason": "result_reason", "entry.stages.Action": "next", "entry.stages.Stage": "stage",
    "registry.advice.AssessmentState": "stage", "services.changes.Why": "worth_storing",
    "diagnosis.peers.Reason": "suppressed", "registry.measured.Suppressed": "suppressed",
    "diagnosis.peers.Quarter": "quarter", "api.routes.project.Metric": "metric",
    "roadmap.terms.Resource": "resource", "registry.advice.ItemState": "item_state",
    "registry.advice.Advice": "advice", "matching.night.Word": "advice",
    "registry.suppliers.VersionState": "version_state", "fit.book.Word": "fit", "registry.matches.Fit": "fit",
    "fit.book.Because": "fit_because", "fit.register.Code": "fit_needs", "matching.terms.Constraint": "constraint",
    "matching.summary.Reason": "summary", "registry.matches.By": "shown_by",
    "registry.matches.OfferAnswer": "offer_answer", "registry.matches.RoundState": "round_state",
    "matching.continuity.Condition": "condition", "mentoring.takeover.Keeps": "condition",
    "matching.terms.Level": "escrow", "mentoring.takeover.Level": "escrow", "simulation.market.Level": "escrow",
    "registry.projects.EscrowLevel": "escrow", "mentoring.terms.Barrier": "barrier",
    "mentoring.change.Part": "handover", "registry.mentors.VisitKind": "visit",
    "registry.mentors.VisitState": "visit_state", "registry.projects.EngagementState": "project_state",
    "mentoring.engagement.State": "life", "mentoring.engagement.Event": "step",
    "mentoring.engagement.Refusal": "step_refused", "registry.projects.MilestoneKind": "milestone",
    "verdict.milestones.Name": "milestone", "verdict.milestones.Status": "milestone_status",
    "verdict.milestones.Because": "milestone_because", "mentoring.ticket.Severity": "severity",
    "registry.projects.TicketState": "ticket_state", "registry.projects.TakeoverState": "takeover_state",
    "mentoring.takeover.Why": "takeover_why", "services.takeovers.Step": "takeover_done",
    "mentoring.takeover.Step": "takeover_way", "mentoring.takeover.Held": "deposit_held",
    "registry.advice.CostKind": "cost", "mentoring.ledger.Kind": "cost", "mentoring.ledger.Payer": "payer",
    "verdict.terms.Word": "verdict", "registry.verdicts.Word": "verdict", "matching.terms.Outcome": "verdict",
    "verdict.terms.Why": "verdict_why", "verdict.plan.Refusal": "plan_refused", "verdict.terms.Over": "over",
    "verdict.controls.Unfit": "unfit", "verdict.objection.About": "objection_about",
    "verdict.objection.Decision": "objection_decision", "services.verdicts.Then": "objection_decision",
    "verdict.objection.Refusal": "objection_refused", "verdict.use.State": "use",
    "verdict.use.Reason": "use_reason",
}  # fmt: skip
# What stays among programs, or has its texts beside it, and where.
ELSEWHERE = {
    "services.refused.Code": "api/words.py, held by test_api_words below",
    "mentoring.ticket.Refusal": "told as the problem `ticket_refused`",
    "privacy.notice.Refusal": "between engine and service",
    "entry.model.QuestionId": "config/catalogue/entry.yaml has the questions in both languages",
    "entry.model.Feeds": "which rate an answer goes to",
    "catalogue.model.Dimension": "config/readiness/dimensions.yaml",
    "diagnosis.questionnaire.Band": "config/catalogue/questionnaire.yaml",
    "privacy.retention.Scope": "its texts stand in the same module",
    "registry.privacy.Scope": "privacy/retention.py",
    "registry.privacy.Who": "a rule of the policy",
    "registry.privacy.Sharing": "a rule of the policy",
    "registry.privacy.Rests": "a rule of leaving",
    "registry.dialect.Mode": "a transaction's",
    "roadmap.terms.Level": "which end of a span is solved with",
    "services.measured.Basis": "a note in a body",
    "simulation.terms.End": "tables of the simulation",
}


def _aliases() -> dict[tuple[str, ...], list[str]]:
    """Return the words of each `Literal` that has a name, and the names under which they stand."""
    found: dict[tuple[str, ...], list[str]] = {}
    for module in pkgutil.walk_packages(techsquare.__path__, "techsquare."):
        if ".migrations" in module.name or module.name.endswith("__main__"):
            continue
        loaded = importlib.import_module(module.name)
        for name, thing in vars(loaded).items():
            words = get_args(thing)
            if get_origin(thing) is Literal and isinstance(words[0], str) and words != ("en", "ko"):
                found.setdefault(words, []).append(f"{module.name[len('techsquare.') :]}.{name}")
    return found


ALIASES = _aliases()


def test_there_are_as_many_as_are_known() -> None:
    assert len(ALIASES) > 80
    names = {name for stands in ALIASES.values() for name in stands}
    assert names >= set(SHOWN) | set(ELSEWHERE)


@pytest.mark.parametrize("words", ALIASES, ids=lambda words: ALIASES[words][0])
def test_each_word_of_a_literal_has_texts(words: tuple[str, ...]) -> None:
    stands = ALIASES[words]
    lists = {SHOWN[name] for name in stands if name in SHOWN}
    if not lists:
        assert any(name in ELSEWHERE for name in stands), f"{stands[0]}: add its list to techsquare/glossary"
    for name in lists:
        missing = set(words) - set(LISTS[name])
        assert not missing, f"{stands[0]}: techsquare/glossary has no texts in {name!r} for {sorted(missing)}"


def test_each_word_of_a_column_has_texts() -> None:
    checked = set()
    for mapper in Base.registry.mappers:
        table: Any = mapper.local_table
        for column in table.columns:
            kind, rule = column.info.get(CHECK, ("", ""))
            name = f"{table.name}.{column.name}"
            if kind.startswith("one_of_"):
                checked.add(name)
                assert name in COLUMNS, f"{name}: say in techsquare/glossary which list its words are of"
                assert set(re.findall(r"'([^']*)'", rule)) <= set(LISTS[COLUMNS[name]]), name
    open_words = {
        "job.kind", "task.kind", "notification.kind", "loss.bucket", "gap.bucket", "measurement_plan.metric",
        "peer.metric",
    }  # fmt: skip
    assert set(COLUMNS) == checked | open_words
    assert len(checked) > 35


def test_no_list_has_a_word_that_nothing_says() -> None:
    source = "".join(
        path.read_text("utf-8")
        for path in sorted((ROOT / "techsquare").rglob("*.py"))
        if "glossary" not in path.parts and "migrations" not in path.parts
    )
    said = set(re.findall(r'"([a-z0-9_]+)"', source))
    assert not [(name, word) for name, words in LISTS.items() for word in words if word not in said]


def test_texts_are_korean_and_english() -> None:
    for name, words in LISTS.items():
        assert words, name
        for word, text in words.items():
            assert re.search("[가-힣]", text.ko), (name, word)
            assert re.search("[a-zA-Z]", text.en), (name, word)
            assert not re.search("[가-힣]", text.en), (name, word)
            assert not re.search(r"  |^ | $", text.ko), (name, word)
            assert name == "step_refused" or not text.ko.endswith("."), (name, word)  # those are sentences
        both = [text.ko for word, text in words.items() if word != "other"]
        assert len(set(both)) == len(both), f"{name}: two words are shown alike"


def test_kinds_without_a_literal_have_texts() -> None:
    assert set(LISTS["job"]) == set(KINDS)
    assert set(LISTS["metric"]) == set(METRICS) | set(PEERS)
    asked = set(re.findall(r'Question\(\s*[^()]*?"([a-z_]+)"', _source("intake")))
    assert {"key_first", "records_missing", "consent_withdrawn"} <= asked | {"key_first"}
    assert asked <= set(LISTS["task"]), asked


def _source(folder: str) -> str:
    return "".join(path.read_text("utf-8") for path in sorted((ROOT / "techsquare" / folder).rglob("*.py")))


def test_api_words() -> None:
    for code, words in OF_SERVICES.items():
        assert re.search("[가-힣]", words.ko), code
        assert words.en, code
    assert set(LISTS["step_refused"]) == set(WORDS)


def test_no_text_uses_a_word_that_the_glossary_avoids() -> None:
    avoided = ("벤더", "코치", "오너", "다운타임", "셋업", "스크랩", "에스크로", "대조군", "베이스라인", "귀하",
               "라운드", "폴링", "레디니스", "백오프", "엔디언", "모순")  # fmt: skip
    found = [
        (path.name, word)
        for path in [*(ROOT / "techsquare").rglob("*.py"), *(ROOT / "config" / "catalogue").glob("*.yaml")]
        for word in avoided
        if word in path.read_text("utf-8") and path.name != "reference.py"
    ]
    assert not found


def test_the_committed_page_is_current() -> None:
    page = (ROOT / "docs" / "glossary.md").read_text("utf-8")
    assert page == reference(), "run `python -m techsquare.glossary.reference > docs/glossary.md`"
