"""What stands in `config/catalogue/measures.yaml` and `programmes.yaml`.

Nobody knows what a measure costs or saves before it is done. So costs are spans, gains have a spread, and each
says where it comes from: a publication that can be read, or `design value`, our own guess. Guesses are there to be
replaced by verified outcomes, never to be quoted.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from settings.base import Flag, Id, Model, Name, Word, form
from settings.language import Complaint
from settings.schedule import Date

Bucket = Literal["scrap", "speed", "setup", "standby", "fault", "off", "energy"]
"""A loss of `techsquare.diagnosis`, or the energy of a machine, which is a ledger of its own."""
Dimension = Literal["D1", "D2", "D3", "D4", "D5", "D6", "D7", "D8", "D9", "D10"]
DESIGN = "design value"
"""What `source` says where there is none."""

Won = Annotated[int, Field(ge=0, le=10**11)]
Share = Annotated[float, Field(gt=0, le=1)]
Days = Annotated[float, Field(ge=0, le=1000)]
Months = Annotated[float, Field(ge=0, le=30)]
Indicator = Annotated[str, StringConstraints(pattern=r"^[A-Z][0-9]{2}$"), form("indicator: `V02`")]

_HANGUL = re.compile(r"[가-힣]")


def _korean(value: str) -> str:
    if not _HANGUL.search(value):
        raise Complaint("write it in Korean", "한글로 쓰십시오")
    return value


Korean = Annotated[Name, AfterValidator(_korean)]


class WonSpan(Model):
    """Won, from the lowest to the highest that is expected."""

    low: Won = Field(description="lowest")
    high: Won = Field(description="highest")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise Complaint("low is above high", "low가 high보다 큽니다")
        return self


class Price(WonSpan):
    """What it costs once, without VAT."""

    source: Word = Field(description="where it can be read, or `design value`")


class GainPrior(Model):
    """What it takes away of a loss, before outcomes of its own are known."""

    bucket: Bucket = Field(description="which loss")
    mean: Share = Field(description="share of the loss")
    sd: Share = Field(description="how much factories differ, as a standard deviation")
    source: Word = Field(description="where it can be read, or `design value`")


class DataNeed(Model):
    """An indicator of docs/indicators.md that has to be reached before."""

    indicator: Indicator = Field(description="which one")
    least: Annotated[float, Field(ge=0)] = Field(description="from which value on")
    together: Flag = Field(default=False, description="what gives it may be begun in the same phase")


class Feature(Model):
    """What a capability has to offer: a range, or one of some words."""

    name: Id = Field(description="name of the property")
    low: float | None = Field(None, description="at least")
    high: float | None = Field(None, description="at most")
    words: tuple[Word, ...] = Field((), description="one of these")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        numbers = self.low is not None or self.high is not None
        if numbers == bool(self.words):
            raise Complaint("write low or high, or words", "low나 high, 또는 words 중 한 가지로 쓰십시오")
        return self


class Capability(Model):
    """What a supplier's solution has to be able to do, in the shape of IDTA 02020."""

    id: Id = Field(description="name of the capability")
    properties: tuple[Feature, ...] = Field((), description="in which range")


class Entry(Model):
    """A measure of the catalogue."""

    id: Id = Field(description="name, which roadmaps and records keep for ever")
    ko: Korean = Field(description="as it is said on a Korean shop floor")
    en: Name = Field(description="the same in English")
    dimension: Dimension = Field(description="of docs/indicators.md, to which it belongs")
    per: Literal["machine", "plant"] = Field("machine", description="of what it is done once")
    cost: Price = Field(description="what it costs once, without VAT")
    yearly: WonSpan = Field(description="what it costs a year to keep it running; 0 to 0 where nothing")
    months: Months = Field(description="from begin to use")
    staff_days: Days = Field(description="days of the factory's own people")
    gains: tuple[GainPrior, ...] = Field((), description="which losses it takes away")
    gives: tuple[Indicator, ...] = Field((), description="indicators that it lets measure or reach")
    data: tuple[DataNeed, ...] = Field((), description="indicators that have to be reached before")
    needs: tuple[Id, ...] = Field((), description="measures that have to stand before")
    together: tuple[Id, ...] = Field((), description="of `needs`, those that may be begun in the same phase")
    excludes: tuple[Id, ...] = Field((), description="measures that make no sense beside it")
    processes: tuple[Id, ...] = Field((), description="only for machines of these processes; else for all")
    interfaces: tuple[Id, ...] = Field((), description="only for machines that speak one of these; else for all")
    capabilities: tuple[Capability, ...] = Field((), description="what a solution for it has to be able to do")

    @model_validator(mode="after")
    def _for_something(self) -> Self:
        if not self.gains and not self.gives:
            raise Complaint(
                "it takes no loss away and gives no indicator: write gains or gives",
                "줄이는 손실도, 얻는 지표도 없습니다. gains나 gives를 쓰십시오",
            )
        return self


class Measures(Model):
    """All measures that can be proposed. Of several that give the same indicator the first that fits is taken."""

    version: Literal[1] = Field(description="version of this format")
    measures: Annotated[tuple[Entry, ...], Field(min_length=1)] = Field(description="the measures")


class Funding(Model):
    """A funding programme."""

    id: Id = Field(description="name")
    ko: Korean = Field(description="its Korean name")
    en: Name = Field(description="the same in English")
    example: Flag = Field(
        description="`true`: shown as an example everywhere; no factory may count on dates and shares of it"
    )
    source: Word = Field(description="where it can be read, or `design value`")
    share: Share = Field(description="of eligible cost that it pays")
    cap: Won = Field(description="won that one factory can get of it")
    opens: Date = Field(description="first day on which something may be begun with it")
    closes: Date = Field(description="last day")
    vat: Flag = Field(default=False, description="VAT is eligible, for who does not get it back")
    upfront: Annotated[float, Field(ge=0, le=1)] = Field(
        0.0, description="share of its part that comes before delivery"
    )
    after_months: Months = Field(3.0, description="months from the bill to the rest of its part")
    eligible: dict[Id, Share] = Field(description="measure and the share of its cost that may be claimed")

    @model_validator(mode="after")
    def _open(self) -> Self:
        if self.opens > self.closes:
            raise Complaint("it closes before it opens", "마감일이 시작일보다 앞입니다")
        return self


class Programmes(Model):
    """Funding programmes that a roadmap may count on."""

    version: Literal[1] = Field(description="version of this format")
    programmes: tuple[Funding, ...] = Field((), description="the programmes")
