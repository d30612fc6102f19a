"""The sheet of a visit: one page, nothing lost without being counted, the three cheapest really are."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import permutations

import numpy as np

from settings.language import Text
from techsquare.mentoring.visit import (
    DIFFERENCES,
    MEASURE,
    MISSING,
    QUESTIONS,
    Difference,
    Measurable,
    Missing,
    Question,
    cheapest,
    sheet,
    told,
)

TODAY = date(2026, 11, 23)
TELLS = ("cycle", "scrap", "energy", "setup", "staff")


def things(rng: np.random.Generator, count: int) -> list[Measurable]:
    return [
        Measurable(
            id=f"t{at}",
            tells=frozenset(str(one) for one in rng.choice(TELLS, int(rng.integers(1, 3)))),
            won=None if rng.random() < 0.3 else int(rng.integers(0, 4)) * 10_000,
            minutes=int(rng.integers(5, 60)),
            title=Text(f"thing {at}", f"측정 {at}"),
        )
        for at in range(count)
    ]


def price(one: Measurable) -> tuple[float, int, str]:
    return (float("inf") if one.won is None else one.won, one.minutes, one.id)


def test_what_is_cheapest_tells_something_that_nothing_cheaper_tells() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        every = things(rng, int(rng.integers(0, 8)))
        known = frozenset(str(one) for one in rng.choice(TELLS, 1))
        found = cheapest(every, known)
        assert [price(one) for one in found] == sorted(price(one) for one in found)
        for one in every:
            before = known.union(*(other.tells for other in every if price(other) < price(one)))
            assert (one in found) == bool(one.tells - before)
        assert cheapest(every[::-1], known) == found


def test_the_page_is_one_page_and_says_how_much_is_not_on_it() -> None:
    rng = np.random.default_rng(2)
    differences = [Difference("claim", f"s{at}", "1", "2", None, TODAY - timedelta(days=at)) for at in range(11)]
    missing = [Missing(f"V{at:02}", "NA_NO_EVIDENCE", (f"m{at % 3}",), at) for at in range(10)]
    questions = [Question(f"q{at}", Text(f"q {at}", f"질문 {at}"), None) for at in range(14)]
    every = things(rng, 30)
    page = sheet("f1", TODAY, differences=differences, missing=missing, measurable=every, questions=questions)
    assert (len(page.differences.lines), page.differences.more) == (DIFFERENCES, 3)
    assert page.differences.lines[0].subject == "s10", "the oldest first"
    assert (len(page.missing.lines), page.missing.more) == (MISSING, 2)
    assert page.missing.lines[0].metric == "V09", "what opens the most first"
    assert (len(page.questions.lines), page.questions.more) == (QUESTIONS, 4)
    assert len(page.measure.lines) <= MEASURE
    assert len(page.measure.lines) + page.measure.more == len(cheapest(every, frozenset()))
    for language, more in (("ko", "그 밖에 3건"), ("en", "3 more")):
        lines = told(page, language)  # type: ignore[arg-type]
        assert any(more in line for line in lines)
        assert sum(line.startswith("[ ] ") for line in lines) == DIFFERENCES + MISSING + QUESTIONS + len(
            page.measure.lines
        )
        assert not any("None" in line or "{" in line for line in lines)


def test_the_same_twice_is_one_line_and_old_answers_are_asked_again() -> None:
    one = Difference("claim", "A01", "0.9", "0.7", "m1")
    rows = [Missing("V01", "NA_NO_EVIDENCE", ("m2",)), Missing("V01", "NA_NO_EVIDENCE", ("m1",), 3)]
    questions = [
        Question("new", Text("n", "새"), TODAY - timedelta(days=10)),
        Question("old", Text("o", "옛"), TODAY - timedelta(days=400)),
        Question("older", Text("p", "더"), TODAY - timedelta(days=800)),
        Question("never", Text("q", "안"), None),
    ]
    pages = {
        str(sheet("f1", TODAY, differences=[one, one], missing=order, questions=asked))
        for order in permutations(rows)
        for asked in permutations(questions)
    }
    assert len(pages) == 1
    page = sheet("f1", TODAY, differences=[one, one], missing=rows, questions=questions)
    assert page.differences.lines == (one,)
    assert page.missing.lines == (Missing("V01", "NA_NO_EVIDENCE", ("m1", "m2"), 3),)
    assert [asked.id for asked in page.questions.lines] == ["never", "older", "old"]
    empty = told(sheet("f1", TODAY), "en")
    assert empty.count("- none") == 4
