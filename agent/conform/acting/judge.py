"""What can be seen of a platform at the broker, held against the contract.

Of each request: verb, body, where and how it is to be answered, how long, how fine, how often. Of the whole: that
each record has gone to it whole, whatever the agent has done. Nothing is seen of what it keeps, counts and shows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from agent.conform.acting.tricks import TRICKS
from agent.conform.findings import CONSENT, DAYS, PAYLOADS, REQUESTS, TOPICS, VERBS, Broken, Finding
from agent.conform.reading import quoted, read
from agent.requests import EXPIRY_S
from contract.consent import NEEDS
from contract.day import DayRequest
from contract.schemas import PAYLOADS as TYPES
from contract.verbs import DAY_S, MdeRequest, WindowRequest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from agent.conform.acting.actor import Actor
    from agent.conform.acting.messages import Seen

INSISTED = 3
"""Requests that a factory has not agreed to, after which nobody can have missed it."""
LONGEST = 400
UNTOLD_S = 60
"""To wait after `busy` where the text names no seconds."""
_TOLD = re.compile(r"ask again in (\d+) s")


@dataclass(frozen=True, slots=True)
class Scene:
    """How a platform has taken one trick: what it has done wrong, and how many requests came."""

    trick: str
    findings: tuple[Finding, ...]
    asked: int


def scene(actor: Actor, name: str, patience: float, moment: float = 10.0) -> Scene:
    """Play a trick, behave again with a day that is missed, and say what the platform has done wrong.

    Args:
        actor: Connected, and behaving.
        name: Of the trick.
        patience: Longest wait until the platform has every day, s.
        moment: How long a trick goes on with which it cannot have every day, s.
    """
    trick, topics = TRICKS[name], actor.topics
    actor.forgive()
    begun, foreign = len(actor.seen), len(actor.foreign)
    actor.trick = trick
    trick.play(actor)
    actor.wait(moment if trick.blocks else patience)
    actor.trick = None
    trick.after(actor)
    if not trick.quiet:
        actor.next_day(publish=False)
        actor.next_day()
    actor.wait(patience)
    found = list(requests(actor.seen[begun:], topics.response("")))
    found += [
        Finding(topic, "", "nothing: a platform writes only req and answers", "a message", TOPICS)
        for topic in actor.foreign[foreign:]
    ]
    found += [
        Finding(topics.request("day.get"), when, f"asked for within {patience:g} s", "not", DAYS)
        for when in sorted(actor.owed)
    ]
    actor.owed.clear()
    return Scene(name, tuple(dict.fromkeys(found)), len(actor.seen) - begun)


def requests(seen: Sequence[Seen], root: str) -> Iterator[Finding]:
    """Yield what is wrong with requests.

    Args:
        seen: In order.
        root: Where answers may go, with a slash at its end.
    """
    wait: dict[tuple[str, str], int] = {}
    insisted: dict[str, int] = {}
    for one in seen:
        topic = one.message.topic
        yield from _message(one, root)
        if one.verb not in NEEDS:
            yield Finding(topic, "", "a verb of the contract", quoted(one.verb), VERBS)
            continue
        if one.asked is None:
            continue
        yield from _body(one, topic)
        client = (one.asked.topic, one.verb)
        if one.at < wait.get(client, 0):
            seconds = (wait[client] - one.at) / 1e9
            yield Finding(topic, "", "a pause after busy", f"asked {seconds:.1f} s too early", REQUESTS)
        told = _TOLD.search(one.text)
        if one.code == "busy":
            wait[client] = one.at + (int(told[1]) if told else UNTOLD_S) * 10**9
        if one.code == "no_consent":
            insisted[one.verb] = insisted.get(one.verb, 0) + 1
            if insisted[one.verb] == INSISTED + 1:
                expected = "no further request until the manifest shows another consent"
                yield Finding(topic, "", expected, f"more than {INSISTED}", CONSENT)


def _message(one: Seen, root: str) -> Iterator[Finding]:
    topic, message = one.message.topic, one.message
    if message.retained:
        yield Finding(topic, "retain", "a request that is not retained", "a retained one", REQUESTS)
        return
    if message.qos == 0:
        yield Finding(topic, "QoS", "1", "0", TOPICS)
    if one.asked is None:
        where = message.response_topic or "none that can be read"
        yield Finding(topic, "response topic", f"{root} and one level of letters, digits, - and _", where, REQUESTS)
        return
    if not one.asked.correlation:
        yield Finding(topic, "correlation data", "some", "none", REQUESTS)
    if message.response_topic is not None and not 0 < (message.expiry or 0) <= EXPIRY_S:
        seen = "none" if message.expiry is None else f"{message.expiry} s"
        yield Finding(topic, "message expiry", f"at most {EXPIRY_S} s", seen, REQUESTS)


def _body(one: Seen, topic: str) -> Iterator[Finding]:
    kind = TYPES.get(one.verb)
    if one.asked is None or kind is None or one.verb in {"consent.get", "exit.test"}:
        return
    try:
        body = read(one.asked.body.strip() or b"{}", kind, topic)
    except Broken as exc:
        yield exc.finding
        return
    if isinstance(body, WindowRequest) and body.step_s % DAY_S:
        yield Finding(topic, "step_s", "whole days: nothing finer leaves a factory", f"{body.step_s}", VERBS)
    if isinstance(body, DayRequest | WindowRequest | MdeRequest):
        try:
            days = (date.fromisoformat(body.to) - date.fromisoformat(body.from_)).days
        except ValueError:
            yield Finding(topic, "from, to", "dates", f"{body.from_}, {body.to}", PAYLOADS)
            return
        if not 0 <= days < LONGEST:
            yield Finding(topic, "from, to", f"at most {LONGEST} days, from not after to", f"{days} days", VERBS)
