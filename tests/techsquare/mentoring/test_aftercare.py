"""Tickets, takeover, deposit."""

from __future__ import annotations

from datetime import date, timedelta
from itertools import product

import numpy as np
import pytest

from techsquare.mentoring.calendar import Calendar
from techsquare.mentoring.takeover import (
    KEEPS,
    RELEASE_DAYS,
    STAYS,
    STEPS,
    Possible,
    Release,
    System,
    candidates,
    release,
    stays,
    unpaid,
)
from techsquare.mentoring.ticket import (
    ANSWER_DAYS,
    CLOSE_DAYS,
    LOST_DAYS,
    Severity,
    Ticket,
    answer,
    close,
    reopen,
    service,
    standing,
)

MONDAY = date(2026, 11, 23)
CALENDAR = Calendar()
WHYS = ("closed", "out_of_reach", "agreed", "unwanted")


def after(days: int) -> date:
    return CALENDAR.after(MONDAY, days)


@pytest.mark.parametrize("severity", ["low", "high", "stopped"])
def test_a_ticket_is_late_on_the_day_after_it_was_due(severity: Severity) -> None:
    ticket = Ticket(severity, MONDAY)
    due, end = after(ANSWER_DAYS[severity]), after(CLOSE_DAYS[severity])
    assert not standing(ticket, CALENDAR, due).late
    assert standing(ticket, CALENDAR, due + timedelta(days=1)).late
    answered = answer(ticket, due, "we come tomorrow")
    assert isinstance(answered, Ticket)
    assert not standing(answered, CALENDAR, end).late
    assert standing(answered, CALENDAR, end + timedelta(days=1)).late
    lost = standing(ticket, CALENDAR, after(LOST_DAYS + 1)).out_of_reach
    assert lost == (severity == "stopped")
    assert not standing(ticket, CALENDAR, after(LOST_DAYS)).out_of_reach


def test_a_ticket_that_was_not_done_goes_on_from_its_first_day() -> None:
    ticket = Ticket("high", MONDAY)
    assert answer(ticket, MONDAY, "  ") == "no_text"
    assert answer(ticket, MONDAY - timedelta(days=1), "x") == "order"
    assert reopen(ticket, MONDAY) == "open"
    closed = close(ticket, MONDAY)
    assert isinstance(closed, Ticket)
    assert close(closed, MONDAY) == answer(closed, MONDAY, "x") == "closed"
    assert reopen(closed, MONDAY - timedelta(days=1)) == "order"
    again = reopen(closed, MONDAY + timedelta(days=2))
    assert again == Ticket("high", MONDAY, None, None, 1)
    assert standing(again, CALENDAR, MONDAY).state == "open"


def test_silence_does_not_make_a_supplier_quick() -> None:
    quick = [(Ticket("high", MONDAY, after(1)), CALENDAR)] * 4
    assert service(quick, after(30)).in_time is None, "four tickets say nothing"
    silent = [(Ticket("high", MONDAY), CALENDAR)] * 6
    told = service([*quick, *silent], after(30))
    assert (told.tickets, told.days) == (10, 30)
    assert told.in_time == pytest.approx(0.4)
    assert service([*quick, *silent], after(1)).in_time is None, "not late yet: nobody knows"
    mine = [(Ticket("high", MONDAY, closed=after(1)), CALENDAR)] * 6
    assert service([*quick, *mine], after(30)).tickets == 10
    assert service([*quick, *mine], after(30)).in_time is None, "closed without an answer says nothing"


def system(**more: object) -> System:
    usual: dict[str, object] = {
        "solution": "mes-1",
        "family": "mes",
        "kept": frozenset(KEEPS),
        "proved": frozenset({"store", "export"}),
        "escrow": "verified",
        "second": frozenset({"s2"}),
        "interfaces": frozenset({"xgt", "opcua"}),
    }
    return System(**{**usual, **more})  # type: ignore[arg-type]


def test_what_stays_was_shown_or_promised_or_is_missing() -> None:
    found = stays(system(kept=frozenset({"store", "tags"})))
    assert (found.proved, found.promised, found.missing) == (("store", "export"), ("tags",), ("interface",))
    assert set(STAYS) == set(KEEPS)


def test_all_who_can_go_on_and_nobody_else_in_order_of_continuity() -> None:
    rng = np.random.default_rng(1)
    steps: set[str] = set()
    for at in range(200):
        others = [
            Possible(
                supplier=f"s{one}",
                active=bool(rng.random() < 0.8),
                families=frozenset({"mes"} if rng.random() < 0.7 else {"energy"}),
                interfaces=frozenset(str(name) for name in rng.choice(["xgt", "opcua", "modbus"], 2)),
                places=int(rng.integers(0, 3)),
                excluded=bool(rng.random() < 0.1),
                conflict=bool(rng.random() < 0.1),
            )
            for one in range(8)
        ]
        escrow = ("none", "deposited", "verified")[at % 3]
        mine = system(escrow=escrow, proved=frozenset(), kept=frozenset(KEEPS[: at % 5]))
        found = candidates(mine, others, factory="f", gone="s0", seed="s")
        assert found == candidates(mine, others[::-1], factory="f", gone="s0", seed="s")
        able = {
            one.supplier
            for one in others
            if one.active and not one.excluded and not one.conflict and one.places > 0 and one.supplier != "s0"
            if one.supplier == "s2" or "mes" in one.families
        }
        assert {one.supplier for one in found} == able
        order = [STEPS.index(one.step) for one in found]
        assert order == sorted(order)
        steps |= {one.step for one in found}
        by = {one.supplier: one for one in others}
        for one in found:
            open_ = {"tags", "interface"} <= mine.kept and bool(by[one.supplier].interfaces & mine.interfaces)
            assert (one.step == "trained") == (one.supplier == "s2")
            assert one.step != "rebuilds" or escrow == "verified"
            assert one.step != "reads" or open_
            assert one.unread == mine.interfaces - by[one.supplier].interfaces
            if one.step == "replaces":
                assert escrow != "verified"
                assert not open_
    assert steps == set(STEPS)


def test_a_deposit_is_free_when_the_supplier_is_gone_and_not_when_it_is_unwanted() -> None:
    told = {}
    for level, contracted, why, days in product(
        ("none", "deposited", "verified"),
        (True, False),
        ("closed", "out_of_reach", "agreed", "unwanted"),
        (0, 10, 11),
    ):
        told[level, contracted, why, days] = release(
            level,  # type: ignore[arg-type]
            contracted=contracted,
            why=why,  # type: ignore[arg-type]
            since=MONDAY,
            today=after(days),
            calendar=CALENDAR,
        )
    free = {key for key, one in told.items() if one.free}
    levels = ("deposited", "verified")
    assert free == {
        *product(levels, (True,), ("closed", "agreed"), (0, 10, 11)),
        *product(levels, (True,), ("out_of_reach",), (11,)),
    }
    waiting = told["deposited", True, "out_of_reach", 10]
    assert waiting == Release(free=False, held="waiting", until=after(RELEASE_DAYS))
    assert told["none", True, "closed", 0].held == "no_deposit"
    assert told["verified", False, "closed", 0].held == "not_contracted"
    assert told["verified", True, "unwanted", 11].held == "supplier_there"


def test_what_is_unpaid_is_there_for_the_successor() -> None:
    assert unpaid(100, [40]) == 60
    assert unpaid(100, [40, 60]) == 0
    with pytest.raises(ValueError, match="5 won more"):
        unpaid(100, [40, 65])
