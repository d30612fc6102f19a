"""The elements of the AAS metamodel 3.0 that we use, as its JSON serialisation has them. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

Element = dict[str, Any]
LENGTH = 128
_FORBIDDEN = re.compile(r"[^A-Za-z0-9_]")


def short(name: str, taken: set[str]) -> str:
    """Return an idShort for a name of ours (letters, digits and underscores, a letter first), and take it."""
    found = _FORBIDDEN.sub("_", name).strip("_")
    found = found if found[:1].isalpha() else f"s_{found}".rstrip("_")
    found = found[: LENGTH - 4]
    wanted, number = found, 2
    while wanted in taken:
        wanted, number = f"{found}_{number}", number + 1
    taken.add(wanted)
    return wanted


def external(value: str) -> Element:
    """Return a reference to something outside of any shell."""
    return {"type": "ExternalReference", "keys": [{"type": "GlobalReference", "value": value}]}


def model(*keys: tuple[str, str]) -> Element:
    """Return a reference within a shell: (type, id or idShort) from the submodel on."""
    return {"type": "ModelReference", "keys": [{"type": kind, "value": value} for kind, value in keys]}


def prop(name: str, meaning: str | None, kind: str, value: str | None) -> Element:
    """Return a property; without a value where nothing is known."""
    found: Element = {"idShort": name, "modelType": "Property", "valueType": kind}
    return found | _meaning(meaning) | ({} if value is None else {"value": value})


def text(name: str, meaning: str | None, value: str | None, language: str = "ko") -> Element:
    """Return a text in a language."""
    found: Element = {"idShort": name, "modelType": "MultiLanguageProperty"}
    return found | _meaning(meaning) | ({} if value is None else {"value": [{"language": language, "text": value}]})


def collection(name: str, meaning: str | None, value: Sequence[Element], more: Sequence[str] = ()) -> Element:
    """Return a collection; an empty one has no value."""
    found: Element = {"idShort": name, "modelType": "SubmodelElementCollection"} | _meaning(meaning)
    if more:
        found["supplementalSemanticIds"] = [external(each) for each in more]
    return found | ({"value": list(value)} if value else {})


def references(name: str, meaning: str, value: Sequence[Element]) -> Element:
    """Return a list of references, all with the same meaning."""
    return {
        "idShort": name,
        "modelType": "SubmodelElementList",
        "semanticId": external(meaning),
        "semanticIdListElement": external(meaning),
        "typeValueListElement": "ReferenceElement",
        "orderRelevant": True,
        "value": [
            {"modelType": "ReferenceElement", "semanticId": external(meaning), "value": one} for one in value
        ],
    }


def limits(name: str, meaning: str, kind: str, low: str, high: str, more: Sequence[str]) -> Element:
    """Return a range."""
    return {
        "idShort": name, "modelType": "Range", "semanticId": external(meaning), "valueType": kind, "min": low,
        "max": high, "supplementalSemanticIds": [external(each) for each in more],
    }  # fmt: skip


def submodel(
    id_: str,
    name: str,
    meaning: Element,
    version: tuple[str, str],
    template: str | None,
    elements: Sequence[Element],
) -> Element:
    """Return a submodel that is an instance of a template."""
    about: Element = {"version": version[0], "revision": version[1]}
    found: Element = {
        "id": id_, "idShort": name, "modelType": "Submodel", "kind": "Instance", "semanticId": meaning,
        "administration": about | ({} if template is None else {"templateId": template}),
    }  # fmt: skip
    return found | ({"submodelElements": list(elements)} if elements else {})


def _meaning(value: str | None) -> Element:
    return {} if value is None else {"semanticId": external(value)}
