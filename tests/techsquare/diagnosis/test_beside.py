"""Answers beside measurements: both stand, contradictions are listed, coverage says who has looked."""

from __future__ import annotations

from pathlib import Path

import pytest

from contract.report import Band, Contradiction, Value
from readiness.model import parse
from techsquare.diagnosis.beside import Said, beside, contradictions, coverage, shares
from techsquare.diagnosis.load import load
from techsquare.span import Span
from tests.techsquare.diagnosis.made import account
from tests.techsquare.diagnosis.reports import HASH, report

ROOT = Path(__file__).parents[3]
FORM = load(lang="en")
DAY = "2026-11-20"


def test_every_band_of_a_report_is_asked_on_the_same_scale() -> None:
    folder = ROOT / "config" / "readiness"
    model = parse({path.name: path.read_bytes() for path in sorted(folder.glob("*.yaml"))})
    asked = {q.band: len(q.scale) for q in FORM.questions if q.band is not None}
    assert asked == {ladder.id: ladder.of + 1 for ladder in model.siri.scales}
    assert {m.id: len(m.parts) for m in FORM.models} == {"siri": 16, "acatech": 8, "korean": 10}
    named = {part for q in FORM.questions for part in q.parts}
    told = {f"{m.id}/{p.id}" for m in FORM.models for p in m.parts if p.band or p.indicators}
    assert named | told == {f"{m.id}/{p.id}" for m in FORM.models for p in m.parts}, "nothing is nobody's for ever"


@pytest.mark.parametrize(
    ("low", "high", "said", "agrees"),
    [
        (1, 2, 1, True),
        (1, 2, 2, True),
        (1, 2, 0, False),
        (1, 2, 3, False),
        (3, 3, 5, True),  # above what is measurable only a person can say
        (2, 3, 1, False),
    ],
)
def test_an_answer_fits_what_the_evidence_leaves_open(low: int, high: int, said: int, agrees: bool) -> None:  # noqa: FBT001
    made = report(siri=[Band("SI4", low, high, 3, 5)])
    (one,) = [b for b in beside(FORM, [Said("machines-automatic", said, DAY)], made) if b.band == "SI4"]
    assert (one.said, one.low, one.high, one.agrees) == (said, low, high, agrees)
    listed = contradictions(FORM, [Said("machines-automatic", said, DAY)], made)
    assert [(c.code, c.said) for c in listed] == ([] if agrees else [("band", str(said))])


def test_without_an_answer_or_a_measurement_nothing_is_agreed() -> None:
    made = report(siri=[Band("SI4", 1, 2, 3, 5)])
    both = beside(FORM, [Said("machines-automatic", None, DAY), Said("machines-tell", 3, DAY)], made)
    assert [(b.band, b.said, b.low, b.agrees) for b in both] == [
        ("SI7", None, None, None),
        ("SI4", None, 1, None),
        ("SI10", 3, None, None),
        ("SI1", None, None, None),
    ]
    assert all(b.agrees is None for b in beside(FORM, [Said("machines-tell", 3, DAY)], None))


def test_the_latest_answer_counts_and_the_report_s_own_contradictions_stay() -> None:
    own = Contradiction("claim", "V03", "0.9", "0.5-0.6", "2026-11-01")
    made = report(siri=[Band("SI4", 1, 1, 3, 5)], contradictions=[own])
    said = [Said("machines-automatic", 4, "2026-11-02"), Said("machines-automatic", 1, "2026-11-09")]
    assert contradictions(FORM, said, made) == [own]
    assert [c.code for c in contradictions(FORM, said[:1], made)] == ["band", "claim"]


def test_an_owner_s_word_of_a_loss_is_put_beside_the_measured_one() -> None:
    said = account(source="answered", shares={"fault": Span(0.0, 0.03), "setup": Span(0.05, 0.2)})
    seen = account(shares={"fault": Span(0.05, 0.09), "setup": Span(0.1, 0.3), "standby": Span(0, 1)})
    (one,) = shares([said], [seen], DAY)
    assert (one.code, one.subject, one.machine, one.said, one.seen) == (
        "loss_share", "fault", "press", "0-0.03", "0.05-0.09",
    )  # fmt: skip
    assert list(shares([said], [account(machine="oven")], DAY)) == []


def test_coverage_counts_each_part_once_by_who_has_told_of_it() -> None:
    nothing = {c.model: (c.measured, c.answered, c.nobody) for c in coverage(FORM, [], None)}
    assert nothing == {"siri": (0, 0, 16), "acatech": (0, 0, 8), "korean": (0, 0, 10)}
    made = report(
        siri=[Band("SI4", 1, 2, 3, 5), Band("SI7", 0, 5, 5, 5, ["C01"])],
        values=[Value("V05", "1", HASH, value=0.8), Value("T03", "1", HASH, reason="NA_NO_EVIDENCE")],
    )
    said = [Said("machines-automatic", 2, DAY), Said("skills", 1, DAY), Said("quality", None, DAY)]
    found = {c.model: {p.part: p.by for p in c.parts} for c in coverage(FORM, said, made)}
    assert found["siri"]["si4"] == "both"
    assert found["siri"]["si7"] == "nobody", "a band that is open from end to end tells nothing"
    assert found["siri"]["si13"] == "answered"
    assert found["korean"]["maintenance"] == "measured"
    assert found["korean"]["quality"] == "nobody"
    every = [Said(q.id, 1, DAY) for q in FORM.questions]
    for one in coverage(FORM, every, made):
        assert one.measured + one.answered + one.nobody == len(one.parts) + sum(p.by == "both" for p in one.parts)
        assert one.answered == len({p for q in FORM.questions for p in q.parts if p.startswith(f"{one.model}/")})
