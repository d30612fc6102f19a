"""Writes the tables of `docs/answers.md` from the models: `python -m answers.reference > docs/answers.md`."""

from __future__ import annotations

import sys

from answers.model import Answers
from readiness.contradictions import CODES
from settings.reference import page

_INTRODUCTION = """\
# The mentor's answers

<!-- Made from the models by `python -m answers.reference > docs/answers.md`; a test compares. -->

Some of what readiness needs no device can tell: which machines there are, when the site plans to work, what a
value of a state means, how long a piece should take, what people count by hand. Somebody answers it, with name
and date, in one file such as [config/answers.example.yaml](../config/answers.example.yaml), or on the platform,
which sends the same as a signed message. [한국어](answers.ko.md)

    tsq-agent answers check answers.yaml     # mistakes by line; with the agent's file also what does not fit
    tsq-agent answers show                   # what counts in the running agent, from whom, since when

The agent's file names it: `readiness: {answers: /etc/tsq/answers.yaml}`. A changed file is taken up within
seconds.

- **What is not written is not answered**, and is never taken for a no. An indicator that needs it says so.
- **An answer never overwrites a measurement.** Where the two differ, both stand in the report, as a
  contradiction.
- What the device itself says goes before people, people before what a tool has guessed. Guesses never score.
- Among people the later answer counts, by its date and then by `serial`; the other one is listed. An answer also
  counts before the configuration, which has no date.
- Every entry may have `by`, `on` and `proof`: another person than the author, another date, where it can be
  looked up.
- `serial` grows with every change. A set with an old one, or with the same one and other content, is not taken
  over, and the last good set goes on. Every accepted set stays in `answers/` of the state folder with its hash;
  the report names the hash that it used.
- No persons: use logs are sums by class of accounts, and a field or column that would hold a name or an employee
  number is refused.
- A machine that is not in the configuration is added to the inventory when its entry has a `name`.
- Values of signals are written as the signal shows them (`3`, `true`, `RUN`) or as the configuration calls them
  (`labels`). Times are local ones of the site.

## The signed message

Topic `tsq/1/{factory}/{agent}/answers`, retained, on the platform's broker, at most 256 kB: `{"answers": text,
"key": id, "signature": base64}`. The text is this file as JSON. Ed25519 signs the UTF-8 bytes of the topic, a
line feed and the text, so nothing has to be written anew to be checked and nothing can be sent on to another
agent. `uplink.platform.answers_key` holds the public key (a PEM file, or the base64 of its 32 bytes); without it
no message is believed. `key` is BLAKE2b-64 of these 32 bytes as hex. Tables (`points_file`, `use_file`) stand in
files only.

## Contradictions

| code | meaning |
|---|---|
"""

_TITLES = {
    "Answers": "The file",
    "Signature": "inventory",
    "MachineAnswer": "machines",
    "SignalAnswer": "signals",
    "LoopAnswer": "loops",
    "ProductAnswer": "products",
    "CalendarAnswer": "calendar",
    "Planned": "calendar.planned",
    "Shift": "calendar.extra",
    "HandCountAnswer": "hand_counts",
    "StopReasonAnswer": "stop_reasons",
    "SystemAnswer": "systems",
    "UseAnswer": "use",
    "BillAnswer": "bills",
    "ClaimAnswer": "claims",
    "OnboardingAnswer": "onboardings",
}


def reference() -> str:
    """Return the page."""
    codes = "".join(f"| `{code}` | {en} |\n" for code, (en, _) in CODES.items())
    return page(Answers, _INTRODUCTION + codes, _TITLES)


if __name__ == "__main__":
    sys.stdout.write(reference())
