"""JSON Schemas of every payload, made from their types: `python -m contract.schemas` writes `contract/schemas/`.

They are for whoever speaks to us from another language; a test fails when a file is stale.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from contract import consent, day, event, evidence, manifest, payload, report, verbs
from contract.topics import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).with_suffix("")
PAYLOADS: Mapping[str, type[msgspec.Struct]] = {
    "data": payload.Data,
    "birth": payload.Birth,
    "stored": payload.Stored,
    "need_birth": payload.NeedBirth,
    "status": payload.Status,
    "worker": payload.Worker,
    "evidence": evidence.EvidencePart,
    "evidence.day": evidence.FactoryDay,
    "evidence_ok": evidence.EvidenceOk,
    "readiness": report.Report,
    "report.get": report.ReportRequest,
    "refusal": report.Refusal,
    "answers": payload.SignedAnswers,
    "request": payload.Request,
    "response": payload.Response,
    "manifest": manifest.Manifest,
    "day": day.SignedDay,
    "day.record": day.Day,
    "day.get": day.DayRequest,
    "days": day.Days,
    "window.get": verbs.WindowRequest,
    "window": verbs.Series,
    "fit.check": verbs.FitRequest,
    "fit.solution": verbs.Solution,
    "fit": verbs.Fit,
    "mde.get": verbs.MdeRequest,
    "mde": verbs.Mde,
    "baseline.freeze": verbs.BaselineRequest,
    "baseline": verbs.SignedBaseline,
    "baseline.record": verbs.Baseline,
    "consent": consent.Consent,
    "event": event.Event,
    "exit": verbs.Exit,
}
"""Name of the payload (its topic's last level, or the verb) -> type."""


def schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a payload."""
    made = msgspec.json.schema(PAYLOADS[name])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:{PREFIX.replace('/', ':')}:{name}",
        **made,
    }


def text(name: str) -> str:
    """Return the content of a payload's schema file."""
    return json.dumps(schema(name), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def main() -> None:
    """Write all schema files."""
    FOLDER.mkdir(exist_ok=True)
    for name in PAYLOADS:
        (FOLDER / f"{name}.json").write_text(text(name), "utf-8")


if __name__ == "__main__":
    main()
