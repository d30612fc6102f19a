"""What happens between the programme's months: a project's days, visits, words, and suppliers that are gone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from sqlalchemy import select

from techsquare.matching.continuity import z_score
from techsquare.registry import tables as t
from techsquare.services import offers, people, projects, takeovers, tickets
from techsquare.services.refused import RefusedError
from techsquare.simulation.sink import boxes, project, says, talk

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from sqlalchemy.orm import Session

    from techsquare.mentoring.ticket import Severity
    from techsquare.registry.mentors import VisitKind
    from techsquare.services.rights import Caller
    from techsquare.simulation.sink.play import Play
    from techsquare.simulation.sink.project import Project
    from techsquare.simulation.terms import Plant

AGREES, SIGNS, ACCEPTS, SETTLES = 2, 10, 14, 11
"""Days from the wish to the supplier's yes, and to its contract; from the delivery to the acceptance; and from a
verdict until nobody can object to it any more."""
PAID_DAYS = 14
"""From a milestone to its payment."""
WAITS, LATE = 14, 56
"""After so many days a delivery that cannot be is tried again, and after so many the owner has had enough."""
FINDS, ANSWERS, TAKES_OVER = 14, 4, 12
"""Days from the loss of a supplier until a successor is asked, until it answers, and until the owner hands over."""
MISSED, CHANGES, OBJECTS, UNUSED_SEEN = 0.06, 0.08, 0.35, 25
ENDS = 75
"""Days after a verdict after which its project is over, where nobody watches it any longer."""
LEAST = 0.005
"""Change of a metric that is worth its money: half a point of planned time. Design value."""
WATCHED = 0.5
"""Of projects with a shown gain that are watched until the end of the programme."""
DONE_BY_HAND = 30
"""Days until what gives data is set up."""
FOUND = "설비 상태 신호를 현장에서 확인했고, 대표와 다음 단계를 협의했습니다."
TICKETS: tuple[tuple[Severity, str, str], ...] = (
    ("high", "설비 재가동 후 화면에 수량이 0으로 표시됩니다.", "집계 기준 시각을 고쳤습니다."),
    ("low", "주간 보고서에 품번이 두 번 나옵니다.", "품번 중복을 정리했습니다."),
    ("stopped", "알람이 오지 않아 어제 두 시간을 놓쳤습니다.", "통신 모듈을 교체했습니다."),
)


class Life:
    """Follows what has begun.

    Args:
        play: The programme under way.
    """

    def __init__(self, play: Play) -> None:
        self._play, self._desk = play, play.desk

    def _in(self, days: int, what: Callable[[], Any]) -> None:
        self._play.at(self._desk.clock.day + timedelta(days=days), what)

    def _mentor(self, one: Plant) -> str:
        return self._play.mentor[one.id]

    def met(self, one: Plant) -> None:
        """Begin to look after a factory: words, a first visit, and rarely another mentor after a while."""
        mentor = self._mentor(one)
        text = "배정된 멘토입니다. 방문 날짜를 정하겠습니다."
        first = talk.message(self._desk, one.id, "mentor", mentor, text)
        talk.read(self._desk, "owner", one.id, first)
        answer = talk.message(self._desk, one.id, "owner", one.id, "오전에는 늘 있습니다. 편한 날에 오십시오.")
        if self._play.draw("reads", one.id) < 0.8:
            talk.read(self._desk, "mentor", mentor, answer)
        self.visit(one, "first", self._desk.clock.day + timedelta(days=7))
        if self._play.draw("changes mentor", one.id) < CHANGES:
            self._in(40, lambda: self._play.change_mentor(one))

    def visit(self, one: Plant, kind: VisitKind, on: date) -> None:
        """Plan a visit, and make it on its day."""
        key = talk.visit(self._desk, one.id, self._mentor(one), kind, on)
        if key is None:
            return

        def happen() -> None:
            mentor = self._mentor(one)
            if self._play.draw("missed", key) < MISSED:
                talk.missed(self._desk, mentor, key)
                self.visit(one, kind, self._desk.clock.day + timedelta(days=7))
                return
            if kind == "first":
                says.asked(self._desk, one, mentor, self._play.setting)
            talk.visited(self._desk, one.id, mentor, key, FOUND)

        self._play.at(on, happen)

    def data_items(self, one: Plant) -> None:
        """Let owner and mentor set up what gives data: it needs no offer. The row is that of `items.stands`."""
        desk = self._desk
        gives = {name for name, entry in self._play.entries.items() if not entry.gains}

        def work(session: Session) -> list[str]:
            rows = session.scalars(
                select(t.RoadmapItem)
                .where(t.RoadmapItem.factory_id == one.id, t.RoadmapItem.state.in_(("open", "offered")),
                       t.RoadmapItem.measure_id.in_(gives))
                .order_by(t.RoadmapItem.id)
            ).all()  # fmt: skip
            for row in rows:
                row.state = "done"
            return [row.measure_id for row in rows]

        def happen() -> None:
            for name in desk.write(work):
                cost = self._play.entries[name].cost
                talk.cost(desk, one.id, "measure", int(cost.low + cost.high) // 2)

        self._in(DONE_BY_HAND, happen)

    def declined(self, one: Plant, offer: t.Offer) -> None:
        """Let an owner say no to his first line."""
        self._desk.do("owner", one.id, lambda s, c: offers.answer(s, c, offer.id, "declined", contact=False))
        self._play.counts["declined"] += 1

    def wanted(self, found: Project) -> None:
        """Follow a wish to its contract."""
        text = "견적을 보고 싶습니다. 연락 부탁드립니다."
        talk.message(self._desk, found.plant.id, "owner", found.plant.id, text, found.key)
        self._in(AGREES, lambda: self._take(found))

    def _take(self, found: Project) -> None:
        if found.over or not project.taken(self._desk, found):
            self.end(found)
            return
        text = "현장을 보고 일정을 잡겠습니다."
        said = talk.message(self._desk, found.plant.id, "supplier", found.vendor, text, found.key)
        talk.read(self._desk, "owner", found.plant.id, said)
        self._in(SIGNS - AGREES, lambda: self._papers(found))

    def _papers(self, found: Project) -> None:
        if not self._gone(found):
            project.papers(self._desk, found)
            self._play.at(found.signs, lambda: self._sign(found))

    def _sign(self, found: Project) -> None:
        if self._gone(found):
            return
        self._play.days.until(self._desk.clock.day)
        entry = self._play.entries[found.measure]
        self._play.counts["plans" if project.planned(self._desk, found, entry, LEAST) else "no plan"] += 1
        if not project.say(self._desk, found, "owner", "sign"):
            self.end(found)
            return
        self._play.counts["signed"] += 1
        self._play.at(found.installs, lambda: self._install(found, 0))

    def _install(self, found: Project, late: int) -> None:
        if found.over:
            return
        self._play.days.until(self._desk.clock.day)
        if not project.installed(self._desk, self._play.world, found):
            if late >= LATE:
                self.end(found)
            else:
                self._in(WAITS, lambda: self._install(found, late + WAITS))
            return
        self._play.counts["installed"] += 1
        self._play.used[found.plant.id] = self._desk.clock.day, found.truth.used
        self.visit(found.plant, "installation", self._desk.clock.day + timedelta(days=2))
        self._in(PAID_DAYS - 1, lambda: project.paid(self._desk, found))
        self._in(ACCEPTS, lambda: self._accept(found))
        for number, (severity, text, answer) in enumerate(TICKETS):
            drawn = self._play.draw("ticket", found.key, number)
            if drawn < 0.35:
                self._in(20 + round(200 * drawn), lambda s=severity, x=text, a=answer: self._ticket(found, s, x, a))  # type: ignore[misc]
        if not found.truth.used and found.plant.wired:
            self._in(ACCEPTS + UNUSED_SEEN, lambda: boxes.unused(self._desk, found.plant))

    def _accept(self, found: Project) -> None:
        if found.over or not project.accepted(self._desk, found):
            return
        talk.cost(self._desk, found.plant.id, "measure", found.truth.price)
        self._in(PAID_DAYS, lambda: project.paid(self._desk, found))
        self.visit(found.plant, "follow_up", self._desk.clock.day + timedelta(days=30))
        if not found.plan:
            self._free(found)
            self._in(ENDS, lambda: self.end(found))
            return
        with self._desk.registry.reading() as session:
            row = session.get_one(t.MeasurementPlan, found.plan)
        self._play.at(row.verdict_on, lambda: self._look(found, row.extended_to))

    def _look(self, found: Project, extended: date) -> None:
        if found.over:
            return
        self._play.days.until(self._desk.clock.day)
        project.looked(self._desk, found)
        self._play.counts["verdicts"] += 1
        self._play.counts[found.word] += 1
        if found.word != "improved" and self._play.draw("objects", found.key, found.looks) < OBJECTS:
            self._in(4, lambda: self._object(found))
        undecided = found.word in {"cannot_tell", "cause_not_shown"}
        if undecided and self._desk.clock.day < extended:  # on that day, what was withdrawn has no second look
            self._play.at(extended, lambda: self._look(found, extended))
            return
        talk.cost(self._desk, found.plant.id, "verification", talk.VERIFICATION_WON)
        self.visit(found.plant, "verdict", self._desk.clock.day + timedelta(days=3))
        self._in(SETTLES, lambda: self._settled(found))

    def _settled(self, found: Project) -> None:
        if found.over:
            return
        project.followed(self._desk, found)
        project.second_stage(self._play.world, found, self._desk.clock.day)
        project.paid(self._desk, found)
        self._free(found)
        if found.word != "improved" or self._play.draw("watched", found.key) > WATCHED:
            self._in(ENDS, lambda: self.end(found))

    def _object(self, found: Project) -> None:
        role: Literal["owner", "supplier"] = (
            "supplier" if self._play.draw("who objects", found.key) < 0.6 else "owner"
        )
        texts = {"supplier": "비교 설비의 품목이 기간 중에 바뀌었습니다.", "owner": "설치 뒤 품목이 달라졌습니다."}
        try:
            key = project.objected(
                self._desk, found, role, "controls" if role == "supplier" else "product", texts[role]
            )
        except RefusedError:  # its supplier is gone
            return
        upheld = self._play.draw("upheld", key) < 0.2
        self._in(5, lambda: project.answered(self._desk, found, key, people.HOUSE, upheld=upheld))

    def _ticket(self, found: Project, severity: Severity, text: str, answer: str) -> None:
        if found.over:
            return
        key = project.ticket(self._desk, found, severity, text)
        self._in(1 + round(6 * self._play.draw("answers", key)), lambda: self._answer(found, key, answer))

    def _answer(self, found: Project, key: str, answer: str) -> None:
        if found.vendor in self._play.closed:
            return  # nobody is there
        self._desk.do("supplier", found.vendor, lambda s, c: tickets.answer(s, c, key, answer))
        if self._play.draw("closes", key) < 0.8:
            self._in(4, lambda: self._desk.do("owner", found.plant.id, lambda s, c: tickets.close(s, c, key)))

    def _gone(self, found: Project) -> bool:
        """Return whether a project is over before its contract is signed, and let its owner look again then."""
        if not found.over and project.row(self._desk, found).state == "ended":
            self._over(found)
        return found.over

    def end(self, found: Project) -> None:
        """Let the owner end a project, unless it has ended by itself."""
        if not found.over and project.row(self._desk, found).state != "ended":
            project.say(self._desk, found, "owner", "end")
        self._over(found)

    def _over(self, found: Project) -> None:
        found.over = True
        self._free(found)

    def _free(self, found: Project) -> None:
        """Let a factory look for the next step of its roadmap."""
        if self._play.running.get(found.plant.id) is found:
            del self._play.running[found.plant.id]
            self._play.free[found.plant.id] = self._desk.clock.day

    def weakest(self) -> set[str]:
        """Return, of the suppliers with a project that stands, the one in the worst state; empty without any."""
        standing = {one.vendor for one in self._play.projects if one.standing and not one.over} - self._play.closed
        if not standing or any(one.vendor in self._play.closed and one.standing for one in self._play.projects):
            return set()
        return {min(standing, key=lambda name: (z_score(self._play.vendors[name].accounts) or 0.0, name))}

    def bankrupt(self, supplier: str) -> None:
        """Close a supplier, and let the factories that it leaves alone look for somebody who goes on."""
        self._desk.do("operator", people.HOUSE, lambda s, c: projects.close(s, c, supplier))
        for found in self._play.projects:
            if found.vendor != supplier or self._gone(found):
                continue
            if not project.row(self._desk, found).signed_on:
                self.end(found)
                continue
            self._play.counts["takeovers"] += 1
            self.visit(found.plant, "takeover", self._desk.clock.day + timedelta(days=3))
            self._in(FINDS, lambda f=found: self._successor(f))  # type: ignore[misc]

    def _successor(self, found: Project) -> None:
        """Let the factory ask the best candidate, who looks at the hall and says yes."""
        if found.over:
            return

        def ask(session: Session, caller: Caller) -> tuple[str, str] | None:
            row = session.get_one(t.Engagement, found.key)
            one = takeovers.open_of(session, row.id)
            others = takeovers.candidates(session, row, caller.now)
            if one is None or not others:
                return None
            takeovers.offer(session, caller, one.id, others[0].supplier)
            return one.id, others[0].supplier

        asked = self._desk.do("owner", found.plant.id, ask)
        if asked is not None:
            self._in(ANSWERS, lambda: self._agree(found, *asked))

    def _agree(self, found: Project, key: str, supplier: str) -> None:
        if found.over:
            return
        try:
            self._desk.do("supplier", supplier, lambda s, c: takeovers.agree(s, c, key, None))
        except RefusedError:  # it has closed, or has no place any more: somebody else is asked
            self._in(FINDS, lambda: self._successor(found))
            return
        self._in(TAKES_OVER, lambda: self._hand_over(found, key, supplier))

    def _hand_over(self, found: Project, key: str, supplier: str) -> None:
        if found.over:
            return
        done = list(takeovers.STEPS)[: 3 if self._play.draw("steps", key) < 0.5 else 5]
        self._desk.do("owner", found.plant.id, lambda s, c: takeovers.tick(s, c, key, done))
        if project.say(self._desk, found, "owner", "take_over"):
            found.vendor = supplier
            self._play.counts["taken over"] += 1
            text = "앞선 공급기업의 자료를 받았습니다. 이어서 맡겠습니다."
            talk.message(self._desk, found.plant.id, "supplier", supplier, text, found.key)
