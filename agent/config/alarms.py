"""Alarm words: bits of a device that each have a text and a priority.

    alarms:
      - id: hyd
        address: holding:100
        bits: {0: {text: 유압 온도 높음, priority: high}, 3: 오일 부족}

makes the signals `hyd-0` and `hyd-3` of type bool and role alarm, in the group that it stands in. Each protocol
says where bit n lies (`AlarmedGroup.bit`); what it complains about is said at the line of the alarm word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self

from pydantic import (
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

from agent.config.base import AlarmText, GroupBase, Number, SignalBase
from agent.frame import Found
from settings.base import Id, Model, Word
from settings.language import Complaint

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import CoreSchema, InitErrorDetails

MOST = 255
"""Last bit that one alarm word may count, from its address on."""


class _OrText:
    """A text alone is an alarm of medium priority."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string", "form": "text"}, handler(core)]}


def _text(value: Any) -> Any:
    return {"text": value} if isinstance(value, str) else value


def _as_written(value: Any) -> Any:
    return str(value) if type(value) is int else value  # YAML reads 400009 as a number


Bit = Annotated[Number, Field(ge=0, le=MOST)]
Meaning = Annotated[AlarmText, BeforeValidator(_text), _OrText]


class AlarmBits(Model):
    """Bits that are alarms."""

    id: Id = Field(description="the signals are called `id-0`, `id-1` and so on; never change it")
    address: Annotated[Word, BeforeValidator(_as_written)] = Field(
        description="the word, or the first of the bits, written as in a signal"
    )
    machine: Id | None = Field(None, description="machine they belong to, when not the device's")
    found: Found = Field("manual", description="how the address was found; the tools write it")
    bits: Annotated[dict[Bit, Meaning], Field(min_length=1)] = Field(
        description="number of the bit, 0 is the least significant, and its text: `3: 오일 부족`"
    )


class AlarmedGroup(GroupBase):
    """A group whose signals may be written as alarm words as well."""

    signal_model: ClassVar[type[SignalBase]]
    alarms: tuple[AlarmBits, ...] = Field((), description="words and bits that are alarms")

    @classmethod
    def bit(cls, address: str, number: int) -> dict[str, Any]:
        """Return the keys that say where a signal finds bit `number` of what stands at an address.

        Raises:
            Complaint: the address has no such bit.
        """
        raise NotImplementedError

    @model_validator(mode="wrap")
    @classmethod
    def _written_out(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        group = handler(data)
        made: list[SignalBase] = []
        wrong: dict[tuple[int | str, ...], InitErrorDetails] = {}
        for index, alarm in enumerate(group.alarms):
            for number, meaning in alarm.bits.items():
                try:
                    made.append(cls._one(alarm, number, meaning))
                except (ValidationError, Complaint) as exc:
                    for error in _errors(exc, alarm, index, number):
                        wrong.setdefault(error["loc"], error)
        if wrong:
            raise ValidationError.from_exception_data(cls.__name__, [*wrong.values()])
        written: tuple[SignalBase, ...] = group.signals  # type: ignore[attr-defined]
        if not written and not made:
            raise Complaint("write signals or alarms", "signals나 alarms를 쓰십시오")
        if not made:
            return group
        return group.model_copy(update={"signals": (*written, *made), "alarms": ()})

    @classmethod
    def _one(cls, alarm: AlarmBits, number: int, meaning: AlarmText) -> SignalBase:
        return cls.signal_model.model_validate(
            {
                "id": f"{alarm.id}-{number}",
                "name": meaning.text,
                "machine": alarm.machine,
                "type": "bool",
                "role": "alarm",
                "found": alarm.found,
                "alarm": meaning.model_dump(),
                **cls.bit(alarm.address, number),
            }
        )


def _errors(
    exc: ValidationError | Complaint, alarm: AlarmBits, index: int, number: int
) -> Iterator[InitErrorDetails]:
    """Yield what is wrong, at the place where somebody wrote it."""
    if isinstance(exc, Complaint):
        loc: tuple[int | str, ...] = ("alarms", index, "bits", str(number))
        yield {"type": "value_error", "loc": loc, "input": alarm.address, "ctx": {"error": exc}}
        return
    for error in exc.errors(include_url=False):
        key = error["loc"][0] if error["loc"] else ""
        place = (key,) if key in {"id", "address", "machine"} else ("bits", str(number))
        yield {
            "type": error["type"],
            "loc": ("alarms", index, *place),
            "input": error["input"],
            "ctx": error.get("ctx", {}),
        }
