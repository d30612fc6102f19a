"""What stands in `config/catalogue/questionnaire.yaml`: the mentor's questions, for what signals cannot show.

The structure of other models is public and stands here by name; the questions are our own and so are the words of
their scales. An answer here is no answer to an assessor of one of those models.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from settings.base import Id, Model, Name, Word
from techsquare.catalogue.model import Indicator, Korean

Band = Literal["SI1", "SI4", "SI7", "SI10", "acatech"]
"""A band of the report."""


class Step(Model):
    """One entry of a scale, the lowest first."""

    ko: Korean = Field(description="as the mentor reads it aloud")
    en: Name = Field(description="the same in English")


class Part(Model):
    """A part of a model, as its publisher names it."""

    id: Id = Field(description="name")
    ko: Korean = Field(description="its Korean name")
    en: Name = Field(description="its English name")
    band: Band | None = Field(None, description="band of the report that tells of it")
    indicators: tuple[Indicator, ...] = Field((), description="indicators that tell something of it")


class Scheme(Model):
    """A model, by its public structure."""

    id: Id = Field(description="name")
    ko: Korean = Field(description="its Korean name")
    en: Name = Field(description="its English name")
    source: Word = Field(description="where its structure is published")
    parts: Annotated[tuple[Part, ...], Field(min_length=1)] = Field(description="its parts")


class Question(Model):
    """A question of the mentor."""

    id: Id = Field(description="name, which records keep for ever")
    ko: Korean = Field(description="as it is asked")
    en: Name = Field(description="the same in English")
    about: Literal["organisation", "skills", "strategy", "systems", "process", "machines"] = Field(
        description="what it is about"
    )
    scale: Annotated[tuple[Step, ...], Field(min_length=3, max_length=6)] = Field(
        description="answers, lowest first"
    )
    evidence: Step = Field(description="what the mentor asks to be shown")
    parts: Annotated[tuple[Word, ...], Field(min_length=1)] = Field(
        description="parts of models that it tells of, as `model/part`"
    )
    band: Band | None = Field(
        None, description="the report's band that it is put beside; its scale has as many steps"
    )


class Questionnaire(Model):
    """The mentor's questionnaire."""

    version: Literal[1] = Field(description="version of this format")
    models: Annotated[tuple[Scheme, ...], Field(min_length=1)] = Field(description="models whose coverage is told")
    questions: Annotated[tuple[Question, ...], Field(min_length=1)] = Field(description="the questions, in order")
