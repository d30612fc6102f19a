"""What the kit says when somebody leaves the wire: where, what was expected, what was found, and by which rule."""

from __future__ import annotations

from dataclasses import dataclass

PAGE = "docs/wire.md"
TOPICS, PAYLOADS, MANIFEST, DAYS = "#the-wire", "#what-holds-for-every-payload", "#manifest-and-report", "#days"
CONSENT, VERBS, REQUESTS, OLDER = "#consent", "#verbs", "#requests-and-answers", "#mqtt-311"
RULES = (TOPICS, PAYLOADS, MANIFEST, DAYS, CONSENT, VERBS, REQUESTS, OLDER)
"""Headings of the page that a finding may name."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One deviation.

    Attributes:
        topic: Where it was seen: of an answer, the topic of the request.
        field: Path in the payload, "" for the message itself.
        expected: By the rule.
        found: Instead.
        rule: Heading of `PAGE`.
    """

    topic: str
    field: str
    expected: str
    found: str
    rule: str

    def __str__(self) -> str:
        place = f"{self.topic} {self.field}".rstrip()
        return f"{place}: expected {self.expected}, found {self.found} ({PAGE}{self.rule})"


class Broken(Exception):  # noqa: N818 - reads as what happened
    """A deviation behind which a check cannot go on."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(str(finding))
        self.finding = finding


class Open(Exception):  # noqa: N818 - reads as what happened
    """It cannot be told here, and why."""


@dataclass(frozen=True, slots=True)
class Result:
    """Of one check: `ok` is None where it cannot be told, and `text` says why."""

    check: str
    ok: bool | None
    text: str = ""
    findings: tuple[Finding, ...] = ()
