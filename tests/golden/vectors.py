"""Test vectors for whoever verifies in another language: `python -m tests.golden.vectors` writes missing ones.

Like all golden files they are final. `vectors.json` lists them: right ones with the head of the chain behind them,
one that JSON writes differently and that is the same, and wrong ones with what is wrong. `*.signed` are the exact
bytes that are signed and hashed. The seed is public: a key of it must sign nothing else.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from contract.codec import encode
from contract.day import Day, DayMachine, Days, MetricDay, SignedDay
from contract.manifest import Head
from contract.signing import head_hash, key_id, key_text, private_key, seal
from contract.verbs import Baseline, FrozenDay, SignedBaseline
from tests.golden import BIRTH, EVIDENCE, EXAMPLES, KEY, KEY_ID, SOLUTION_TEXT, TOPICS

if TYPE_CHECKING:
    from contract.manifest import Manifest

FOLDER = Path(__file__).parent / "vectors"
SUMS = FOLDER.with_suffix(".sha256")
SEED = bytes(range(32))
OTHER = private_key(bytes(32))
PRESS = "프레스 1호 𝒜"
"""Two bytes, three and four of UTF-8 in one name, and a pair of UTF-16."""
HOUR = 3600 * 10**9
MIDNIGHT = 1795100400 * 10**9


def _day(number: int, prev: str | None) -> Day:
    start = MIDNIGHT + (number - 1) * 24 * HOUR
    return Day(
        factory="hanil",
        site="main",
        agent="edge-1",
        date=f"2026-11-{19 + number}",
        zone="Asia/Seoul",
        start=str(start),
        end=str(start + 24 * HOUR),
        number=number,
        made_at=str(start + 25 * HOUR),
        key=KEY_ID,
        formulas="2026.11.2",
        model="6dedf82530ccd7af",
        config=BIRTH,
        plant="00112233445566ff",
        evidence=EVIDENCE,
        simulated=1.0,
        machines=[DayMachine(PRESS, 2.0, str(16 * HOUR)), DayMachine("lathe/2", 1.0, "0")],
        metrics=[
            MetricDay(
                "A01", "1", "ratio", [0], [16.0 * HOUR - number], [16.0 * HOUR], apart={"NA_NO_EVIDENCE": [1]}
            ),
            MetricDay("E01", "kW.h", "ratio", [0], [81.5 + number / 3], [412.0], per=100.0, whole=True),
        ],
        prev=prev,
    )


def _signed(day: Day) -> SignedDay:
    text = encode(day).decode()
    return SignedDay(text, KEY_ID, seal(TOPICS.day(day.date), text, KEY))


def _escaped(raw: bytes) -> bytes:
    """Return the same JSON written otherwise: other order, white space, every character beyond ASCII escaped."""
    document = json.loads(raw)
    text = json.dumps(dict(reversed(document.items())), ensure_ascii=True, indent=2)
    return text.replace("/", "\\/").encode()


def files() -> dict[str, bytes]:
    """Return every vector: name and bytes."""
    found: dict[str, bytes] = {}
    index: dict[str, Any] = {
        "seed_hex": SEED.hex(), "public_key": key_text(KEY.public_key()), "key": KEY_ID, "right": [], "wrong": [],
    }  # fmt: skip
    signed: list[SignedDay] = []
    days: list[Day] = []
    heads: list[Head] = []
    for number in range(1, 5):
        day = _day(number, heads[-1].hash if heads else None)
        one, topic = _signed(day), TOPICS.day(day.date)
        days.append(day)
        signed.append(one)
        heads.append(Head(number, day.date, head_hash(topic, one.record)))
        found[f"day-{number}.json"] = encode(one)
        found[f"day-{number}.signed"] = f"{topic}\n{one.record}".encode()
    found["day-2.escaped.json"] = _escaped(found["day-2.json"])
    for name, at in (("day-1", 0), ("day-2", 1), ("day-2.escaped", 1), ("day-3", 2), ("day-4", 3)):
        index["right"].append(
            {
                "file": f"{name}.json", "topic": TOPICS.day(days[at].date), "signed": f"day-{at + 1}.signed",
                "before": None if at == 0 else heads[at - 1].hash, "number": at + 1, "head": heads[at].hash,
            }
        )  # fmt: skip
    manifest: Manifest = EXAMPLES["manifest"]  # type: ignore[assignment]
    found["manifest.json"] = encode(replace(manifest, chain=heads[-1]))
    found["days.json"] = encode(Days(signed))
    frozen = encode(
        Baseline(
            factory="hanil", agent="edge-1", project="p-7", frozen_at=str(MIDNIGHT + 100 * HOUR), metrics=["A01"],
            treated=[PRESS], controls=[], days=[FrozenDay(head.date, head.hash) for head in heads[:2]],
        )
    ).decode()  # fmt: skip
    texts = {"baseline": (TOPICS.event("baseline_frozen"), frozen), "solution": ("tsq/1/fit", SOLUTION_TEXT)}
    for name, (topic, text) in texts.items():
        signature = seal(topic, text, KEY)
        index[name] = {"topic": topic, "signed": f"{name}.signed", "signature": signature}
        found[f"{name}.signed"] = f"{topic}\n{text}".encode()
    found["baseline.json"] = encode(SignedBaseline(frozen, KEY_ID, index["baseline"]["signature"]))
    third, topic = signed[2], TOPICS.day(days[2].date)
    moved = replace(days[2], prev=heads[0].hash)
    later = replace(days[2], number=7)
    foreign = encode(replace(days[2], key=key_id(OTHER.public_key()))).decode()
    wrong: dict[str, tuple[SignedDay, str, str]] = {
        "changed": (replace(third, record=third.record.replace("A01", "A02")), topic, "signature"),
        "space": (replace(third, record=third.record.replace(":", ": ", 1)), topic, "signature"),
        "signature": (replace(third, signature=signed[1].signature), topic, "signature"),
        "topic": (third, TOPICS.day(days[3].date), "signature"),
        "agent": (third, topic.replace("edge-1", "edge-2"), "signature"),
        "key": (
            SignedDay(foreign, key_id(OTHER.public_key()), seal(topic, foreign, OTHER)), topic, "key",
        ),
        "prev": (_signed(moved), topic, "chain"),
        "number": (_signed(later), topic, "chain"),
    }  # fmt: skip
    for name, (one, where, why) in wrong.items():
        found[f"wrong-{name}.json"] = encode(one)
        index["wrong"].append(
            {"file": f"wrong-{name}.json", "topic": where, "before": heads[1].hash, "number": 3, "why": why}
        )
    found["vectors.json"] = json.dumps(index, indent=2, ensure_ascii=False).encode() + b"\n"
    return found


def main() -> None:
    """Write the vectors that are missing, and the sums of all."""
    FOLDER.mkdir(exist_ok=True)
    for name, raw in files().items():
        path = FOLDER / name
        if not path.exists():
            path.write_bytes(raw)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(FOLDER.iterdir())]
    SUMS.write_text("".join(lines), "ascii")


if __name__ == "__main__":
    main()
