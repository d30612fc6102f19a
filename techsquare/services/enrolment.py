"""How an agent becomes known: its key is registered before it is heard, or its owner answers for it (decision 126).

Owner and operator may register a key: the operator often sets the boxes up. A key that comes by itself, or instead
of another one, is the owner's alone to answer for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract.errors import WireError
from contract.signing import key_id, key_of
from techsquare.intake import questions
from techsquare.registry.factories import Agent, Factory
from techsquare.services.refused import RefusedError
from techsquare.services.rights import for_factory, need

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from techsquare.services.rights import Caller


def register(session: Session, caller: Caller, factory: str, agent: str, key: str) -> Agent:
    """Keep the key of an agent that is not heard yet; again the same changes nothing.

    Raises:
        RefusedError: `not_there`; `bad_key`; `key_pinned`: the agent has another one.
    """
    if not caller.has("operator"):
        for_factory(session, caller, factory)
        need(caller, "owner", factory)
    if session.get(Factory, factory) is None:
        raise RefusedError("not_there")
    named(key)
    try:
        return questions.register_key(session, factory, agent, key, caller.now)
    except LookupError:
        raise RefusedError("key_pinned") from None


def answer(session: Session, caller: Caller, factory: str, agent: str, key: str, *, mine: bool) -> Agent:
    """Say whether a key that has come is the factory's own; what is not his is taken out again.

    Args:
        session: Of a decision.
        caller: The owner.
        factory: Whose.
        agent: Which.
        key: The public key that he was shown; another one may have come since.
        mine: Whether it is his.

    Raises:
        RefusedError: `not_there`; `wrong_role`: only the owner knows his boxes; `no_key`: it does not wait.
    """
    for_factory(session, caller, factory)
    need(caller, "owner", factory)
    say = questions.confirm_key if mine else questions.refuse_key
    try:
        say(session, factory, agent, key, caller.now)
    except LookupError:
        raise RefusedError("no_key") from None
    return session.get_one(Agent, (factory, agent))


def named(key: str) -> str:
    """Return the name of a key, as boxes and manifests show it.

    Raises:
        RefusedError: `bad_key`.
    """
    try:
        return key_id(key_of(key))
    except WireError:
        raise RefusedError("bad_key") from None
