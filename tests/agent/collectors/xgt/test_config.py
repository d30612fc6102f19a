"""What may be written about an XGT device, and what is said about mistakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import ValidationError

from agent.collectors.base import Forgetful
from agent.collectors.xgt.config import XgtDevice
from agent.collectors.xgt.frame import Station
from agent.collectors.xgt.plan import Limits
from agent.frame import DataType
from settings.language import Complaint
from tests.agent.collectors.xgt.rig import device, words

if TYPE_CHECKING:
    from agent.frame import Json


def complaints(signal: dict[str, Any], **options: Any) -> list[str]:
    """Return what is said about a signal, in English."""
    with pytest.raises(ValidationError) as caught:
        device(1, {"g/1s": [{"id": "x", "type": "uint16"} | signal]}, **options)
    found = []
    for error in caught.value.errors():
        complaint = error.get("ctx", {}).get("error")
        if isinstance(complaint, Complaint):
            assert complaint.text.ko != complaint.text.en
        found.append(complaint.text.en if isinstance(complaint, Complaint) else error["msg"])
    return found


@pytest.mark.parametrize(
    ("signal", "options", "says"),
    [
        ({"address": "MW100"}, {}, "MW100 lacks its percent sign: write %MW100"),
        ({"address": 40001}, {}, "write an address such as D00120"),
        ({"address": "D00120", "type": "bool"}, {}, "a bool needs the bit of D00120"),
        ({"address": "D00120", "bit": 3}, {}, "bit belongs to type: bool"),
        ({"address": "D00100.5", "type": "bool", "bit": 3}, {}, "D00100.5 is a bit: write type: bool"),
        ({"address": "%MB10", "type": "bool", "bit": 9}, {"cpu": "XGI"}, "is a byte with bits 0 to 7"),
        ({"address": "%MB10", "bits": [4, 9]}, {"cpu": "XGI"}, "is a byte with bits 0 to 7"),
        ({"address": "%MD50"}, {"cpu": "XGI"}, "%MD50 has 32 bits, uint16 has 16"),
        ({"address": "M0012F", "type": "bool", "word_order": "ABCD"}, {}, "a bit has no word_order"),
        (
            {"address": "%IX0.0.0", "type": "bool"},
            {},
            "XGK has no area I (%IX0.0.0): write cpu: XGI, XGR or XGB-IEC",
        ),
        ({"address": "D00120"}, {"cpu": "XGI"}, "XGI has no area D (D00120): write cpu: XGK or XGB-MK"),
        ({"address": "plc:state", "type": "bool"}, {}, "plc:state needs type: uint16"),
        ({"address": "plc:state", "scale": 2}, {}, "plc:state needs type: uint16 and nothing about bits"),
        ({"address": "plc:error", "type": "bool"}, {}, "group g asks for nothing"),
        ({"address": "D00001"}, {"module": "xgl-efmtc"}, "xgl-efmtc is not known: write xgl-efmt"),
        ({"address": "D00001", "type": "string", "length": 40}, {"max_bytes": 30}, "takes 40 bytes, more than one"),
        (
            {"address": "D00001", "type": "string", "length": 40},
            {"read": "single"},
            "takes 40 bytes, more than one",
        ),
        ({"address": "D00001", "scale": 0}, {}, "a scale of 0"),
    ],
)
def test_mistakes_are_explained(signal: dict[str, Any], options: dict[str, Any], says: str) -> None:
    assert any(says in text for text in complaints(signal, **options)), complaints(signal, **options)


def test_limits_and_header_follow_cpu_module_and_max_bytes() -> None:
    def one(**options: Any) -> XgtDevice:
        return device(1, {"g/1s": words(1, area="M")}, **options)

    assert one().limits == Limits(1400, 16, continuous=True)
    assert one(cpu="XGB-MK").limits.bytes == 512
    assert one(cpu="XGB-MK", max_bytes=700).limits.bytes == 700
    assert one(module="xbl-emta").limits.bytes == 512
    assert not one(read="single").limits.continuous
    assert one(cpu="XGB-IEC", base=1, slot=3, company="LGIS-GLOFA").station == Station("LGIS-GLOFA", 0xB4, 1, 3)


def ids(made: XgtDevice) -> list[list[str]]:
    return [[signal.id for signal in group.signals] for group in made.groups]


def test_the_state_of_the_plc_is_added_unless_it_is_written_or_unwanted() -> None:
    assert ids(device(1, {"a/1s": words(1), "b/1s": words(2)}, plc_state=True)) == [
        ["d1", "plc-state", "plc-error"], ["d2"],
    ]  # fmt: skip
    assert ids(device(1, {"a/1s": words(1)})) == [["d1"]]
    assert ids(device(1, {"a/10s": words(1), "b/1s": words(2)}, plc_state=True))[1] == [
        "d2",
        "plc-state",
        "plc-error",
    ]
    own = {"id": "run", "address": "plc:state", "type": "uint16", "role": "state"}
    made = device(1, {"a/1s": [*words(1), own]}, plc_state=True)
    assert ids(made) == [["d1", "run", "plc-error"]]
    assert made.sources()[0].signals[1].role_confirmed
    burst = {"length": "1m", "per": "1h", "agreed_by": "김대리", "agreed_on": "2026-11-02"}
    raw = device(1, {"a/1s": words(1), "b/1s": words(2)}).model_dump(mode="json")
    raw |= {
        "plc_state": True, "timeout": "1s", "request_gap": "0ms",
        "groups": [
            {"id": "a", "every": "100ms", "burst": burst, "signals": words(1)},
            {"id": "b", "every": "1s", "signals": words(2)},
        ],
    }  # fmt: skip
    assert ids(XgtDevice.model_validate(raw))[0] == ["d1"], "a burst tells nothing between its windows"


def test_a_second_state_is_no_guess_of_a_state() -> None:
    running = {"id": "running", "address": "M00001", "type": "bool", "role": "state"}
    made = device(1, {"a/1s": [running]}, plc_state=True)
    assert [signal.role for signal in made.sources()[0].signals] == ["state", None, "alarm"]


def test_alarm_words_become_bits() -> None:
    raw = device(1, {"g/1s": words(1)}).model_dump(mode="json") | {"timeout": "1s", "request_gap": "0ms"}
    raw["groups"] = [
        {
            "every": "1s",
            "alarms": [
                {"id": "hyd", "address": "D00130", "bits": {0: "유온", 3: {"text": "오일", "priority": "high"}}},
                {"id": "m", "address": "M0012F", "bits": {1: "문 열림"}},
                {"id": "t", "address": "%TX5", "bits": {0: "시간 초과"}},
            ],
        }
    ]  # fmt: skip
    made = XgtDevice.model_validate(raw)
    assert [(s.id, s.where()) for s in made.groups[0].signals] == [
        ("hyd-0", "%DX2080 = %DX2080"), ("hyd-3", "%DX2083 = %DX2083"), ("m-1", "%MX208 = %MX208"),
        ("t-0", "%TX5 = %TX5"),
    ]  # fmt: skip
    assert made.sources()[0].signals[1].alarm is not None


def test_addresses_are_told_with_their_name_on_the_wire() -> None:
    tags: list[dict[str, Any]] = [
        {"id": "a", "address": "D1234", "type": "float32"}, {"id": "b", "address": "M172C", "type": "bool"},
        {"id": "c", "address": "D00100", "bit": 9, "type": "bool"}, {"id": "d", "address": "T0037", "type": "bool"},
    ]  # fmt: skip
    (group,) = device(1, {"g/1s": tags}).groups
    assert [signal.where() for signal in group.signals] == [
        "D1234 = %DB2468", "M172C = %MX2764", "D00100 = %DX1609", "T0037 = %TX37",
    ]  # fmt: skip


def test_explain_tells_the_requests_and_what_was_learned() -> None:
    made = device(1, {"g/1s": [*words(*range(10)), *words(20000), {"id": "t", "address": "T1", "type": "bool"}]})
    plan = made.explained(Forgetful())
    assert [(r.first, r.last, r.units, r.asked, r.signals) for r in plan.sources[0].requests] == [
        ("%DB0", "%DB19", 20, 20, 10), ("%DB40000", "%DB40001", 2, 2, 1), ("%TX1", "%TX1", 1, 1, 1),
    ]  # fmt: skip
    assert made.requests() == {"plc.g": 3}
    assert plan.sources[0].naive == 12
    memory = Forgetful()
    known: Json = {"place": f"127.0.0.1:{made.port} 0.0", "holes": {"D": [[4, 6]]}, "max_bytes": 100}
    memory.remember("plc", "xgt", known)
    for other in ({"host": "127.0.0.2"}, {"port": 2005}, {"base": 1}, {"slot": 3}):
        assert made.model_copy(update=other).explained(memory) == plan, "another PLC does not inherit it"
    learned = made.explained(memory)
    assert len(learned.sources[0].requests) == 5
    assert [note.en for note in learned.notes] == [
        "at most 100 bytes in a continuous read, 16 words in an individual one", "not read: D, bytes 4 to 5",
    ]  # fmt: skip


def test_sources_carry_protocol_pace_and_types() -> None:
    tags = [{"id": "a", "address": "D1", "type": "int16", "scale": 0.1}]
    (source,) = device(1, {"g/2s": tags}).sources()
    assert (source.id, source.protocol, source.mode, source.interval_ns) == ("plc.g", "xgt", "poll", 2 * 10**9)
    assert source.signals[0].dtype is DataType.FLOAT64
