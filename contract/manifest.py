"""The manifest: what an agent has to say, who signs for it, and how far its chain has come. Retained."""

from __future__ import annotations

from typing import Annotated

import msgspec

from contract.consent import Given
from contract.day import Digest, Number
from contract.payload import Checksum, Nanoseconds
from contract.report import Date, Hash, Id

PublicKey = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9+/]{43}=$")]
Signature = Annotated[str, msgspec.Meta(pattern="^[A-Za-z0-9+/]{86}==$")]


class ManifestMachine(msgspec.Struct, frozen=True):
    """A declared machine."""

    id: Id
    name: str
    weight: float


class Head(msgspec.Struct, frozen=True):
    """The last record of a chain: `hash` is what the next one has as `prev`."""

    number: Number
    date: Date
    hash: Digest


class Manifest(msgspec.Struct, frozen=True, omit_defaults=True):
    """What may be asked of an agent.

    `reporter` is the agent that signs for the factory, `public_key` base64 of the 32 bytes of its Ed25519 key. A
    platform that sees another key than before asks the owner whether the box was changed. `proof` is base64 of
    Ed25519 by that key over the UTF-8 bytes of the topic, a line feed, and number, date and hash of `chain` with a
    blank between: a box that was restored goes on behind a newer head of its own key only where it has signed it.
    """

    factory: Id
    site: Id
    agent: Id
    reporter: Id
    made_at: Nanoseconds
    key: Checksum
    public_key: PublicKey
    formulas: str
    model: Hash
    config: Hash
    plant: Hash
    machines: list[ManifestMachine]
    metrics: list[Id]
    verbs: list[str]
    consent: Given
    chain: Head | None = None
    proof: Signature | None = None
