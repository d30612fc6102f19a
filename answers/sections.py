"""The sections of the mentor's answers: one model for each kind of entry.

Everything but ids is optional: what is not answered is not there, and is never taken for a no. Each entry may
name another author and date than the file's, and where the proof of it lies.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import Field, FiniteFloat, model_validator

from answers.words import (
    Account,
    Answer,
    Day,
    Label,
    LabelKey,
    Metric,
    Moment,
    Month,
    Number,
    Pattern,
    QuarterHour,
    Sentence,
    Signal,
    SignalRole,
    SystemKind,
)
from readiness.indicators import REGISTRY
from readiness.plant import Kind, State
from settings.base import Duration, Flag, Id, Model, Name, Range, SignalName, Word
from settings.language import Complaint
from settings.schedule import Country, EndOfSpan, Planned, TimeOfDay

PERSONS = frozenset({
    "user", "users", "username", "user_name", "user_id", "userid", "login", "login_id", "employee", "employee_id",
    "person", "operator_id", "operator_name", "worker", "worker_id", "worker_name", "staff", "staff_id", "badge",
    "email", "phone", "ip",
    "사번", "이름", "성명", "사용자", "사용자명", "작업자", "작업자명", "아이디", "담당자",
    "직원", "이메일", "전화번호",
})  # fmt: skip
"""Keys and columns that would hold who it was."""
_PERSON = re.compile(
    r"(사용자|작업자|접속자|담당자|조작자|운전자|근무자|직원|사원|로그인|계정|user|worker|operator|employee|staff|login)"
    r"(의)?(명|이름|성명|아이디|번호|코드|사번|name|id|no|number)"
    r"|.*(성명|성함|사번|주민번호|이메일|휴대폰|핸드폰|전화번호|e?mail)"
    r"|접속자|조작자|운전자|근무자|사원"
)
"""Headings of such columns in exports, without blanks and signs; how many there were (사용자수) is nobody."""


def refuse_persons(names: Any) -> None:
    """Refuse what would say who it was.

    Raises:
        Complaint: one of the names of fields or columns is that of a person's.
    """
    for name in names if isinstance(names, dict | list | tuple) else ():
        if not isinstance(name, str):
            continue
        key = name.strip().casefold().replace(" ", "_").replace("-", "_")
        if key in PERSONS or _PERSON.fullmatch(re.sub(r"[\W_]", "", key)):
            raise Complaint(
                f"{name} would say who it was: leave it out, answers hold no persons",
                f"개인을 알 수 있는 항목은 쓸 수 없습니다({name}). 지우십시오",
            )


class Entry(Model):
    """Who says it, and when: by default who signs the whole."""

    by: Name | None = Field(None, description="who says it, when not the author")
    on: Day | None = Field(None, description="when, when not the date above")
    proof: Name | None = Field(None, description="where it can be looked up: a document, a photo, a visit")


class MachineAnswer(Entry):
    """What is said of a machine."""

    id: Id = Field(description="of the configuration; with a `name` also a machine that is not in it")
    name: Name | None = Field(None, description="adds a machine that the configuration does not have")
    weight: Annotated[FiniteFloat, Field(gt=0, le=1000)] | None = Field(
        None, description="its share in the plant's values"
    )
    path: Name | None = Field(None, description="ISA-95 equipment path")
    kind: Kind | None = Field(None, description="how it makes things; a `utility` (meter, compressor) makes none")
    retrofit: Literal["none", "tap", "gateway"] | None = Field(
        None,
        description="what was added so that it can be read: a wire to its signals, or a box beside it",
    )
    isolated: Answer | None = Field(
        None, description="its cell is proven to be cut off from other networks; name the proof"
    )
    elsewhere: Answer | None = Field(None, description="another system collects its data, unseen by us")
    single_product: Answer | None = Field(None, description="it makes one product only")
    has_schedule: Answer | None = Field(None, description="a usable schedule and ideal cycle times exist at all")
    has_alarms: Answer | None = Field(None, description="it has alarms at all")
    ids_elsewhere: Answer | None = Field(None, description="lot or serial numbers are kept in another system only")
    model_acts: Answer | None = Field(None, description="a model or optimiser writes set points, seen on site")
    previous: Id | None = Field(None, description="machine of the process step before")

    @model_validator(mode="after")
    def _isolation_is_proven(self) -> Self:
        if self.isolated == "yes" and self.proof is None:
            raise Complaint(
                "isolated: yes needs a proof: write where it can be looked up, such as the network drawing",
                "isolated: yes에는 proof가 필요합니다. 네트워크 구성도 등 확인할 수 있는 자료를 쓰십시오",
            )
        return self

    @model_validator(mode="after")
    def _not_its_own_step_before(self) -> Self:
        if self.previous == self.id:
            raise Complaint(
                "previous is another machine than itself", "previous에는 자기 자신이 아닌 앞 공정 설비를 쓰십시오"
            )
        return self


OF_ROLE = {
    "states": ("state",),
    "automatic": ("mode",),
    "reasons": ("reason", "alarm"),
    "specific": ("alarm",),
    "action": ("alarm",),
    "advice": ("alarm",),
    "planned": ("intervention",),
    "modulus": ("count_total", "count_good", "count_reject", "cycle", "energy"),
    "resets": ("count_total", "count_good", "count_reject", "cycle", "energy"),
    "resets_with": ("count_total", "count_good", "count_reject", "cycle", "energy"),
    "factor": ("count_total", "count_good", "count_reject", "cycle", "energy"),
    "meter": ("energy",),
    "pattern": ("lot",),
}
"""Answers that mean something for signals of certain roles only."""


class SignalAnswer(Entry):
    """What a signal means."""

    id: Signal = Field(description="the signal, `press-1/state`, or an alarm that a server reports")
    role: SignalRole | None = Field(None, description="what it means for the machine; `none` takes a guess away")
    states: dict[LabelKey, State] = Field({}, description="of a state: what each value means; others mean nothing")
    automatic: tuple[Label, ...] = Field((), description="of a mode: values that mean automatic")
    reasons: dict[LabelKey, Sentence] = Field(
        {}, description='of a stop reason: what each value says; `""` for one that says nothing, like "other"'
    )
    specific: Flag | None = Field(None, description="of an alarm: it names a reason for a stop")
    action: Flag | None = Field(None, description="of an alarm: somebody has to act on it")
    advice: Flag | None = Field(None, description="of an alarm: it is advice of a system, no fault")
    planned: Flag | None = Field(None, description="of an intervention: it belongs to every cycle or batch")
    modulus: Annotated[int, Field(ge=2, le=2**64)] | None = Field(
        None, description="of a counter: it goes on from 0 after this minus 1, `65536`"
    )
    resets: tuple[TimeOfDay, ...] = Field((), description="of a counter: local times at which it is set back")
    resets_with: Id | None = Field(
        None, description="of a counter: signal of its machine whose changes set it back, its lot or order"
    )
    factor: Annotated[FiniteFloat, Field(gt=0, le=1e9)] | None = Field(
        None,
        description="of a counter: pieces per count; of an energy meter: kWh per count, needed if its unit is no "
        "energy",
    )
    meter: Literal["main", "machine"] | None = Field(None, description="of an energy meter: whose it is")
    pattern: Pattern | None = Field(None, description="of a lot number: what every valid one looks like")
    limits: Range | None = Field(None, description="what is physically possible")
    usual: Range | None = Field(None, description="what is likely in normal operation")
    critical: Flag | None = Field(None, description="one of the parameters that must be known for each lot")
    used: Flag | None = Field(None, description="whether anybody uses it")

    @model_validator(mode="after")
    def _of_its_role(self) -> Self:
        for name in sorted(self.model_fields_set & OF_ROLE.keys()):
            if self.role is not None and self.role not in OF_ROLE[name]:
                roles = ", ".join(OF_ROLE[name])
                raise Complaint(
                    f"{name} belongs to role {roles}, not to {self.role}",
                    f"{name}은(는) role이 {roles}일 때만 쓸 수 있습니다(지금: {self.role})",
                )
        return self


class LoopAnswer(Entry):
    """A control loop; signals are those of its machine, by id."""

    machine: Id = Field(description="its machine")
    name: Id = Field(description="name of the loop, unique on its machine")
    sp: Id = Field(description="signal of the set point")
    pv: Id = Field(description="signal of the measured value")
    op: Id | None = Field(None, description="signal of the output")
    mode: Id | None = Field(None, description="signal of its mode")
    band: Annotated[FiniteFloat, Field(gt=0)] | None = Field(
        None, description="distance of set point and measured value that is good enough, in their unit"
    )
    tau: Annotated[Duration, Field(gt=0)] | None = Field(
        None, description="time constant: a set point should be reached after three of them"
    )
    by_system: Answer = Field("unknown", description="a system, not a person, writes the set point")


class ProductAnswer(Entry):
    """A product."""

    id: Label = Field(description="the value that the product signal shows")
    name: Name | None = Field(None, description="as people call it")
    ideal: dict[Id, Annotated[Duration, Field(gt=0)]] = Field(
        {}, description="ideal cycle time per piece (PRI of ISO 22400-2) by machine, `{press-1: 12.5s}`"
    )
    per_count: dict[Signal, Annotated[FiniteFloat, Field(gt=0, le=1e9)]] = Field(
        {},
        description="pieces per count of a counter or cycle signal while this product is made (cavities of its "
        "mould), `{press-1/total: 4}`; goes before the signal's factor",
    )


class Shift(Entry):
    """A shift on one date, beyond the week's plan."""

    date: Day = Field(description="date on which it begins")
    from_: TimeOfDay = Field(alias="from", description="local time of the start, `08:00`")
    to: EndOfSpan = Field(description="local time of the end; not after `from` means the next day")


class CalendarAnswer(Entry):
    """Planned time beyond the configuration's. A weekday that is planned here replaces the configuration's."""

    planned: tuple[Planned, ...] = Field((), description="planned busy time of the week")
    country: Country | None = Field(None, description="public holidays of this country are days off, `KR`")
    off: tuple[Day, ...] = Field((), description="further days off")
    work: tuple[Day, ...] = Field((), description="holidays on which the site works as on any such weekday")
    extra: tuple[Shift, ...] = Field((), description="shifts on single dates, holidays or not")


class _Between(Entry):
    from_: Moment = Field(alias="from", description="local begin, `2026-11-03 08:00`")
    to: Moment = Field(description="local end")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if not self.from_ < self.to:
            raise Complaint("write an end that is later than the begin", "끝을 시작보다 늦게 쓰십시오")
        return self


class HandCountAnswer(_Between):
    """Pieces that people have counted."""

    machine: Id = Field(description="where")
    from_: QuarterHour = Field(alias="from", description="local begin on a quarter hour, `2026-11-03 08:00`")
    to: QuarterHour = Field(description="local end on a quarter hour")
    total: Number | None = Field(None, description="all pieces")
    good: Number | None = Field(None, description="good ones")
    reject: Number | None = Field(None, description="rejects")

    @model_validator(mode="after")
    def _adds_up(self) -> Self:
        if self.total is None and self.good is None and self.reject is None:
            raise Complaint("write total, good or reject", "total, good, reject 중 하나 이상을 쓰십시오")
        if self.total is not None:
            known = (self.good or 0) + (self.reject or 0)
            whole = self.good is not None and self.reject is not None
            if known > self.total or (whole and known != self.total):
                raise Complaint(
                    f"good and reject come to {known}, total is {self.total}: count again, or leave one out",
                    f"good과 reject의 합이 {known}인데 total은 {self.total}입니다. 다시 확인하거나 하나를 빼십시오",
                )
        return self


class StopReasonAnswer(_Between):
    """A reason that was entered for a stop."""

    machine: Id = Field(description="where")
    reason: Word = Field(description="what it was")
    entered: Moment = Field(description="local time at which it was entered")

    @model_validator(mode="before")
    @classmethod
    def _nobody(cls, value: Any) -> Any:
        refuse_persons(value)
        return value

    @model_validator(mode="after")
    def _after_it_began(self) -> Self:
        if self.entered < self.from_:
            raise Complaint("entered lies before the stop began", "entered(입력 시각)가 정지 시작보다 빠릅니다")
        return self


class SystemAnswer(Entry):
    """A system that is installed, and the list of its points."""

    id: Id = Field(description="unique; use logs name it")
    name: Name | None = Field(None, description="as people call it")
    kind: SystemKind = Field("other", description="what it is")
    live: Day | None = Field(None, description="date on which it went live")
    points: dict[Word, SignalName | None] = Field(
        {}, description="its points: the signal that is the same, `PRESS1.RUN: press-1/state`, or nothing for a "
        "point that the agent does not read",
    )  # fmt: skip
    points_file: Word | None = Field(
        None, description="more of them in a CSV beside this file, columns `point` and `signal`"
    )


class UseAnswer(Entry):
    """How a system was used on one production day by one class of accounts; never by whom."""

    day: Day = Field(description="production day")
    system: Id = Field(description="id of the installed system")
    account: Account = Field(description="class of accounts; kiosk, service and supplier are no use by people")
    reads: Number = Field(0, description="pages or reports opened")
    acks: Number = Field(0, description="alarms or advice acknowledged")
    sessions: Number = Field(0, description="times that somebody began")

    @model_validator(mode="before")
    @classmethod
    def _nobody(cls, value: Any) -> Any:
        refuse_persons(value)
        return value


class BillAnswer(Entry):
    """Energy by the supplier's bill."""

    month: Month = Field(description="month, `2026-10`")
    kwh: Annotated[FiniteFloat, Field(gt=0)] = Field(description="kilowatt-hours of the whole month")


class ClaimAnswer(Entry):
    """A number that somebody gives for an indicator: shown beside the measured one, never instead of it."""

    metric: Metric = Field(description="indicator, `V03`")
    value: FiniteFloat = Field(description="in the indicator's unit; shares as 0 to 1")
    machine: Id | None = Field(None, description="of which machine; of the plant when absent")

    @model_validator(mode="after")
    def _of_an_indicator(self) -> Self:
        if self.metric not in REGISTRY:
            raise Complaint(
                f"there is no indicator {self.metric}: docs/indicators.md lists them",
                f"없는 지표입니다({self.metric}). docs/indicators.ko.md에서 확인하십시오",
            )
        if REGISTRY[self.metric].unit == "1" and not 0 <= self.value <= 1:
            raise Complaint(
                f"{self.metric} is a share: write 0.85 for 85 %, not {self.value:g}",
                f"{self.metric}은(는) 비율입니다. 85 %는 0.85로 쓰십시오(지금: {self.value:g})",
            )
        return self


class OnboardingAnswer(Entry):
    """A machine that was added with a protocol."""

    machine: Id = Field(description="which")
    first_contact: Moment = Field(description="local time at which somebody first connected to it")
    confirmed: Moment = Field(description="local time at which all its roles were confirmed")

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if not self.first_contact < self.confirmed:
            raise Complaint(
                "write a confirmed that is later than first_contact", "confirmed를 first_contact보다 늦게 쓰십시오"
            )
        return self


class Signature(Model):
    """Who stands for the inventory: that no machine is missing in it."""

    signed_by: Name = Field(description="who, with his function")
    on: Day = Field(description="when")
