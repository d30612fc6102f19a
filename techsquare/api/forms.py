"""What comes in and goes out. Unknown keys are refused; text holds no control characters; money is whole won."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from techsquare.registry.access import TokenScope
from techsquare.registry.privacy import ConsentScope, Role

_CONTROL = {chr(i) for i in range(32)} - {"\n", "\t"} | {chr(127)}


def _clean(value: str) -> str:
    if any(c in _CONTROL or "\ud800" <= c <= "\udfff" for c in value):
        raise ValueError("no control characters")
    return value


Key = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=r"^[A-Za-z0-9_.:@-]+$")]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{1,48}$")]
Name = Annotated[
    str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True), AfterValidator(_clean)
]
Text = Annotated[str, StringConstraints(min_length=1, max_length=4_000), AfterValidator(_clean)]
Word = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$"), AfterValidator(_clean)
]
Secret = Annotated[str, StringConstraints(min_length=1, max_length=2_000), AfterValidator(_clean)]
Email = Annotated[
    str,
    StringConstraints(max_length=254, pattern=r"^\s*[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\s*$"),
    AfterValidator(_clean),
]
Won = Annotated[int, Field(ge=0, le=10**13)]
Days = Annotated[float, Field(ge=0, le=10_000)]
Quarter = Annotated[str, StringConstraints(pattern=r"^[12][0-9]{3}-Q[1-4]$")]
Words = Annotated[list[Word], Field(max_length=100)]


class Form(BaseModel):
    """What somebody sends."""

    model_config = ConfigDict(extra="forbid")


class WonSpan(Form):
    """Won, from low to high; equal where it is known."""

    low: Won
    high: Won

    @model_validator(mode="after")
    def _ordered(self) -> WonSpan:
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


class Login(Form):
    """E-mail and password, and as what: the first of one's memberships when it is not said."""

    email: Email
    password: Secret
    membership: Key | None = None


class Accepting(Form):
    """An invitation, and the password that is chosen (or the one that one has)."""

    invitation: Secret
    password: Secret


class NewPassword(Form):
    """The password that one has, and the one that is chosen."""

    old: Secret
    new: Secret


class TokenForm(Form):
    """A token for a program."""

    membership: Key
    name: Name
    scopes: Annotated[list[TokenScope], Field(min_length=1, max_length=6)]
    days: Annotated[int, Field(ge=1, le=366)] = 90


class FactoryForm(Form):
    """A factory; its id is that of its topics."""

    kind: Literal["factory"]
    id: Slug
    name: Name
    region: Word
    industry: Word
    process: Word | None = None
    staff_band: Word | None = None
    applied_on: date | None = None


class SupplierForm(Form):
    """A supplier."""

    kind: Literal["supplier"]
    id: Slug
    name: Name
    size: Literal["micro", "small", "medium", "large"]
    regions: Words
    industries: Words
    state: Literal["applied", "active"] = "active"
    joined_on: date
    parties: Words = []


class MentorForm(Form):
    """A mentor: a party of one person."""

    kind: Literal["mentor"]
    id: Slug
    name: Name
    skills: Words
    regions: Words
    capacity: Annotated[int, Field(ge=0, le=1_000)]
    state: Literal["active", "away"] = "active"
    firm_id: Key | None = None
    related: Words = []


class Inviting(Form):
    """Who is invited, as what."""

    party: Key
    role: Role
    email: Email
    name: Name
    language: Literal["ko", "en"] = "ko"


class ShareSpan(Form):
    """A share, from low to high."""

    low: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    high: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]

    @model_validator(mode="after")
    def _ordered(self) -> ShareSpan:
        if self.low > self.high:
            raise ValueError("low is above high")
        return self


class RatesForm(Form):
    """What a piece, an hour and a kilowatt-hour are worth; what is not said is not known."""

    contribution_piece: WonSpan | None = None
    scrap_piece: WonSpan | None = None
    staff_hour: WonSpan | None = None
    avoidable_hour: WonSpan | None = None
    tariff_kwh: WonSpan | None = None
    good_share: ShareSpan | None = Field(None, description="of pieces, where nobody counts rejects")
    orders_wait: Literal["yes", "no", "unknown"] = "unknown"
    attended: Annotated[dict[Slug, Days], Field(max_length=500)] = {}


class BudgetForm(Form):
    """Own cash, days of own people and support for each of three phases."""

    cash: Annotated[list[Won], Field(min_length=3, max_length=3)]
    staff_days: Annotated[list[Days], Field(min_length=3, max_length=3)]
    support: Annotated[list[Won], Field(min_length=3, max_length=3)]
    most_measures: Annotated[int, Field(ge=0, le=30)] = 3


class Excluding(Form):
    """A supplier, or one of its solutions, that the owner does not want."""

    supplier_id: Key | None = None
    solution_id: Key | None = None
    why: Text | None = None

    @model_validator(mode="after")
    def _one(self) -> Excluding:
        if (self.supplier_id is None) == (self.solution_id is None):
            raise ValueError("a supplier or a solution")
        return self


class MachineForm(Form):
    """What is known of a machine; only what is sent is changed."""

    name: Name | None = None
    process: Word | None = None
    maker: Name | None = None
    interfaces: Words | None = None
    limits_output: Literal["yes", "no", "unknown"] | None = None
    comparable: bool | None = None


class ConsentForm(Form):
    """What the owner agrees to from now on."""

    agent_id: Slug
    scopes: Annotated[list[ConsentScope], Field(max_length=6)]
    until: date | None = None


class RoadmapForm(Form):
    """What a plan is asked for."""

    begins: date | None = None
    excluded: Annotated[list[Key], Field(max_length=100)] = []


class AnswerForm(Form):
    """An answer to an offer; `contact`: the supplier may know whose it is."""

    answer: Literal["wanted", "declined"]
    contact: bool = False


class SolutionForm(Form):
    """A solution of a family of the catalogue."""

    family: Key
    name: Name


class PropertyForm(Form):
    """A range, or some words."""

    low: Annotated[float, Field(allow_inf_nan=False)] | None = None
    high: Annotated[float, Field(allow_inf_nan=False)] | None = None
    words: Words = []


class NeedForm(Form):
    """Something that a solution needs of a machine: a metric within limits, by a name of the supplier's own."""

    id: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,48}$")]
    metric: Annotated[str, StringConstraints(pattern=r"^[A-Z][0-9]{2}$")]
    min: Annotated[float, Field(allow_inf_nan=False)] | None = None
    max: Annotated[float, Field(allow_inf_nan=False)] | None = None


class VersionForm(Form):
    """A version of a solution: for what, at what price, with which needs."""

    version: Word
    processes: Words
    interfaces: Words
    regions: Words
    remote: bool
    price: WonSpan
    yearly: WonSpan
    leaving: WonSpan
    needs_consent: Annotated[list[ConsentScope], Field(max_length=6)] = []
    continuity: Annotated[list[Literal["store", "tags", "interface", "export"]], Field(max_length=4)] = []
    requires: Annotated[dict[Key, Word], Field(max_length=100)] = {}
    needs: Annotated[list[NeedForm], Field(max_length=50)] = []
    capabilities: Annotated[
        dict[Key, Annotated[dict[Key, PropertyForm], Field(max_length=50)]], Field(max_length=50)
    ] = {}

    @model_validator(mode="after")
    def _needs(self) -> VersionForm:
        if "needs" in self.requires:  # where the measurable ones are kept
            raise ValueError("needs are said by themselves")
        return self


class SlotForm(Form):
    """How many projects can be begun in a quarter."""

    declared: Annotated[int, Field(ge=0, le=10_000)]


class MentorChange(Form):
    """Another mentor, by name or whoever is best. A reason is never asked for, and never shown to him."""

    mentor_id: Key | None = None
    reason: Text | None = None
    handover: Text | None = None


class Confirmed(Form):
    """The id of what is deleted, written once more."""

    confirm: Key


class AppliedForm(Form):
    """When the factory asked for help."""

    on: date


# Out


class TokenShown(BaseModel):
    """A token; it is never shown again."""

    token: str
    membership: str
    expires_at: int


class Member(BaseModel):
    """A membership of one's own."""

    id: str
    role: Role
    party: str


class LoggedIn(TokenShown):
    """A token of a day, and all that one could be."""

    user: str
    memberships: list[Member]


class Me(BaseModel):
    """Who asks, as what."""

    user: str | None
    scopes: list[str]
    roles: list[Member]


class Page(BaseModel):
    """Rows, each with the columns that the reader may see, and how to go on."""

    rows: list[dict[str, Any]]
    next: str | None = Field(description="send it as `after`; null: there is no more")


class Made(BaseModel):
    """What was made or changed, as its writer sees it."""

    id: str
    row: dict[str, Any] = Field(default_factory=dict)


class JobShown(BaseModel):
    """Work that takes longer: how far it is, and what came out."""

    id: str
    kind: str
    state: Literal["waiting", "running", "done", "failed", "stopped"]
    progress: float
    answer: dict[str, Any] | None = None
    error: str | None = None


class TableShown(BaseModel):
    """A table: its key, and the columns that this reader may see of some row."""

    name: str
    key: list[str]
    columns: dict[str, str]


class Said(BaseModel):
    """What a computation says."""

    said: dict[str, Any]
