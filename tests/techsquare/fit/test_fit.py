"""Fit tests: signed as an agent takes them; asked once, twenty a month, one question of a family a year."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.platform.asked import FIT
from contract.codec import decode, encode
from contract.errors import WireError
from contract.report import Value
from contract.signing import check, private_key
from contract.verbs import Fit, FitRequest, Lacking, Need, Solution
from readiness.fit import judged
from techsquare.fit.book import A_MONTH, HOLDS_DAYS, Answer, Entry, Question, answer, implied, shown, weaker
from techsquare.fit.register import FIT_TOPIC, Refusal, refusals, register, request
from techsquare.fit.versions import HOLDS_DAYS as ITEM_DAYS
from techsquare.fit.versions import MOST, Offered, matched

DAY = date(2026, 11, 23)
FAMILY = frozenset({"V01", "V02", "C01"})
SOLUTION = Solution("mes-one", "2.1", [Need("pieces", "V02", min=0.9), Need("link", "C01", min=0.5, max=1)])
KEY = private_key(bytes(range(32)))


def test_what_is_signed_is_what_an_agent_verifies() -> None:
    found = register(SOLUTION, FAMILY, {})
    asked = decode(encode(request(found, KEY, audience="owner", machine="m1")), FitRequest)
    check("tsq/1/fit", asked.registered, asked.signature, KEY.public_key())
    assert FIT_TOPIC == FIT, "what the agent looks under"
    assert decode(asked.registered.encode(), Solution) == SOLUTION
    assert (asked.audience, asked.machine) == ("owner", "m1")
    for changed in (asked.registered.replace("0.9", "0.8"), asked.registered + " "):
        with pytest.raises(WireError):
            check("tsq/1/fit", changed, asked.signature, KEY.public_key())
    with pytest.raises(ValueError, match="changed after"):
        request(replace(found, text=found.text.replace("0.9", "0.8")), KEY)


def test_a_version_is_registered_once_for_ever() -> None:
    found = register(SOLUTION, FAMILY, {})
    assert register(SOLUTION, FAMILY, {"2.1": found.hash}) == found
    other = Solution("mes-one", "2.1", [Need("pieces", "V02", min=0.8)])
    assert refusals(other, FAMILY, {"2.1": found.hash}) == (Refusal("changed"),)
    with pytest.raises(ValueError, match="cannot be registered: changed"):
        register(other, FAMILY, {"2.1": found.hash})
    assert refusals(Solution("mes-one", "2.2", other.needs), FAMILY, {"2.1": found.hash}) == ()


def test_everything_that_is_wrong_is_said() -> None:
    needs = [
        Need("a", "V02", min=1), Need("a", "C01", max=2), Need("b", "Z99", min=1), Need("c", "E01", min=1),
        Need("d", "V01"), Need("e", "V01", min=2, max=1),
    ]  # fmt: skip
    assert refusals(Solution("s", "1", needs), FAMILY, {}) == (
        Refusal("same_name", "a"), Refusal("unknown_metric", "b"), Refusal("foreign_metric", "c"),
        Refusal("no_limit", "d"), Refusal("empty_range", "e"),
    )  # fmt: skip


limit = st.none() | st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
need = st.builds(Need, id=st.just("n"), metric=st.sampled_from(sorted(FAMILY)), min=limit, max=limit)
needs_ = st.lists(need, min_size=1, max_size=3)
value = st.none() | st.tuples(limit, limit)


@settings(max_examples=500, deadline=None)
@given(needs_, needs_, st.fixed_dictionaries(dict.fromkeys(sorted(FAMILY), value)))
def test_what_is_implied_is_what_the_agent_would_have_answered(
    old: list[Need], new: list[Need], state: dict[str, tuple[float | None, float | None] | None]
) -> None:
    words = [worst(needs, state) for needs in (old, new)]
    entry = Entry(Question("f", "g", "mes", "1", old), DAY, words[0])  # type: ignore[arg-type]
    told = implied([entry], new)
    assert told in {None, words[1]}
    if weaker(new, old) and words[0] == "pass":
        assert told == "pass"
    if weaker(old, new) and words[0] == "fail":
        assert told == "fail"
    assert weaker(old, old)


def worst(needs: list[Need], state: dict[str, tuple[float | None, float | None] | None]) -> str:
    """Return what the agent's own rule says of one machine."""
    order = ("fail", "unknown", "pass")
    return min((judged(one, told(state[one.metric])) for one in needs), key=order.index)


def told(value: tuple[float | None, float | None] | None) -> Value | None:
    if value is None:
        return None
    ends = [one for one in value if one is not None]
    if not ends:
        return Value("V01", "1", "0" * 16, reason="NA_NO_EVIDENCE")
    if len(ends) == 1:
        return Value("V01", "1", "0" * 16, reason="NOT_APPLICABLE")
    return Value("V01", "1", "0" * 16, value=ends[0], lo=min(ends), hi=max(ends))


def question(
    version: str, factory: str = "f1", family: str = "mes", group: str = "g1", least: float = 0.5
) -> Question:
    return Question(factory, group, family, version, [Need("n", "V01", min=least)])


def test_a_factory_is_asked_once_about_a_version_also_when_it_has_not_answered_yet() -> None:
    assert answer([], question("1"), DAY, consent=True) == Answer(ask=True, word=None, because=None)
    assert answer([], question("1"), DAY, consent=False).because == "consent"
    for word, said in (("pass", "pass"), ("fail", "fail"), ("unknown", "unknown"), (None, "unknown")):
        book = [Entry(question("1"), DAY, word)]  # type: ignore[arg-type]
        later = DAY + timedelta(days=4000)
        by_owner = replace(question("1"), by="owner")
        for asked in (question("1"), by_owner):
            found = answer(book, asked, later, consent=True)
            assert (found.ask, found.word, found.because) == (False, said, "once")


def test_a_new_version_does_not_buy_a_new_answer_for_a_year() -> None:
    book = [Entry(question("1"), DAY, "pass")]
    last = DAY + timedelta(days=HOLDS_DAYS - 1)
    harder = answer(book, question("2", least=0.6), last, consent=True)
    assert harder == Answer(ask=False, word="unknown", because="family", again=last + timedelta(days=1))
    assert answer(book, question("2", least=0.4), last, consent=True).because == "implied"
    assert answer(book, question("2", least=0.4), last, consent=True).word == "pass"
    assert answer(book, question("2", least=0.6), last + timedelta(days=1), consent=True).ask
    assert answer(book, question("2", family="energy"), DAY, consent=True).ask
    assert answer(book, question("2", group="g2"), DAY, consent=True).ask
    owner = replace(question("2", least=0.6), by="owner")
    assert answer(book, owner, DAY, consent=True).ask, "his own sensor is his to show"
    entered = [*book, Entry(question("2", least=0.6), DAY, "unknown", asked=False)]
    assert answer(entered, question("2", least=0.6), last + timedelta(days=9), consent=True).because == "once"


def test_twenty_a_month_by_all_suppliers_of_a_group() -> None:
    book = [Entry(question(str(at), factory=f"f{at}"), DAY, "pass") for at in range(A_MONTH)]
    book += [Entry(question(str(at), factory="x", group="g2"), DAY, "pass") for at in range(50)]
    found = answer(book, question("new", "new"), DAY, consent=True)
    assert found == Answer(ask=False, word="unknown", because="month", again=date(2026, 12, 1))
    assert answer(book[1:], question("new", "new"), DAY, consent=True).ask
    assert answer(book, question("new", "new"), date(2026, 12, 1), consent=True).ask
    untold = [replace(one, asked=False) for one in book[:A_MONTH]]
    assert answer(untold, question("new", "new"), DAY, consent=True).ask, "what nobody was asked costs nothing"


def test_over_years_no_rule_is_ever_broken_on_any_order_of_lines() -> None:
    rng = np.random.default_rng(1)
    book: list[Entry] = []
    for at in range(1500):
        on = DAY + timedelta(days=at // 2)
        one = question(
            f"v{int(rng.integers(400))}", f"f{int(rng.integers(40))}", f"fam{int(rng.integers(3))}",
            f"g{int(rng.integers(2))}", float(rng.choice([0.2, 0.5, 0.8])),
        )  # fmt: skip
        lines = [line for line in book if one.group == line.question.group or one.factory == line.question.factory]
        found = answer(lines, one, on, consent=True)
        assert answer([lines[i] for i in rng.permutation(len(lines))], one, on, consent=True) == found
        if found.ask:
            book.append(Entry(one, on, rng.choice(["pass", "fail", "unknown"])))
        elif found.because in {"implied", "family"}:
            book.append(Entry(one, on, found.word, asked=False))
    asked = [line for line in book if line.asked]
    assert len(asked) > 150
    keys = [(line.question.factory, line.question.group, line.question.version) for line in asked]
    assert len(set(keys)) == len(keys)
    for group, year, month in product(("g0", "g1"), (2026, 2027, 2028), range(1, 13)):
        mine = [
            line
            for line in asked
            if line.question.group == group and (line.on.year, line.on.month) == (year, month)
        ]
        assert len(mine) <= A_MONTH
    for line in asked:
        for other in asked:
            same = (line.question.factory, line.question.group, line.question.family) == (
                other.question.factory, other.question.group, other.question.family,
            )  # fmt: skip
            assert line is other or not same or abs((line.on - other.on).days) >= HOLDS_DAYS


def test_a_supplier_sees_the_word_and_nothing_of_where_or_why() -> None:
    full = Fit("s", "1", "fail", "m1", [Lacking("n", "m1", "fail")])
    every = frozenset({"fit", "fit_missing"})
    assert shown(full, "supplier", every) == Fit("s", "1", "fail")
    assert shown(full, "operator", every) is None
    assert shown(full, "owner", every) == shown(full, "mentor", every) == full
    without = shown(full, "owner", frozenset({"fit"}))
    assert without == Fit("s", "1", "fail", "m1", [])


def test_a_group_has_three_places_for_ninety_days() -> None:
    def offered(at: int, group: str = "g1") -> Offered:
        return Offered(group, "mes", f"v{at:04}", DAY + timedelta(days=at // 20))

    seen = matched((), [offered(0), offered(1)], DAY)
    versions = set()
    for night in range(ITEM_DAYS):
        day = DAY + timedelta(days=night)
        there = [offered(at) for at in range(2 + 11 * night)] + [offered(5000, "g2")]
        before = seen
        seen = matched(before, there, day)
        assert matched(before[::-1], there[::-1], day) == seen
        versions |= {one.version for one in seen if one.group == "g1"}
        assert any(one.group == "g2" for one in seen)
    assert versions == {"v0000", "v0001", "v0002"}
    assert len(versions) == MOST
    gone = matched(seen, [], DAY + timedelta(days=ITEM_DAYS - 1))
    assert gone == seen, "withdrawing one buys no look through another"
    over = DAY + timedelta(days=ITEM_DAYS + 1)
    assert matched(seen, there, over) == seen, "who is registered stays"
    others = [one for one in there if one.version != "v0001"]
    after = {one.version for one in matched(seen, others, over) if one.group == "g1"}
    assert after == {"v0000", "v0002", "v0003"}, "a withdrawn one's place is the next one's when its days are over"
    again = matched(matched(seen, others, over), others[2:], over + timedelta(days=1))
    assert "v0003" in {one.version for one in again}, "for ninety days of its own"
