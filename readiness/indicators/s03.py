"""S03 Certificate hygiene: certificates of devices that are valid, strong, nobody else's and not about to end."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from readiness.conduits import OPCUA, TLS, current, devices, server
from readiness.indicators.base import Census, Indicator, Missing, Outcome

if TYPE_CHECKING:
    from readiness.records import Certificate
    from readiness.view import View

DAY_NS = 86_400_000_000_000
LEFT_DAYS = 90
FOR_LIFE_DAYS = 20 * 365
"""A self-signed certificate that is meant to last as long as the machine: nobody will ever renew it."""
HASHES = frozenset({"sha256", "sha384", "sha512", "sha3-256", "sha3-384", "sha3-512"})
RSA_BITS, EC_BITS = 2048, 224


def faults(certificate: Certificate, now_ns: int, *, shared: bool) -> set[str]:
    """Return what is wrong with a certificate at a moment."""
    begin, end = int(certificate.begin), int(certificate.end)
    needed = EC_BITS if certificate.key == "EC" else RSA_BITS
    judged = {
        "CERTIFICATE_INVALID": not begin <= now_ns < end,
        "CERTIFICATE_ENDS_SOON": now_ns < end <= now_ns + LEFT_DAYS * DAY_NS,
        "WEAK_KEY": certificate.bits < needed,
        "WEAK_HASH": certificate.hash.casefold() not in HASHES,
        "SHARED_CERTIFICATE": shared,
    }
    return {name for name, holds in judged.items() if holds}


def evaluate(view: View, machine: str) -> Outcome:
    """Return the share of certificates of a machine's devices in which nothing is wrong."""
    last = {link.device: current(view, link.device) for link in view.catalog}
    every = {
        device: record.certificates[device]
        for device, record in last.items()
        if record is not None and device in record.certificates
    }
    now_ns = view.calendar.bounds(view.dates[-1])[1]  # of the window, so that one day's reports say the same
    places = {device: server(view, device) for device in every}
    owners = Counter(print_ for print_, _ in {(it.fingerprint, places[device]) for device, it in every.items()})
    wrong: dict[str, set[str]] = {}
    ends: list[int] = []
    flags: set[str] = set()
    reached = silent = 0
    for device, links in devices(view, machine).items():
        record = last[device]
        said = None if record is None else record.connections[device]
        reached += said is not None
        if device not in every:
            # A device may have none; one whose session rests on a certificate must have told it.
            silent += (
                said is not None and said.peer_authenticated and (links[0].protocol == OPCUA or said.mode == TLS)
            )
            continue
        certificate = every[device]
        shared = owners[certificate.fingerprint] > 1
        wrong.setdefault(places[device], set()).update(faults(certificate, now_ns, shared=shared))
        ends.append(int(certificate.end))
        if certificate.self_signed and int(certificate.end) - int(certificate.begin) >= FOR_LIFE_DAYS * DAY_NS:
            flags.add("SELF_SIGNED_FOR_LIFE")
    if not wrong:
        return Missing("NA_NO_EVIDENCE" if silent or not reached else "NOT_APPLICABLE")
    days = (min(ends) - now_ns) // DAY_NS
    return Census(
        sum(not found for found in wrong.values()) / len(wrong),
        len(wrong),
        quality="partial" if silent else "measured",
        flags=tuple(sorted(flags.union(*wrong.values()))),
        shown={"certificates": len(wrong), "days_left": days},
    )


INDICATOR = Indicator(
    id="S03",
    ko="인증서 관리",
    en="Certificate hygiene",
    unit="1",
    formula="certificates that are valid for more than 90 days yet, with RSA of at least 2048 bits or an "
    "elliptic curve, signed with SHA-256 or better, and of one device only / certificates; two entries of the file "
    "for one server (host and port) are one device",
    source="readiness.md 7.3 S; decision 77",
    inputs=("certificates", "connection", "catalog", "inventory"),
    reasons=("NA_NO_INVENTORY", "NA_NO_EVIDENCE", "NOT_APPLICABLE"),
    guard="days left are counted from the end of the window; a certificate that two devices show is nobody's; a "
    "self-signed one for twenty years or more is flagged (SELF_SIGNED_FOR_LIFE); without certificates it "
    "does not apply, and S01 says 0",
    evaluate=evaluate,
)
