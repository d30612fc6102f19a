"""What people have said of a factory, as formulas look at it: machines, what signals mean, products, hand counts.

Configuration and the mentor's answers are joined into one `Plant` before anything is computed (package `answers`),
and every value says where its meaning comes from. What is not said is None or empty, never a guess: a formula that
needs it returns the code of what is missing. Nothing in here is measured, and nothing measured is ever overwritten
by it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from readiness.catalog import key

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import time

    from readiness.catalog import Link, Tag
    from readiness.inventory import Machine
    from readiness.records import Label

State = Literal["executing", "setup", "standby", "fault", "off"]
"""Exclusive states of a machine; at any other time its state is unknown. OPC 40001-1 MachineryItemState Executing,
NotExecuting (standby, setup), OutOfService (fault), NotAvailable (off); ISO 22400-2 time elements in
`readiness.timemodel`."""
STATES: tuple[State, ...] = ("executing", "setup", "standby", "fault", "off")
Said = Literal["yes", "no", "unknown"]
Kind = Literal["discrete", "batch", "continuous", "utility"]
"""How a machine makes things; a utility (a meter, a compressor, a chiller) makes none."""
Origin = Literal["native", "mentor", "guess"]
"""Who says what a signal means: the device itself, a person who stands for it, or a tool. A guess never scores."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """What one signal means for its machine.

    Attributes:
        role: A `Role` of the configuration, None for none.
        origin: Who says so.
        states: Of a state: what each value means; values that are not here mean nothing.
        automatic: Of a mode: values that mean automatic.
        reasons: Of a stop reason: what each value says; "" for one that says nothing, like "other".
        specific: Of an alarm: that it names a reason for a stop.
        action: Of an alarm: somebody has to act on it.
        advice: Of an alarm: it is advice of a system (a recommendation, a forecast), no fault.
        planned: Of an intervention: it belongs to every cycle or batch.
        modulus: Of a counter: it goes on from 0 after modulus - 1.
        resets: Of a counter: local times at which it is set back on purpose.
        resets_with: Of a counter: signal of its machine, by id, whose changes set it back (a lot, an order).
        factor: Of a counter: pieces (or, of an energy meter, kWh) per count.
        meter: Of an energy meter: the plant's, or that of a machine.
        pattern: Of an id: a regular expression that every valid one matches.
        limits: Physical limits of a measured value; they go before the configured ones.
        usual: Its range of normal operation, likewise.
        critical: One of the parameters that must be known for each lot.
        used: Whether anybody uses it, where a person has said so.
    """

    role: str | None = None
    origin: Origin = "mentor"
    states: Mapping[Label, State] = field(default_factory=dict)
    automatic: frozenset[Label] = frozenset()
    reasons: Mapping[Label, str] = field(default_factory=dict)
    specific: bool = False
    action: bool = False
    advice: bool = False
    planned: bool = False
    modulus: int | None = None
    resets: tuple[time, ...] = ()
    resets_with: str | None = None
    factor: float = 1.0
    meter: Literal["main", "machine"] | None = None
    pattern: str | None = None
    limits: tuple[float, float] | None = None
    usual: tuple[float, float] | None = None
    critical: bool = False
    used: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlLoop:
    """A control loop of a machine; signals by id. `band` and `tau_s` are what a person calls good enough."""

    machine: str
    name: str
    sp: str
    pv: str
    op: str | None = None
    mode: str | None = None
    band: float | None = None
    tau_s: float | None = None
    by_system: Said = "unknown"  # a system, not a person, writes the set point

    @property
    def key(self) -> str:
        """Name in evidence."""
        return f"{self.machine}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is said of a machine beyond its entry in the inventory."""

    kind: Kind | None = None
    retrofit: Literal["none", "tap", "gateway"] = "none"
    isolated: Said = "unknown"  # its cell is proven to be cut off from other networks
    elsewhere: Said = "unknown"  # another system collects its data, unseen by us
    single_product: Said = "unknown"
    has_schedule: Said = "unknown"  # a usable schedule and ideal cycle times exist at all
    has_alarms: Said = "unknown"
    ids_elsewhere: Said = "unknown"  # lot or serial numbers are kept in another system only
    model_acts: Said = "unknown"  # a model or optimiser writes set points, seen by the mentor
    previous: str | None = None  # the machine of the process step before


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """A product.

    Attributes:
        id: The value that the product signal shows.
        name: As people call it.
        ideal_s: Ideal cycle (PRI of ISO 22400-2) in seconds per piece, by machine.
        per_count: Pieces per count while it is made, by counter or cycle signal `{machine}/{signal}`: cavities of
            its mould, parts of its blank, strokes that one piece takes. It goes before `Meaning.factor`.
    """

    id: str
    name: str
    ideal_s: Mapping[str, float]
    per_count: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class HandCount:
    """Pieces that people have counted on a machine, from one quarter hour to another."""

    machine: str
    from_ns: int
    to_ns: int
    total: int | None = None
    good: int | None = None
    reject: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopReason:
    """A reason that a person has entered for a stop: `entered_ns` is when."""

    machine: str
    from_ns: int
    to_ns: int
    reason: str
    entered_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Installed:
    """A system that is installed: its points as `{machine}/{signal}`, None for one that we do not read at all."""

    id: str
    name: str
    kind: str
    points: Mapping[str, str | None]
    live_ns: int | None = None  # when it went live


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """How a system was used on one production day by one class of accounts; never by whom.

    Attributes:
        day: ISO date.
        system: Id of the installed system.
        account: "operator", "engineer", "manager"; "kiosk", "service" and "supplier" are no human use.
        reads: Pages or reports opened.
        acks: Alarms or advice acknowledged.
        sessions: Times that somebody began.
    """

    day: str
    system: str
    account: str
    reads: int = 0
    acks: int = 0
    sessions: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """Energy by the supplier's bill, of one month like 2026-10."""

    month: str
    kwh: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A number that a person gave for an indicator; shown beside the measured one, never instead of it."""

    metric: str
    value: float
    machine: str | None
    author: str
    date: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Something that was said and does not fit: to other words, or to what was measured. Both are shown.

    Attributes:
        code: What kind it is, a key of `readiness.contradictions.CODES`.
        subject: What it is about: a machine, a signal `{machine}/{signal}`, an indicator, with the field after it.
        machine: Of which machine, None for the plant.
        said: What was said, as it is shown.
        seen: What stands against it.
        who: Who said it.
        when: ISO date.
    """

    code: str
    subject: str
    machine: str | None
    said: str
    seen: str
    who: str
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """Everything that was said.

    Attributes:
        machines: The declared inventory.
        signed: Who stands for the inventory and when, empty for nobody.
        about: By machine.
        meanings: By signal, `{machine}/{signal}`.
        loops: Control loops.
        products: By the value that the product signal shows.
        hand_counts: Counted by people.
        reasons: Entered by people.
        systems: Installed ones.
        use: How they were used.
        bills: Energy bought.
        claims: What people say themselves, for comparison.
        onboardings: Hours from first contact to all roles confirmed, of machines that were added with a protocol.
        said: Who said what counts and when (author, ISO date), by subject and field, `machine press-1 has_alarms`.
        answers: The sets of answers in it: source, serial and hash, `message 3 6dedf82530ccd7af`.
        contradictions: Between answers, and between them and the configuration.
        hash: 64 bits over what formulas look at, as hex: not who said it, and whatever the order.
    """

    machines: Sequence[Machine]
    signed: tuple[str, str] | None = None
    about: Mapping[str, About] = field(default_factory=dict)
    meanings: Mapping[str, Meaning] = field(default_factory=dict)
    loops: Sequence[ControlLoop] = ()
    products: Mapping[str, Product] = field(default_factory=dict)
    hand_counts: Sequence[HandCount] = ()
    reasons: Sequence[StopReason] = ()
    systems: Sequence[Installed] = ()
    use: Sequence[Use] = ()
    bills: Sequence[Bill] = ()
    claims: Sequence[Claim] = ()
    onboardings: Mapping[str, float] = field(default_factory=dict)
    said: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    answers: Sequence[str] = ()
    contradictions: Sequence[Contradiction] = ()
    hash: str = ""

    def of(self, machine: str) -> About:
        """Return what is said of a machine."""
        return self.about.get(machine, _NOTHING)

    def meaning(self, key: str) -> Meaning:
        """Return what a signal means."""
        return self.meanings.get(key, _NO_MEANING)


_NOTHING = About()
_NO_MEANING = Meaning(role=None, origin="guess")


_KWH = {"j": 1 / 3.6e6, "kj": 1 / 3600, "mj": 1 / 3.6, "gj": 1e3 / 3.6, "kcal": 4184 / 3.6e6, "mcal": 4.184 / 3.6,
        "wh": 1e-3, "kwh": 1.0, "mwh": 1e3, "gwh": 1e6}  # fmt: skip
"""Kilowatt-hours per unit of energy; nobody means a thousandth of a joule by mJ."""


def kwh_per(unit: str | None) -> float | None:
    """Return the kilowatt-hours in a meter's unit, however it is written; 1 without a unit, None for no energy."""
    plain = "".join(letter for letter in (unit or "kWh") if letter.isalnum())
    return _KWH.get(plain.casefold())


def configured(catalog: Sequence[Link], machines: Sequence[Machine]) -> Plant:
    """Return what a configuration alone says, before anybody has answered a question.

    A role written in it is what a person stands for; one marked as a guess stays a guess. An energy meter counts in
    its configured unit; one whose unit is no energy (pulses, cubic metres) waits for somebody who says its factor.
    """

    def of(tag: Tag) -> Meaning:
        factor = kwh_per(tag.unit) if tag.role == "energy" else 1.0
        sure = tag.role_confirmed and factor is not None
        return Meaning(role=tag.role, origin="mentor" if sure else "guess", factor=factor or 1.0)

    return Plant(
        machines=tuple(machines),
        meanings={key(tag): of(tag) for source in catalog for tag in source.signals if tag.role is not None},
    )
