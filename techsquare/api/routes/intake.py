"""What agents send, handed in by an existing platform or a technician's browser: the same checks as by MQTT."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel, Field, StringConstraints

from contract.errors import WireError
from contract.topics import split
from techsquare.api import forms as f
from techsquare.api.problems import ProblemError
from techsquare.api.who import Admin, Intakes, Writes, plain_row
from techsquare.intake import handed
from techsquare.intake.intake import Intake
from techsquare.intake.terms import NOT_KEPT, Fate
from techsquare.services import enrolment
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory

if TYPE_CHECKING:
    from techsquare.api.who import Asking

router = APIRouter(prefix="/v1", tags=["intake"])
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:@-]{1,120}$")]
Slug = Annotated[str, Path(pattern=r"^[a-z0-9_-]{1,48}$")]
PublicKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{43}=$")]
assert get_args(Fate)
_BODY = {
    "requestBody": {
        "required": True,
        "description": "A signed day, an answer of `day.get`, a manifest, or a readiness report (also of `assess`) "
        "as the agent made it (docs/wire.md): its bytes are what is signed.",
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}


class Taken(BaseModel):
    """What became of a message."""

    topic: str
    fate: Fate
    why: str = Field(description="for whoever has sent it")


class Handed(BaseModel):
    """What became of everything that was handed in; `kept` is false where anything of it is not."""

    kept: bool
    messages: list[Taken]


class AgentForm(f.Form):
    """An agent that is not heard yet; `public_key` as `tsq-agent reporter show` and its manifest tell it."""

    agent_id: f.Slug
    public_key: PublicKey


class KeyForm(f.Form):
    """The owner's answer about a key that he was shown."""

    public_key: PublicKey
    answer: Literal["mine", "not_mine"]


async def _raw(request: Request) -> bytes:
    if not request.headers.get("content-type", "application/json").startswith("application/json"):
        raise ProblemError("media_type")
    return await request.body()


@router.post("/intake", openapi_extra=_BODY)
def hand_in(asking: Intakes, raw: Annotated[bytes, Depends(_raw)]) -> Handed:
    """Hand in what an agent has made. It is verified and kept as if it had come by MQTT; twice is once."""
    try:
        found = handed.messages(raw)
        factories = sorted({split(message.topic)[0].factory for message in found})
    except WireError as exc:
        raise RefusedError("not_taken", why=str(exc)[:300]) from None
    given = _may(asking, factories)
    told = Intake(asking.house.registry, asking.house.clock).bring(found, given=given)
    return Handed(
        kept=not any(outcome.fate in NOT_KEPT for _, outcome in told),
        messages=[Taken(topic=m.topic, fate=o.fate, why=o.why) for m, o in told],
    )


@router.post("/factories/{factory}/agents", status_code=201)
def register_agent(asking: Admin, factory: Id, form: AgentForm) -> f.Made:
    """Register the key of an agent before it is heard: owner or operator. Then nobody is asked about it."""
    row = asking.write(lambda s, c: enrolment.register(s, c, factory, form.agent_id, form.public_key), factory)
    return f.Made(id=row.id, row={**_agent(row), "key": enrolment.named(form.public_key)})


@router.post("/factories/{factory}/agents/{agent}/key")
def answer_key(asking: Writes, factory: Id, agent: Slug, form: KeyForm) -> f.Made:
    """Say whether a key that has come is the factory's own: the owner."""
    mine = form.answer == "mine"
    row = asking.write(lambda s, c: enrolment.answer(s, c, factory, agent, form.public_key, mine=mine), factory)
    return f.Made(id=row.id, row=_agent(row))


def _agent(row: Any) -> dict[str, Any]:
    return plain_row(row, "factory_id", "id", "reporter", "public_key", "next_key")


def _may(asking: Asking, factories: list[str]) -> bool:
    """Return whether who hands in may agree for the owner: he himself, or his mentor with him.

    Raises:
        RefusedError: `not_there`: he may not speak for one of the factories.
    """
    caller = asking.caller
    if caller.has("operator") or caller.has("service"):
        return False

    def all_of(session: Any) -> None:
        for factory in factories:
            for_factory(session, caller, factory)

    asking.read(lambda s, _: all_of(s))
    return True
