"""A project over its whole life: which event moves it, by whom, and why not.

    offered --choose--> chosen --sign--> contracted --begin--> installing --deliver--> commissioning
    commissioning --accept--> measuring --tell--> verdict --settle--> watching --finish--> ended
                  (no plan)-> watching            verdict --extend--> measuring
    offered --decline, expire--> ended            chosen --refuse, lapse--> ended
    whatever is signed and not over --part--> the same state, without its supplier: gone, or unwanted by the owner
    without its supplier --take_over--> taken_over; the successor goes on with `resumed`
    from everything that is not over the owner may --end-->

`part` and `end` by the owner have no conditions: a solution is changed without penalty, at any time. What waits for
the supplier (begin, deliver) is refused while there is none; verdicts are told all the same, because days go on.
A refused event moves nothing and says everything that is lacking, not the first thing only.

The registry has fewer words (`STORED`): an offer is a row of its own, and steps inside a signed contract follow
from its dates.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Literal, get_args

from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from techsquare.mentoring.calendar import Calendar

State = Literal[
    "offered", "chosen", "contracted", "installing", "commissioning", "measuring", "verdict", "watching", "ended",
    "taken_over",
]  # fmt: skip
Event = Literal[
    "choose", "decline", "expire", "refuse", "lapse", "sign", "begin", "deliver", "accept", "tell", "extend",
    "settle", "alarm", "finish", "part", "take_over", "end",
]  # fmt: skip
Actor = Literal["owner", "mentor", "supplier", "operator", "service"]
Refusal = Literal[
    "state",  # it does not come now
    "actor",  # somebody else says this
    "order",  # the day lies before the last event
    "supplier_gone",  # nobody is there who could do it
    "not_gone",  # its supplier is there
    "conditions",  # continuity conditions are open
    "plan",  # neither a frozen plan, nor the owner's word that he wants none
    "baseline",  # its days are not over, or not signed
    "exit",  # the data stays nowhere but with the supplier: the exit test has not passed
    "early",  # its day has not come
    "decided",  # there is nothing to extend
    "open_objection",  # it has to be decided first
    "successor",  # nobody has agreed to take over
    "kind",  # a part must say whether the supplier is gone or unwanted
]
STATES: tuple[State, ...] = get_args(State)
EVENTS: tuple[Event, ...] = get_args(Event)
OVER: frozenset[State] = frozenset({"ended", "taken_over"})
SIGNED: frozenset[State] = frozenset(
    {"contracted", "installing", "commissioning", "measuring", "verdict", "watching"}
)
MOVES: Mapping[tuple[State, Event], State] = {
    ("offered", "choose"): "chosen",
    ("offered", "decline"): "ended",
    ("offered", "expire"): "ended",
    ("chosen", "refuse"): "ended",
    ("chosen", "lapse"): "ended",
    ("chosen", "sign"): "contracted",
    ("contracted", "begin"): "installing",
    ("installing", "deliver"): "commissioning",
    ("commissioning", "accept"): "measuring",
    ("measuring", "tell"): "verdict",
    ("verdict", "extend"): "measuring",
    ("verdict", "settle"): "watching",
    ("watching", "alarm"): "watching",
    ("watching", "finish"): "ended",
    **{(state, "part"): state for state in SIGNED},
    **{(state, "take_over"): "taken_over" for state in SIGNED},
    **{(state, "end"): "ended" for state in STATES if state not in OVER},
}
WHO: Mapping[Event, frozenset[Actor]] = {
    "choose": frozenset({"owner", "mentor"}),
    "decline": frozenset({"owner", "mentor"}),
    "expire": frozenset({"service"}),
    "refuse": frozenset({"supplier"}),
    "lapse": frozenset({"service"}),
    "sign": frozenset({"owner"}),
    "begin": frozenset({"owner", "mentor", "supplier"}),
    "deliver": frozenset({"supplier"}),
    "accept": frozenset({"owner"}),
    "tell": frozenset({"service"}),
    "extend": frozenset({"service"}),
    "settle": frozenset({"service"}),
    "alarm": frozenset({"service"}),
    "finish": frozenset({"owner", "service"}),
    "part": frozenset({"owner", "operator"}),
    "take_over": frozenset({"owner"}),
    "end": frozenset({"owner"}),
}
"""Who may say it. `sign` is the owner's, after the supplier's signature; the operator parts only who is gone. A
mentor says for the owner what binds nobody to anything."""
BY_SUPPLIER: frozenset[Event] = frozenset({"sign", "begin", "deliver"})
"""What cannot be done without a supplier. Functions of what was delivered can be accepted all the same."""
DECIDED = frozenset({"improved", "worse", "no_change"})
ANSWER_DAYS = 5
"""Working days that a chosen supplier has to accept; then the next one is asked."""
OFFER_DAYS = 90
WATCH_DAYS = 365
"""Days after a settled verdict in which a gain is watched."""
STORED: Mapping[State, Literal["agreed", "signed", "installed", "accepted", "decided", "ended"] | None] = {
    "offered": None,  # a row of `offer`
    "chosen": "agreed",
    "contracted": "signed",
    "installing": "signed",
    "commissioning": "installed",
    "measuring": "accepted",
    "verdict": "decided",
    "watching": "decided",
    "ended": "ended",
    "taken_over": None,  # the row is the successor's from then on; `takeover` tells whose it was
}
"""State -> `registry.projects.EngagementState`. An extension goes back to "accepted"."""

WORDS: Mapping[Refusal, Text] = {
    "state": Text("This step does not come now.", "지금은 이 단계를 처리할 수 없습니다."),
    "actor": Text("Somebody else has to say this.", "이 단계를 처리할 권한이 없습니다."),
    "order": Text("The day lies before the last step.", "마지막 단계보다 앞선 날짜입니다."),
    "supplier_gone": Text("There is no supplier who could do it.", "이 단계를 맡을 공급기업이 없습니다."),
    "not_gone": Text("Its supplier is still there.", "공급기업이 아직 사업을 맡고 있습니다."),
    "conditions": Text("Conditions for the day the supplier is gone are open.", "사업 지속 조건이 남아 있습니다."),
    "plan": Text(
        "Freeze a measurement plan, or record that the owner wants none.",
        "효과 측정 계획을 확정하거나, 측정하지 않겠다는 대표의 뜻을 기록하십시오.",
    ),
    "baseline": Text("The baseline is not complete and signed.", "도입 전 기준값이 아직 확정되지 않았습니다."),
    "exit": Text("The exit drill has not passed.", "데이터 반출 점검을 통과하지 못했습니다."),
    "early": Text("Its day has not come.", "아직 정해진 날이 되지 않았습니다."),
    "decided": Text("The verdict has decided: there is no extension.", "이미 판정되어 연장하지 않습니다."),
    "open_objection": Text("An objection has to be decided first.", "이의 신청을 먼저 처리해야 합니다."),
    "successor": Text("No successor has agreed.", "승계에 동의한 공급기업이 없습니다."),
    "kind": Text(
        "Say whether the supplier is gone or unwanted.", "공급기업의 폐업인지 대표의 교체 요청인지 고르십시오."
    ),
}
"""Why not, for the people whom it concerns."""


@dataclass(frozen=True, slots=True)
class Life:
    """Where it stands. `since`: of the state. `parted`: it has no supplier now. `look`: of the last verdict."""

    state: State
    since: date
    last: date
    parted: Literal["gone", "unwanted"] | None = None
    look: Literal[0, 1, 2] = 0
    alarms: int = 0


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known on the day of an event; the defaults are the worst.

    Attributes:
        conditions: Continuity conditions that are open (`matching.continuity.open_conditions`).
        plan: Frozen, or the owner has said that he wants none; None while neither.
        baseline: Its days are over, and it is signed.
        exit: The exit test has passed with the new system.
        verdict_on: The day of the next look.
        word: What the last look said.
        objections: Open ones, and whether the time for them is over.
        objecting_over: No objection can come any more.
        successor: Somebody has agreed to take over.
        parting: Of a `part`: why.
        closed: The supplier has: nobody waits for its answer.
    """

    conditions: frozenset[str] = frozenset({"unknown"})
    plan: Literal["frozen", "none"] | None = None
    baseline: bool = False
    exit: bool = False
    verdict_on: date | None = None
    word: str | None = None
    objections: int = 0
    objecting_over: bool = False
    successor: bool = False
    parting: Literal["gone", "unwanted"] | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Moved:
    """Where a project stands after an event; the same as before where it was refused, with everything lacking."""

    life: Life
    refused: Sequence[Refusal] = ()


def offered(on: date) -> Life:
    """Return a project that begins as an offer."""
    return Life("offered", on, on)


def resumed(before: Life, on: date) -> Life:
    """Return the successor's project: from where the work stood, but never as if it had been measured.

    What was accepted is measured on; what was not delivered is contracted anew.

    Raises:
        ValueError: the former one was not taken over, or nothing is left to resume.
    """
    if before.state not in SIGNED or before.parted is None:
        raise ValueError("a successor goes on with a signed project that has no supplier")
    back: dict[State, State] = {"installing": "contracted"}
    return replace(before, state=back.get(before.state, before.state), since=on, last=on, parted=None)


def move(life: Life, event: Event, by: Actor, on: date, facts: Facts, calendar: Calendar) -> Moved:
    """Return where a project stands after an event.

    Args:
        life: Where it stands.
        event: What has happened, or what somebody wants.
        by: Who says so.
        on: On which day.
        facts: What is known on it.
        calendar: The factory's, for days in which a supplier has to answer.
    """
    why = refusals(life, event, by, on, facts, calendar)
    if why:
        return Moved(life, why)
    state = MOVES[life.state, event]
    if event == "accept" and facts.plan == "none":
        state = "watching"
    since = life.since if state == life.state else on
    now = replace(life, state=state, since=since, last=on)
    if event == "part":
        now = replace(now, parted=facts.parting)
    if event == "tell":
        now = replace(now, look=2 if life.look else 1)
    if event == "alarm":
        now = replace(now, alarms=life.alarms + 1)
    return Moved(now)


def refusals(life: Life, event: Event, by: Actor, on: date, facts: Facts, calendar: Calendar) -> Sequence[Refusal]:
    """Return everything that stands against an event, in one order; nothing when it may happen."""
    if (life.state, event) not in MOVES:
        return ("state",)
    found: list[Refusal] = []
    if by not in WHO[event]:
        found.append("actor")
    if on < life.last:
        found.append("order")
    if life.parted is not None and event in BY_SUPPLIER:
        found.append("supplier_gone")
    found += _lacking(life, event, by, on, facts, calendar)
    return tuple(found)


def possible(
    life: Life, by: Actor, on: date, facts: Facts, calendar: Calendar
) -> Mapping[Event, Sequence[Refusal]]:
    """Return each event that somebody could say in this state, and what stands against it now."""
    here: Iterable[Event] = [event for event in EVENTS if (life.state, event) in MOVES and by in WHO[event]]
    return {event: refusals(life, event, by, on, facts, calendar) for event in here}


def _lacking(  # noqa: C901 - one case an event
    life: Life, event: Event, by: Actor, on: date, facts: Facts, calendar: Calendar
) -> list[Refusal]:
    """Return what an event itself lacks."""
    found: list[Refusal] = []
    match event:
        case "expire":
            found += ["early"] if on < life.since + timedelta(days=OFFER_DAYS) else []
        case "lapse":
            waits = not facts.closed and on <= calendar.after(life.since, ANSWER_DAYS)
            found += ["early"] if waits else []
        case "sign":
            found += ["conditions"] if facts.conditions else []
            found += ["plan"] if facts.plan is None else []
        case "begin":
            found += ["baseline"] if facts.plan != "none" and not facts.baseline else []
        case "accept":
            found += ["exit"] if not facts.exit else []
            found += ["plan"] if facts.plan is None else []
        case "tell":
            found += ["early"] if facts.verdict_on is None or on < facts.verdict_on else []
        case "extend":
            found += ["decided"] if facts.word in DECIDED or life.look > 1 else []
            found += ["open_objection"] if facts.objections else []
        case "settle":
            found += ["open_objection"] if facts.objections else []
            found += ["early"] if not facts.objecting_over else []
        case "finish":
            found += ["early"] if on < life.since + timedelta(days=WATCH_DAYS) else []
        case "part":
            found += ["kind"] if facts.parting is None else []
            found += ["actor"] if by == "operator" and facts.parting == "unwanted" else []
            found += ["supplier_gone"] if life.parted is not None else []
        case "take_over":
            found += ["not_gone"] if life.parted is None else []
            found += ["successor"] if not facts.successor else []
        case _:
            pass
    return found
