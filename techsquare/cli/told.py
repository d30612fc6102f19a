"""A roadmap as an owner reads it, in Korean or English: phases, what is bought, who pays, the account, why not.

Pure. It is told from what is stored (`services.plain` of `roadmap.terms.Roadmap`), so that a stored plan and one
that was just made read alike. Won are written whole; a plan's numbers are the middle of what is known, and the ends
are told beside them.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from settings.language import Text
from techsquare.glossary.diagnosis import BUCKET

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from settings.language import Language

_MONTH_DAYS = 365 / 12
_FROM = (0, 3, 12)
_TO = (3, 12, 36)
_WHY = {
    "measures": Text("if one more could be done in {phase}", "{phase}에 과제를 하나 더 할 수 있으면 들어갑니다"),
    "staff_days": Text("with {days} more days of own people in {phase}",
                       "{phase}에 자체 인력이 {days}일 더 있으면 들어갑니다"),
    "cash": Text("with {won} more of own money in {phase}", "{phase}에 자부담을 {won} 더 낼 수 있으면 들어갑니다"),
    "support": Text("with {won} more of support money in {phase}", "{phase}에 지원금이 {won} 더 있으면 들어갑니다"),
    "cap": Text("if {subject} gave {won} more", "지원사업({subject})의 한도가 {won} 높으면 들어갑니다"),
    "price": Text("if it cost {won} less", "가격이 {won} 낮으면 들어갑니다"),
    "needs": Text("if it could do without: {subject}", "다음 과제 없이도 할 수 있으면 들어갑니다: {subject}"),
    "gain": Text("if it saved {won} a year more", "한 해 {won} 더 절감되면 들어갑니다"),
    "excluded": Text("if you did not rule it out", "제외를 풀면 들어갑니다"),
    "beside": Text("if this were not ruled out, or not in its way: {subject}",
                   "다음 과제의 제외를 풀거나 함께 둘 수 있으면 들어갑니다: {subject}"),
}  # fmt: skip


class Teller:
    """Tells one plan.

    Args:
        titles: Kind of measure, or its whole id -> its name in both languages.
        begins: First day of the first phase.
        language: To tell it in.
    """

    def __init__(self, titles: Mapping[str, Mapping[str, str]], begins: date, language: Language) -> None:
        self._titles, self._begins, self._language = titles, begins, language

    def lines(self, plan: Mapping[str, Any], not_now: Sequence[Mapping[str, Any]], *, reasons: bool) -> list[str]:
        """Return the plan, a line each.

        Args:
            plan: `services.plain.plain` of a roadmap.
            not_now: Measures that are not in it, each with its `relaxation`.
            reasons: Whether anybody has looked for relaxations.
        """
        return [
            *self._head(plan), "", *self._phases(plan["chosen"]), "", *self._account(plan), "",
            *self._others(not_now, reasons=reasons),
        ]  # fmt: skip

    def _say(self, en: str, ko: str) -> str:
        return ko if self._language == "ko" else en

    def _won(self, amount: float) -> str:
        return self._say(f"{amount:,.0f} won", f"{amount:,.0f}원")

    def _month(self, month: float) -> str:
        return (self._begins + timedelta(days=round(month * _MONTH_DAYS))).strftime("%Y-%m")

    def _name(self, measure: str) -> str:
        kind, _, machine = measure.partition("@")
        title = self._titles.get(measure) or self._titles.get(kind) or {}
        name = title.get(self._language) or kind
        return f"{name} ({machine})" if machine else name

    def _place(self, place: Sequence[str]) -> str:
        machine, bucket = place
        return f"{machine} {BUCKET[bucket](self._language) if bucket in BUCKET else bucket}"

    def _phase(self, phase: int) -> str:
        return self._say(f"phase {phase + 1}", f"{phase + 1}단계")

    def _head(self, plan: Mapping[str, Any]) -> Iterator[str]:
        day = self._begins.isoformat()
        yield self._say(f"Roadmap of three years from {day}", f"로드맵 ({day}부터 3년)")
        if not plan["chosen"]:
            yield self._say("We advise to buy nothing now.", "지금은 아무것도 사지 않으시는 것이 좋습니다.")
            return
        value, gain, support, cost, running = (
            self._won(plan[k]) for k in ("value", "gain", "support", "cost", "running")
        )
        yield self._say(
            f"Worth {value} = {gain} saved + {support} of support - {cost} of cost - {running} to keep it running",
            f"남는 돈 {value} = 절감 {gain} + 지원금 {support} - 비용 {cost} - 유지비 {running}",
        )
        low, high = self._won(plan["worth"]["low"]), self._won(plan["worth"]["high"])
        yield self._say(
            f"The best plan is worth {low} where losses and gains are low, {high} where they are high.",
            f"손실과 효과를 낮게 보면 최선의 계획은 {low}, 높게 보면 {high}입니다.",
        )
        if not plan["proven_optimal"]:
            bound = self._won(plan["bound"])
            yield self._say(
                f"The search was ended early: no plan can be worth more than {bound}.",
                f"탐색을 도중에 마쳤습니다. 어떤 계획도 {bound}을 넘지 않습니다.",
            )

    def _phases(self, chosen: Sequence[Mapping[str, Any]]) -> Iterator[str]:
        for phase in range(3):
            name, ends = self._phase(phase), f"{self._month(_FROM[phase])} ~ {self._month(_TO[phase] - 1)}"
            mine = [one for one in chosen if one["phase"] == phase]
            yield f"{name[0].upper()}{name[1:]} ({ends})" + ("" if mine else self._say(": nothing", ": 없음"))
            for one in mine:
                yield from self._bought(one)

    def _bought(self, one: Mapping[str, Any]) -> Iterator[str]:
        yield f"  - {self._name(one['measure'])}, {self._month(one['month'])}"
        cost, own = self._won(one["cost"]), self._won(one["cost"] - one["support"])
        paid = f"    {self._say('costs', '비용')} {cost}: {self._say('you pay', '자부담')} {own}"
        if one["support"]:
            paid += f", {one['programme']} {self._won(one['support'])}"
        yield paid
        words = []
        if one["payback_months"] is not None:
            low, high = one["payback_months"]["low"], one["payback_months"]["high"]
            ko, en = (f"{high:.0f}개월", f"{high:.0f} months") if high <= _TO[-1] else ("3년 초과", "over 3 years")
            words.append(self._say(f"pays back in {low:.0f} to {en}", f"투자비 회수 {low:.0f}개월~{ko}"))
        if one["quick"]:
            words.append(self._say("a quick win", "빠른 효과"))
        if one["solid"]:
            words.append(
                self._say("solid: whether losses and gains are low or high", "확실함: 손실과 효과가 낮든 높든 포함")
            )
        else:
            rests = ", ".join(self._place(place) for place in one["depends"])
            words.append(self._say(f"depends on the loss of: {rests}", f"다음 손실에 따라 달라짐: {rests}"))
        yield "    " + "; ".join(words)

    def _account(self, plan: Mapping[str, Any]) -> Iterator[str]:
        names = ("own", "bills", "vat", "running", "support", "vat_back", "balance")
        heads = self._say(
            "own, bills, VAT, running, support, VAT back, left",
            "자부담, 청구액, 부가세, 유지비, 지원금, 부가세 환급, 잔액",
        )
        yield self._say("The account by month, won", "월별 자금 흐름(원)") + f": {heads}"
        for rows in _quiet(plan["months"]):
            first, last = self._month(rows[0]["month"]), self._month(rows[-1]["month"])
            sums = [sum(row[name] for row in rows) for name in names[:-1]]
            ends = f"  {first} ~ {last}" if last != first else f"  {first:<17}"
            yield ends + "".join(f"{won:>13,}" for won in (*sums, rows[-1]["balance"]))
        if plan["bridged"]:
            won = self._won(plan["bridged"])
            yield self._say(
                f"For a while {won} are lacking, until VAT and support come.",
                f"부가세 환급과 지원금이 들어올 때까지 최대 {won}이 모자랍니다.",
            )
        if plan["dear"] > 0:
            won = self._won(plan["dear"])
            yield self._say(
                f"If every price is at its upper end, {won} of own money are lacking.",
                f"모든 가격이 상한이면 자부담 예산이 {won} 모자랍니다.",
            )

    def _others(self, not_now: Sequence[Mapping[str, Any]], *, reasons: bool) -> Iterator[str]:
        if not not_now:
            return
        hint = "" if reasons else self._say(" (why: --reasons)", " (이유: --reasons)")
        yield self._say("Not now", "지금은 보류하는 과제") + hint
        for one in not_now:
            name = self._name(one["measure"])
            yield f"  - {name}: {self._why(one)}" if reasons else f"  - {name}"
            places = ", ".join(self._place(place) for place in one.get("unpriced", ()))
            if places:
                yield "    " + self._say(f"loss not known in won: {places}", f"손실 금액을 모름: {places}")

    def _why(self, one: Mapping[str, Any]) -> str:
        told = one["relaxation"]
        if told is None:
            return self._say("no single change brings it in", "한 가지만 바꿔서는 들어오지 않습니다")
        resource, subject = told["resource"], told["subject"]
        if resource == "excluded" and subject is not None:
            resource = "beside"
        whom = subject if resource == "cap" else self._name(subject or "")
        return _WHY[resource](self._language).format(
            phase="" if told["phase"] is None else self._phase(told["phase"]), won=self._won(told["amount"]),
            days=f"{told['amount']:g}", subject=whom,
        )  # fmt: skip


def _quiet(months: Sequence[Mapping[str, Any]]) -> list[list[Mapping[str, Any]]]:
    """Return months in groups: those that follow each other and only keep things running are one."""
    found: list[list[Mapping[str, Any]]] = []
    for row in months:
        quiet = not any(row[name] for name in ("own", "bills", "vat", "support", "vat_back"))
        if quiet and found and found[-1][0]["quiet"]:
            found[-1].append(row)
        else:
            found.append([{**row, "quiet": quiet}])
    return [rows for rows in found if not rows[0]["quiet"] or any(row["running"] for row in rows)]
