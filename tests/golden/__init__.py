"""One example of each payload, and its bytes as they cross the wire: `python -m tests.golden` writes new ones.

These bytes are final with `tsq/1`, and their sums stand beside the folder: what a program has written is read for
ever. A field that is added has a default and an example of its own; a payload that reads differently gets a new
prefix.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Raw
from msgspec.structs import replace

from contract.codec import digest, encode
from contract.consent import Consent, Given
from contract.day import Absent, Day, DayMachine, DayRequest, Days, Late, MetricDay, SignedDay
from contract.event import Event
from contract.evidence import (
    EvidenceAlarm,
    EvidenceAnswers,
    EvidenceMachine,
    EvidenceOk,
    EvidencePart,
    EvidenceSource,
    EvidenceTag,
    EvidenceTally,
    FactoryDay,
)
from contract.manifest import Head, Manifest, ManifestMachine
from contract.payload import (
    Birth,
    BirthSignal,
    BirthSource,
    Block,
    Data,
    NeedBirth,
    Rejected,
    Request,
    Response,
    SignedAnswers,
    Status,
    Stored,
    Times,
    WireEvent,
    WireFacts,
    Worker,
)
from contract.report import (
    NOTE,
    Away,
    Band,
    Bounds,
    Chance,
    Change,
    Dimension,
    Index,
    Levels,
    Machine,
    Measured,
    Missing,
    Refusal,
    Report,
    ReportRequest,
    Standing,
    Trend,
    Value,
    Window,
)
from contract.signing import key_id, key_text, private_key, seal
from contract.topics import PREFIX, AgentTopics
from contract.verbs import (
    Baseline,
    BaselineRequest,
    Estimate,
    Exit,
    ExitCheck,
    Fit,
    FitRequest,
    FrozenDay,
    Lacking,
    Mde,
    MdeRequest,
    Need,
    Point,
    Series,
    SignedBaseline,
    Solution,
    WindowRequest,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    import msgspec

FOLDER = Path(__file__).parent / PREFIX.replace("/", "-")
SUMS = FOLDER.with_suffix(".sha256")
BIRTH = "0123456789abcdef0123456789abcdef"
EVIDENCE = "fedcba9876543210"
SPOOL = "5f0c7a1e9d3b4c62"
TOPICS = AgentTopics("hanil", "edge-1")
KEY = private_key(bytes(range(32)))  # of these files only
KEY_ID = key_id(KEY.public_key())
HEAD = "0123456789abcdef" * 4
GIVEN = Given("1795392000000000007", ["levels", "indicators", "days"], 2, "2027-11-20")
DAY = Day(
    factory="hanil",
    site="main",
    agent="edge-1",
    date="2026-11-20",
    zone="Asia/Seoul",
    start="1795129200000000000",
    end="1795215600000000000",
    number=2,
    made_at="1795216800000000007",
    key=KEY_ID,
    formulas="2026.11.2",
    model="6dedf82530ccd7af",
    config=BIRTH,
    plant="00112233445566ff",
    evidence=EVIDENCE,
    simulated=0.0,
    machines=[DayMachine("press-1", 2.0, "43200000000000"), DayMachine("lathe", 1.0, "0")],
    metrics=[
        MetricDay("A01", "1", "ratio", [0], [42000000000000.0], [43200000000000.0], apart={"NA_NO_EVIDENCE": [1]}),
        MetricDay("E01", "kW.h", "ratio", [0], [81.5], [412.0], per=100.0, whole=True),
        MetricDay("X01", "s", "state", [0], [0.204], [1.0]),
    ],
    prev=HEAD,
    absent=[Absent("edge-2")],
)
DAY_TEXT = encode(DAY).decode()
SIGNED = SignedDay(DAY_TEXT, KEY_ID, seal(TOPICS.day(DAY.date), DAY_TEXT, KEY))
SOLUTION = Solution("press-watch", "1.2.0", [Need("strokes", "V02", min=0.9), Need("delay", "X01", max=5.0)])
SOLUTION_TEXT = encode(SOLUTION).decode()
BASELINE = Baseline(
    factory="hanil",
    agent="edge-1",
    project="p-7",
    frozen_at="1795392000000000007",
    metrics=["A01"],
    treated=["press-1"],
    controls=["lathe"],
    days=[FrozenDay("2026-11-20", HEAD)],
)
BASELINE_TEXT = encode(BASELINE).decode()

EVIDENCE_DAY = FactoryDay(
    factory="hanil",
    site="main",
    agent="edge-2",
    date="2026-11-20",
    config=BIRTH,
    machines=[EvidenceMachine("lathe", "선반", 2.0), EvidenceMachine("oven", "오븐", path="hanil/heat/oven")],
    sources=[
        EvidenceSource(
            id="lathe-plc.main",
            device="lathe-plc",
            protocol="modbus",
            mode="poll",
            interval_ns=1_000_000_000,
            signals=[
                EvidenceTag(
                    "state",
                    "lathe",
                    "상태",
                    "int16",
                    None,
                    "운전 상태",
                    "state",
                    True,
                    labels=[(0, "정지"), (1, "가동")],
                ),
                EvidenceTag("temp", "lathe", "온도", "float32", "Cel", eu_range=(10.0, 90.0), found="profile"),
                EvidenceTag("door", "lathe", "문 열림", "bool", alarm=EvidenceAlarm("문이 열렸습니다", "high")),
            ],
        )
    ],
    evidence=Raw(
        b'{"censored":{},"connections":{},"day":"2026-11-20","end":"1795215600000000000","late_events":0,"native":{},'
        b'"simulated":[],"sources":[],"start":"1795129200000000000","version":2,"zone":"Asia/Seoul"}'
    ),
    answers=[EvidenceAnswers("file", '{"author":"박성호","date":"2026-11-20","serial":3,"version":1}')],
    tallies=[EvidenceTally("latency-edge/lathe", [(312, 86_400), (313, 12)])],
)
EVIDENCE_TEXT = encode(EVIDENCE_DAY)

EXAMPLES: Mapping[str, msgspec.Struct] = {
    "data": Data(
        spool=SPOOL,
        entries=[(41, "00112233445566aa"), (42, "00112233445566bb")],
        birth=BIRTH,
        blocks=[
            Block(
                seq=41,
                source="press-plc.fast",
                signal=[0, 1, 2, 0],
                time=Times(first="1795392000000000007", steps=[0, 0, 3_000_000, 1_000_000_000]),
                value=[12.5, True, "LOT-가-7", None],
                status=[0, 0, 0x4000_0000, 0x803C_0002],
                round_trips=[(0, 4_100_000, 0), (1_000_000_000, 3_900_000, 0x803C_0002)],
            ),
            Block(
                seq=42,
                source="cnc.main",
                signal=[0, 1],
                time=Times(first="1795392001000000007", steps=[0, 0]),
                value=["18446744073709551615", -9_007_199_254_740_992],
                source_time=[-1_200_000, None],
                server_time=[-1_000_000, -1_000_000],
            ),
        ],
        events=[
            WireEvent(
                seq=42,
                kind="gap",
                time="1795392001000001007",
                body={"gap_id": "9a1f", "cause": "link_down"},
                source="press-plc.fast",
                from_="1795391990000000007",
                to="1795392000000000007",
            )
        ],
        facts=[
            WireFacts(
                seq=42,
                kind="connection",
                time="1795392001000002007",
                subject="cnc",
                body={"protocol": "opcua", "mode": "None", "policy": "None", "peer_authenticated": False},
            )
        ],
        historical=True,
    ),
    "birth": Birth(
        factory="hanil",
        site="main",
        agent="edge-1",
        sources=[
            BirthSource(
                id="press-plc.fast",
                device="press-plc",
                protocol="modbus",
                mode="poll",
                interval_ns=1_000_000_000,
                signals=[
                    BirthSignal(
                        id="motor-current",
                        machine="press-1",
                        name="모터 전류",
                        dtype="float32",
                        unit="A",
                        description="주 모터 상전류",
                        role="pv",
                        role_confirmed=True,
                    ),
                    BirthSignal(id="total", machine="press-1", name="total", dtype="uint64", wide=True),
                ],
            )
        ],
    ),
    "stored": Stored(
        spool=SPOOL,
        stored=[(41, "00112233445566aa")],
        committed_at="1795392002000000000",
        clock_trusted=True,
        worker="gateway-1",
        rejected=[
            Rejected(
                42,
                "00112233445566bb",
                "field type conflict",
                [("cnc.main", "1795392001000000007", "1795392001000000007", 2)],
            )
        ],
    ),
    "need_birth": NeedBirth(birth=BIRTH),
    "status": Status(
        online=True,
        boot="0f9e8d7c",
        time="1795392000000000007",
        version="0.1.0",
        spool=SPOOL,
        depth=3,
        oldest="1795391998000000007",
        devices={"cnc": "up", "press-plc": "down"},
        clock="kernel",
        counters={"tsq_agent_spool_dropped_rows_total": 0},
    ),
    "worker": Worker(worker="gateway-1", since="1795390000000000000", version="0.1.0"),
    "readiness": Report(
        factory="hanil",
        site="main",
        agent="edge-1",
        made_at="1795392000000000007",
        window=Window("2026-10-26", "2026-11-22", "Asia/Seoul", 20),
        formulas="2026.11",
        model="6dedf82530ccd7af",
        evidence=EVIDENCE,
        confidence=0.9,
        simulated=0.25,
        note=NOTE,
        values=[
            Value(
                metric="C01",
                unit="1",
                evidence=EVIDENCE,
                value=0.8,
                score=80.0,
                n=5,
                coverage=1.0,
                quality="census",
                roles={"confirmed": 31, "guessed": 2},
            ),
            Value(
                metric="A01",
                unit="1",
                evidence=EVIDENCE,
                value=0.981,
                lo=0.97,
                hi=0.988,
                score=77.1,
                n=20,
                n_eff=16.4,
                coverage=0.8,
                quality="measured",
            ),
            Value(metric="A04", unit="s", evidence=EVIDENCE, reason="NA_CLOCK"),
        ],
        level=Levels(0, 2),
        conditions=["V02", "A01"],
        machines=[Machine("press-1", 2.0, Levels(0, 2), "UP")],
        missing=[Missing("V02", "NA_NO_EVIDENCE")],
    ),
    "report.get": ReportRequest(machine="press-1"),
    "refusal": Refusal("no_data", "no machine 'press-9' in the inventory of edge-1"),
    "request": Request(
        response_topic=f"{PREFIX}/hanil/edge-1/rsp/platform-1", correlation="7f3a", body={"machine": "press-1"}
    ),
    "answers": SignedAnswers(
        answers='{"author":"박성호","date":"2026-11-20","machines":[{"has_alarms":"yes","id":"press-1"}],'
        '"serial":3,"version":1}',
        key="7751cda99a595122",
        signature="G09nk0X9BIBEn1XH0zClPIIbxreYQIkDs1YcN35Xe3w5p91IyweuilvamHeWPY1AgBSXSLlpABNxmPhAAiqWCg==",
    ),
    "response": Response(correlation="7f3a", body={"error": "no_data", "message": "no day is complete yet"}),
    "manifest": Manifest(
        factory="hanil",
        site="main",
        agent="edge-1",
        reporter="edge-1",
        made_at="1795392000000000007",
        key=KEY_ID,
        public_key=key_text(KEY.public_key()),
        formulas="2026.11.2",
        model="6dedf82530ccd7af",
        config=BIRTH,
        plant="00112233445566ff",
        machines=[ManifestMachine("press-1", "프레스 1호", 2.0)],
        metrics=["A01", "V02"],
        verbs=["consent.get", "day.get", "report.get"],
        consent=GIVEN,
        chain=Head(2, "2026-11-20", HEAD),
    ),
    "evidence": EvidencePart("2026-11-20", digest(EVIDENCE_TEXT), 1, 1, EVIDENCE_TEXT.decode()),
    "evidence.day": EVIDENCE_DAY,
    "evidence_ok": EvidenceOk("2026-11-20", digest(EVIDENCE_TEXT)),
    "day": SIGNED,
    "day.record": DAY,
    "day.get": DayRequest("2026-11-01", "2026-11-20"),
    "days": Days([SIGNED], "2026-11-21"),
    "window.get": WindowRequest("A01", "2026-11-02", "2026-11-15", "press-1", 604_800),
    "window": Series(
        metric="A01",
        unit="1",
        kind="ratio",
        step_s=604_800,
        points=[Point("2026-11-02", "2026-11-08", 5, 0.98, 2.1e14, 2.16e14), Point("2026-11-09", "2026-11-15", 0)],
        formulas=["2026.11.2"],
        machine="press-1",
    ),
    "fit.check": FitRequest(SOLUTION_TEXT, KEY_ID, seal(f"{PREFIX}/fit", SOLUTION_TEXT, KEY), "press-1", "mentor"),
    "fit.solution": SOLUTION,
    "fit": Fit(
        "press-watch", "1.2.0", "unknown", "press-1", [Lacking("delay", "press-1", "unknown", "NA_NO_BURST")]
    ),
    "mde.get": MdeRequest("A01", "2026-11-01", "2026-11-20", ["press-1"]),
    "mde": Mde("A01", "1", "ratio", 1, 20, Estimate(0.02, 0.015, 0.031), Estimate(0.4, 0.02, 0.67), 0.9),
    "baseline.freeze": BaselineRequest("p-7", "2026-11-01", "2026-11-20", ["A01"], ["press-1"], ["lathe"]),
    "baseline": SignedBaseline(BASELINE_TEXT, KEY_ID, seal(TOPICS.event("baseline_frozen"), BASELINE_TEXT, KEY)),
    "baseline.record": BASELINE,
    "consent": Consent(GIVEN, [Given("1795305600000000007", ["levels", "indicators"]), GIVEN]),
    "event": Event(
        factory="hanil",
        agent="edge-1",
        kind="decay",
        subject="D1",
        date="2026-11-22",
        made_at="1795392000000000007",
        before=81.5,
        after=64.0,
    ),
    "exit": Exit(
        ok=False,
        checks=[ExitCheck("chain", ok=True, n=12), ExitCheck("key", ok=False, n=1)],
        key=KEY_ID,
        scopes=["levels"],
        evidence=EVIDENCE,
        coverage=0.96,
    ),
}


MORE: Mapping[str, tuple[str, msgspec.Struct]] = {
    "readiness.levels": (
        "readiness",
        Report(
            factory="hanil",
            site="main",
            agent="edge-1",
            made_at="1795392000000000007",
            window=Window("2026-10-26", "2026-11-22", "Asia/Seoul", 20),
            formulas="2026.11.2",
            model="6dedf82530ccd7af",
            evidence=EVIDENCE,
            confidence=0.9,
            simulated=0.0,
            note=NOTE,
            values=[
                Value(
                    metric="A05",
                    unit="s",
                    evidence=EVIDENCE,
                    value=0.0,
                    score=60.0,
                    n=3,
                    coverage=1.0,
                    quality="edge-only",
                    cap=60.0,
                    flags=["NO_SOURCE_TIME"],
                    shown={"source_time_share": 0.0, "filter_before": "unknown", "worst_device_s": None},
                ),
            ],
            level=Levels(1, 2),
            conditions=["V02", "U03|U04", "live_pv"],
            machines=[Machine("press-1", 2.0, Levels(1, 2), "PUP")],
            missing=[Missing("U03", "NA_FEW_EVENTS"), Missing("U04", "NA_NO_EVIDENCE", ["press-1"])],
            settle=[Missing("U03", "NA_FEW_EVENTS")],
            chances=[Chance(1, 1.0, 1.0), Chance(2, 0.0, 0.932)],
            cascade=Bounds(1.0, 1.75),
            dimensions=[
                Dimension("D1", 4, 5, 0.8, 71.2, 64.0, 75.5, 55.1, 84.9, missing=["X01"]),
                Dimension("D6", 1, 4, 0.25, reason="coverage", missing=["U02", "U03", "U04"]),
                Dimension("D7", 0, 0, reason="not_applicable"),
            ],
            index=Index(1, 8.4, 84.4, 71.2),
            siri=[Band("SI7", 1, 2, 5, 5, ["C04", "Q09"])],
            acatech=Band("acatech", 2, 2, 4, 6),
        ),
    ),
    "readiness.absent": (
        "readiness",
        Report(
            factory="hanil",
            site="main",
            agent="edge-1",
            made_at="1795392000000000007",
            window=Window("2026-10-26", "2026-11-22", "Asia/Seoul", 20),
            formulas="2026.11.2",
            model="6dedf82530ccd7af",
            evidence=EVIDENCE,
            confidence=0.9,
            simulated=0.0,
            note=NOTE,
            values=[Value(metric="A01", unit="1", evidence=EVIDENCE, machine=None, reason="NA_NO_EVIDENCE")],
            absent=[Away("edge-2", 3)],
        ),
    ),
    "day.record.held": (
        "day.record",
        replace(
            DAY,
            machines=[DayMachine("press-1", 2.0, "43200000000000"), DayMachine("saw", 1.0, "0")],
            metrics=[MetricDay("T01", "1", "ratio", [0, 1], [8.0, 0.0], [10.0, 1.0], held=[1])],
        ),
    ),
    "event.unused": (
        "event",
        Event("hanil", "edge-1", "unused", "mes", "2026-11-22", "1795392000000000007", why="use"),
    ),
    "day.record.late": ("day.record", replace(DAY, number=3, late=[Late("edge-2", "2026-11-20", BIRTH)])),
    "evidence_ok.refused": ("evidence_ok", EvidenceOk("2026-11-20", digest(EVIDENCE_TEXT), "version")),
    "readiness.history": (
        "readiness",
        Report(
            factory="hanil",
            site="main",
            agent="edge-1",
            made_at="1795392000000000007",
            window=Window("2026-10-26", "2026-11-22", "Asia/Seoul", 20),
            formulas="2026.11.2",
            model="6dedf82530ccd7af",
            evidence=EVIDENCE,
            confidence=0.9,
            simulated=0.0,
            note=NOTE,
            values=[],
            level=Levels(1, 2),
            dimensions=[Dimension("D1", 4, 5, 0.8, 71.2, 64.0, 75.5, 55.1, 84.9, missing=["X01"])],
            measured=Measured(machines=6, reached=5, signals=44, planned_s=864_000, known=0.887),
            standing=Standing(Levels(1, 1), "2026-08-03", 9, Levels(1, 2)),
            trend=Trend(
                "2026-09-28",
                "2026-10-25",
                5,
                [
                    Change("D1", 58.0, 71.2, 6.1, 20.3, "better", 11.9),
                    Change("A01", 90.0, 80.0, -12.0, -8.0, "worse"),
                ],
                added=["lathe-9"],
            ),
            broken="2026-07-01",
        ),
    ),
}
"""Further examples: file -> payload and example; a payload that has got new fields shows them here."""


def main() -> None:
    """Write the golden files that are missing; those that exist are final."""
    FOLDER.mkdir(exist_ok=True)
    for name, example in (*EXAMPLES.items(), *((name, example) for name, (_, example) in MORE.items())):
        path = FOLDER / f"{name}.json"
        if not path.exists():
            path.write_bytes(encode(example))
