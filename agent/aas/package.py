"""An AASX package (IDTA 01005-3-0): Open Packaging Conventions around one JSON environment. Pure.

The same environment gives the same bytes: no part carries a time.
"""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from contract.codec import encode

if TYPE_CHECKING:
    from agent.aas.elements import Element

_XML = '<?xml version="1.0" encoding="utf-8"?>\n'
_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
_AASX = "http://admin-shell.io/aasx/relationships"
ORIGIN, DATA = "aasx/aasx-origin", "aasx/data.json"
_TYPES = (
    f'{_XML}<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    '<Default Extension="json" ContentType="application/json"/>'
    f'<Override PartName="/{ORIGIN}" ContentType="text/plain"/></Types>'
)
_EARLIEST = (1980, 1, 1, 0, 0, 0)


def _relation(kind: str, target: str) -> str:
    return (
        f'{_XML}<Relationships xmlns="{_RELATIONS}">'
        f'<Relationship Type="{_AASX}/{kind}" Target="/{target}" Id="r1"/></Relationships>'
    )


def package(environment: Element) -> bytes:
    """Return the package of an environment."""
    parts = {
        "[Content_Types].xml": _TYPES.encode(),
        "_rels/.rels": _relation("aasx-origin", ORIGIN).encode(),
        ORIGIN: b"Intentionally empty.",
        "aasx/_rels/aasx-origin.rels": _relation("aas-spec", DATA).encode(),
        DATA: encode(environment),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in parts.items():
            entry = zipfile.ZipInfo(name, _EARLIEST)
            entry.compress_type = zipfile.ZIP_DEFLATED
            file.writestr(entry, content)
    return out.getvalue()
