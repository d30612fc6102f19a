"""Registering a version of a solution: its needs are checked, become one text, and that text is signed.

The text is canonical JSON of `contract.verbs.Solution`, so that a version has one hash for ever. A version that is
registered never changes; other needs are another version. Needs may only be of metrics that the solution's family
is about (a list that is published with the catalogue): one for energy has no business asking for maintenance.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from contract.codec import encode
from contract.signing import key_id, seal
from contract.topics import PREFIX
from contract.verbs import FitRequest
from readiness.indicators import REGISTRY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from contract.signing import PrivateKey
    from contract.verbs import Solution

FIT_TOPIC = f"{PREFIX}/fit"
"""What is signed stands under it (`contract.verbs.FitRequest`)."""
Audience = Literal["supplier", "owner", "mentor"]
Code = Literal[
    "unknown_metric",  # no indicator of that name
    "foreign_metric",  # not one of the family's
    "no_limit",  # a need with neither least nor most asks nothing
    "empty_range",  # nothing lies between its limits
    "same_name",  # two needs of one name
    "changed",  # this version is registered with other needs
]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is wrong with a registration; `need` is the supplier's name of the need, None for all of it."""

    code: Code
    need: str | None = None


@dataclass(frozen=True, slots=True)
class Registered:
    """A version as it is registered: the text that is signed, and its SHA-256."""

    solution: str
    version: str
    text: str
    hash: str


def refusals(solution: Solution, family: frozenset[str], registered: Mapping[str, str]) -> Sequence[Refusal]:
    """Return everything that is wrong with a registration, in the order of its needs; nothing when it is fine.

    Args:
        solution: As the supplier sends it.
        family: Metrics that its family is about.
        registered: Version -> hash of what this solution has registered before.
    """
    found: list[Refusal] = []
    names = Counter(need.id for need in solution.needs)
    found += [Refusal("same_name", name) for name, count in names.items() if count > 1]
    for need in solution.needs:
        if need.metric not in REGISTRY:
            found.append(Refusal("unknown_metric", need.id))
        elif need.metric not in family:
            found.append(Refusal("foreign_metric", need.id))
        if need.min is None and need.max is None:
            found.append(Refusal("no_limit", need.id))
        elif need.min is not None and need.max is not None and need.min > need.max:
            found.append(Refusal("empty_range", need.id))
    if registered.get(solution.version, hashed(solution)) != hashed(solution):
        found.append(Refusal("changed"))
    return tuple(found)


def text(solution: Solution) -> str:
    """Return the text that is signed and sent."""
    return encode(solution).decode()


def hashed(solution: Solution) -> str:
    """Return the SHA-256 of that text, as hex."""
    return sha256(text(solution).encode()).hexdigest()


def register(solution: Solution, family: frozenset[str], registered: Mapping[str, str]) -> Registered:
    """Return a version as it is registered; the same again for the same needs.

    Raises:
        ValueError: `refusals` has some.
    """
    wrong = refusals(solution, family, registered)
    if wrong:
        told = ", ".join(one.code if one.need is None else f"{one.need}: {one.code}" for one in wrong)
        raise ValueError(f"{solution.solution} {solution.version} cannot be registered: {told}")
    return Registered(solution.solution, solution.version, text(solution), hashed(solution))


def request(
    registered: Registered, key: PrivateKey, *, audience: Audience = "supplier", machine: str | None = None
) -> FitRequest:
    """Return the body of `fit.check`, signed by the platform.

    Args:
        registered: The version.
        key: The platform's, whose public half the agents have.
        audience: For whom the answer is. What is missing is only told to owner and mentor.
        machine: One machine, or the best of the plant's.

    Raises:
        ValueError: The text is not the one that was hashed.
    """
    if sha256(registered.text.encode()).hexdigest() != registered.hash:
        raise ValueError(
            f"{registered.solution} {registered.version}: the text was changed after it was registered"
        )
    signature = seal(FIT_TOPIC, registered.text, key)
    return FitRequest(registered.text, key_id(key.public_key()), signature, machine, audience)
