"""Node ids as text: `i=2258`, `ns=2;s=Line1.Motor`, `nsu=urn:plant:plc;s=Line1.Motor`. Pure.

The number of a namespace is handed out by the server when it starts and may be another one after an update; its
URI stays. So a `nsu=` node is resolved after each connect.
"""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import unquote

from settings.language import Complaint

if TYPE_CHECKING:
    from collections.abc import Sequence

Identifier = int | str | uuid.UUID | bytes

_NODE = re.compile(r"(?:ns=(?P<ns>\d{1,5});|nsu=(?P<nsu>[^;]+);)?(?P<kind>[isgb])=(?P<id>.+)", re.DOTALL | re.ASCII)


@dataclass(frozen=True, slots=True)
class NodeAddress:
    """One node of a server.

    Attributes:
        identifier: int, str, UUID or bytes, as the text's `i`, `s`, `g` or `b` says.
        namespace: Index of the namespace; meaningless while `uri` is set.
        uri: URI of the namespace, or None where the text gave an index.
    """

    identifier: Identifier
    namespace: int = 0
    uri: str | None = None

    def index(self, namespaces: Sequence[str]) -> int | None:
        """Return the namespace index on a server, or None if the server does not know the URI."""
        if self.uri is None:
            return self.namespace
        return namespaces.index(self.uri) if self.uri in namespaces else None


def parse(text: str) -> NodeAddress:
    """Read a node id.

    Raises:
        Complaint: with what to write instead.
    """
    match = _NODE.fullmatch(text)
    if match is None:
        raise Complaint(
            "write a node as ns=2;s=Name, nsu=URI;s=Name or ns=2;i=1234",
            "노드는 ns=2;s=이름, nsu=URI;s=이름 또는 ns=2;i=1234 형식으로 쓰십시오",
        )
    identifier = _identifier(match["kind"], match["id"])
    namespace = int(match["ns"] or 0)
    if namespace > 0xFFFF:
        raise Complaint("a namespace index is at most 65535", "ns 번호는 65535 이하로 쓰십시오")
    return NodeAddress(identifier, namespace, unquote(match["nsu"]) if match["nsu"] else None)


def _identifier(kind: str, raw: str) -> Identifier:
    if kind == "s":
        return raw
    if kind == "i":
        if not (raw.isascii() and raw.isdecimal() and int(raw) < 2**32):
            raise Complaint(
                "after i= write a number up to 4294967295", "i= 뒤에는 4294967295 이하의 숫자를 쓰십시오"
            )
        return int(raw)
    try:
        return uuid.UUID(raw) if kind == "g" else base64.b64decode(raw, validate=True)
    except (ValueError, binascii.Error) as exc:
        raise Complaint(
            f"after {kind}= write {'a GUID' if kind == 'g' else 'base64 text'}",
            f"{kind}= 뒤에는 {'GUID' if kind == 'g' else 'base64 문자'}를 쓰십시오",
        ) from exc
