"""A line of thirty OPC UA devices that differ in what they say of themselves: C02, C04, Q09 and S01-S04."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from agent.frame import Facts
from readiness.plant import Meaning
from tests.validity.shop import REAL, Part, Subscribed, source_of, tag

if TYPE_CHECKING:
    from agent.frame import Json
    from tests.validity.shop import Site

DEVICES, SIGNALS = 30, 4
MACHINERY, OWN = "http://opcfoundation.org/UA/Machinery/", "urn:maker:own"
LOCK = "http://opcfoundation.org/UA/SecurityPolicy#"
WORDS = ("주축 온도", "유압 압력", "이송 속도", "진동 가속도")


def line(site: Site) -> Part:
    """Return the line of one run: each kind of fault strikes some of its devices or signals."""
    part = Part("line-1", path="공장/가공/1라인")
    struck = {name: site.pick(DEVICES, site.level) for name in ("model", "plain", "weak", "cert")}
    typed, mute, rights = (site.pick(DEVICES * SIGNALS, site.level) for _ in range(3))
    start = int(site.ns(np.array([60.0]))[0])
    credit = []
    for k in range(DEVICES):
        device = f"line-1-d{k}"
        signals, catalog = [], dict[str, "Json"]()
        for n in range(SIGNALS):
            index = k * SIGNALS + n
            name = f"d{k}-v{n}"
            signals.append(
                tag("line-1", name, REAL, "pv", found="manual" if typed[index] else "browse", unit="Cel")
            )
            catalog[name] = {
                "display_name": f"Spindle temperature {n}", "data_type": "Double", "unit": "Cel",
                "description": "" if mute[index] else f"{WORDS[n]} {k + 1}번 장치",
                "range": [0, 100], "browse_namespace": OWN if struck["model"][k] else MACHINERY,
            }  # fmt: skip
            # Id, description, unit and range from the device itself; place and role from people.
            credit.append((1 + (not mute[index]) + 1 + 1 + 0.8 + 0.8) / 6)
        source = source_of("line-1", signals, 1.0, f"d{k}", "opcua", "subscription")
        source = type(source)(
            id=f"{device}.main", device=device, protocol="opcua", mode="subscription",
            interval_ns=source.interval_ns, signals=source.signals,
        )  # fmt: skip
        rows = site.ns(np.repeat(np.array([d * 86_400.0 + 100 for d in range(site.days)]), SIGNALS))
        part.streams.append(
            Subscribed(
                source, np.tile(np.arange(SIGNALS, dtype=np.int32), site.days), rows,
                [20.0 + i % 7 for i in range(len(rows))], np.zeros(len(rows), np.uint32), rows - 5_000_000,
            )
        )  # fmt: skip
        one = {name: bool(row[k]) for name, row in struck.items()}
        body = _session(one, k, int(rights[k * SIGNALS : (k + 1) * SIGNALS].sum()))
        part.items += [
            Facts(kind="connection", time_ns=start + k, subject=device, body=body),
            Facts(
                kind="catalog", time_ns=start + k, subject=device, body={"source": source.id, "signals": catalog}
            ),
            Facts(
                kind="access", time_ns=start + k, subject=device,
                body={"asked": SIGNALS, "writable": int(rights[k * SIGNALS : (k + 1) * SIGNALS].sum())},
            ),
        ]  # fmt: skip
        part.meanings |= {f"line-1/{s.id}": Meaning(role="pv") for s in signals}
    part.truth |= {
        "C02": 100 - 15 * float(struck["model"].mean()),
        "C04": 1 - float(typed.mean()),
        "Q09": float(np.mean(credit)),
        "S01": 1 - float(struck["plain"].mean()),
        "S02": 1 - float(struck["weak"].mean()),
        "S03": 1 - float(struck["cert"].mean()),
        "S04": 1 - float(rights.mean()),
    }
    return part


def _session(struck: dict[str, bool], number: int, writable: int) -> dict[str, Any]:
    del writable
    good = {"mode": "SignAndEncrypt", "policy": f"{LOCK}Basic256Sha256", "tokens": ["UserName"]}
    weak = {"mode": "None", "policy": f"{LOCK}None", "tokens": ["Anonymous"]}
    return {
        "protocol": "opcua",
        "mode": "None" if struck["plain"] else "SignAndEncrypt",
        "policy": f"{LOCK}None" if struck["plain"] else f"{LOCK}Basic256Sha256",
        "peer_authenticated": not struck["plain"],
        "namespaces": [OWN, MACHINERY],
        "endpoints": [good, weak] if struck["weak"] else [good],
        "certificate": {
            "sha256": f"{number:064x}", "not_before": "2026-01-01T00:00:00+00:00",
            "not_after": "2028-01-01T00:00:00+00:00", "key": "RSA", "key_bits": 1024 if struck["cert"] else 2048,
            "hash": "sha256", "self_signed": True,
        },
    }  # fmt: skip
