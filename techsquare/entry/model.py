"""What stands in `config/catalogue/entry.yaml`: twenty questions to an owner, and what can be measured without us.

The engine knows the twenty by name, because each has its place in the ledger. Words, ranges and costs are the
file's. A `prior` is what is believed of a factory that does not know; `spread` is how far an owner's own number may
be off. Both are design values until measured factories replace them.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from settings.base import Id, Model, Name
from settings.language import Complaint
from techsquare.catalogue.model import Korean, Won

QuestionId = Literal[
    "process", "machines", "connection", "hours_day", "days_week", "orders", "limits", "fault_minutes",
    "changeovers", "setup_minutes", "waiting_minutes", "pace_percent", "rejects_percent", "pieces_day",
    "contribution", "material", "people", "wage", "bill", "cash",
]  # fmt: skip
Feeds = Literal[
    "planned", "production", "fault", "setup", "standby", "speed", "scrap", "won", "energy",
    "process", "interface", "price", "size",
]  # fmt: skip
"""A bucket, planned time, pieces or won of the ledger, or a constraint of matching."""
MINUTES = 15
"""All questions together take at most so long."""
Number = Annotated[float, Field(ge=0, le=10**11)]


class Choice(Model):
    """One of the answers that can be chosen; that nobody knows is always another one."""

    id: Id = Field(description="name, which records keep for ever")
    ko: Korean = Field(description="as the owner reads it")
    en: Name = Field(description="the same in English")


class Range(Model):
    """From the lowest to the highest."""

    low: Number = Field(description="lowest")
    high: Number = Field(description="highest")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise Complaint("low is above high", "low가 high보다 큽니다")
        return self


class Spread(Model):
    """How far a number may be off: by a factor either way, and by an amount where it is small."""

    factor: Annotated[float, Field(ge=1, le=10)] = Field(description="either way")
    least: Number = Field(0, description="and at least by so much")


class Question(Model):
    """A question to the owner; every one may be answered with "모름"."""

    id: QuestionId = Field(description="which of the twenty")
    ko: Korean = Field(description="as an owner speaks")
    en: Name = Field(description="the same in English")
    why: Korean = Field(description="what it is for, told beside it")
    why_en: Name = Field(description="the same in English")
    seconds: Annotated[int, Field(ge=5, le=120)] = Field(description="how long it takes")
    feeds: Annotated[tuple[Feeds, ...], Field(min_length=1)] = Field(description="buckets or constraints it feeds")
    unit: Name | None = Field(None, description="of a number")
    limits: Range | None = Field(None, description="what a number can be at all")
    spread: Spread | None = Field(None, description="how far a number may be off")
    prior: Range | None = Field(None, description="of a number, where nobody knows; without one it stays unknown")
    choices: tuple[Choice, ...] = Field((), description="instead of a number")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        number = (self.unit, self.limits, self.spread)
        if bool(self.choices) == any(part is not None for part in number) or (not self.choices and None in number):
            raise Complaint(
                "write choices, or unit, limits and spread of a number",
                "choices를 쓰거나, 숫자의 unit·limits·spread를 모두 쓰십시오",
            )
        if self.choices and self.prior is not None:
            raise Complaint("a prior is for numbers", "prior는 숫자 질문에만 씁니다")
        return self


class Narrows(Model):
    """A question that is known better afterwards."""

    question: QuestionId = Field(description="which one")
    factor: Annotated[float, Field(ge=1, le=10)] = Field(description="how far it may be off then")
    least: Number = Field(0, description="and at least by so much")


class Check(Model):
    """Something to measure without hardware of ours."""

    id: Id = Field(description="name")
    ko: Korean = Field(description="what is to be done")
    en: Name = Field(description="the same in English")
    won: Annotated[Won, Field(ge=1)] = Field(description="what it costs, people's time in it")
    days: Annotated[int, Field(ge=0, le=60)] = Field(description="how long it takes")
    narrows: Annotated[tuple[Narrows, ...], Field(min_length=1)] = Field(description="what it tells")


class Form(Model):
    """The form of entry."""

    version: Literal[1] = Field(description="version of this format")
    source: Name = Field(description="where ranges and costs come from")
    questions: Annotated[tuple[Question, ...], Field(min_length=1)] = Field(description="the twenty, in order")
    checks: Annotated[tuple[Check, ...], Field(min_length=3)] = Field(description="what can be measured")
