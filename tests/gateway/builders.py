"""An agent of one factory, as far as the gateway sees one, and a store and a clock in memory."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from contract import codec, topics
from contract.payload import Birth, BirthSignal, BirthSource, Block, Data, Times
from gateway.stores.base import Point, Refusal, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from contract.payload import Value, WireEvent, WireFacts
    from gateway.stores.base import FieldValue

T0 = 1_795_000_000_000_000_000
SECOND = 10**9
BRANCH = topics.AgentTopics("hanil", "edge-1")
SOURCE = "press-plc.fast"

SIGNALS = (
    ("b", "press-1", "bool"),
    ("i16", "press-1", "int16"),
    ("u16", "press-1", "uint16"),
    ("i32", "press-1", "int32"),
    ("u32", "press-1", "uint32"),
    ("i64", "press-1", "int64"),
    ("u64", "press-1", "uint64"),
    ("f32", "press-1", "float32"),
    ("f64", "press-1", "float64"),
    ("s", "press-1", "string"),
    ("wide", "press-1", "uint64"),
    ("temp", "oven-2", "float64"),
)
INDEX = {name: index for index, (name, _, _) in enumerate(SIGNALS)}
BIRTH = Birth(
    "hanil",
    "main",
    "edge-1",
    [
        BirthSource(
            SOURCE,
            "press-plc",
            "modbus",
            "poll",
            SECOND,
            [
                BirthSignal(id=name, machine=machine, name=f"이름 {name}", dtype=dtype, wide=name == "wide")
                for name, machine, dtype in SIGNALS
            ],
        )
    ],
)
BIRTH_JSON = codec.encode(BIRTH)
BIRTH_HASH = codec.digest(BIRTH_JSON)

Row = tuple[str, int, "Value", int, int | None]  # signal, time, value, status, source time minus time


def row(signal: str, time: int, value: Value, status: int = 0, shift: int | None = None) -> Row:
    """Return one row with the usual ends."""
    return signal, time, value, status, shift


def block(*rows: Row, seq: int = 1, source: str = SOURCE) -> Block:
    """Put rows into a block, in the shape that the agent sends."""
    times = [time for _, time, _, _, _ in rows]
    steps = [0, *(after - before for before, after in pairwise(times))]
    statuses = [status for _, _, _, status, _ in rows]
    shifts = [shift for _, _, _, _, shift in rows]
    return Block(
        seq=seq,
        source=source,
        signal=[INDEX[name] for name, _, _, _, _ in rows],
        time=Times(str(times[0]), [codec.number(step) for step in steps]),
        value=[codec.number(v) if isinstance(v, int) and not isinstance(v, bool) else v for _, _, v, _, _ in rows],
        status=statuses if any(statuses) else [],
        source_time=[None if s is None else codec.number(s) for s in shifts] if any(shifts) else [],
    )


def crc(seq: int) -> str:
    """Return what stands for the checksum of an entry here: the gateway hands it back unread."""
    return f"{seq:016x}"


def data(
    *blocks: Block,
    seqs: Sequence[int] = (1,),
    events: Sequence[WireEvent] = (),
    facts: Sequence[WireFacts] = (),
    birth: str = BIRTH_HASH,
) -> Data:
    """Put blocks into a message of the spool "spool-1"."""
    return Data(
        spool="spool-1",
        entries=[(seq, crc(seq)) for seq in seqs],
        birth=birth,
        blocks=list(blocks),
        events=list(events),
        facts=list(facts),
    )


def message(seq: int) -> Data:
    """Return a message of one row, `seq` ns after T0."""
    return data(block(row("f64", T0 + seq, float(seq)), seq=seq), seqs=(seq,))


def wire(payload: Data) -> bytes:
    """Return a message as it travels."""
    return codec.compress(codec.encode(payload))


def birth_messages(birth: Birth = BIRTH) -> list[tuple[str, bytes]]:
    """Return topics and payloads of a birth, in order."""
    raw = codec.encode(birth)
    parts = codec.birth_parts(raw)
    branch = topics.AgentTopics(birth.factory, birth.agent)
    return [(branch.birth(codec.digest(raw), i, len(parts)), part) for i, part in enumerate(parts, 1)]


class FixedClock:
    """Stands until it is moved."""

    def __init__(self) -> None:
        self.ns = T0
        self.trust = True

    def now(self) -> int:
        """Return UTC nanoseconds."""
        return self.ns

    def monotonic(self) -> float:
        """Return seconds since the start."""
        return (self.ns - T0) / SECOND

    def trusted(self) -> bool:
        """Return what the test says."""
        return self.trust

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.ns += round(seconds * SECOND)


class MemoryStore:
    """A dictionary that keeps the contract of a store; the test makes it refuse or go away.

    Args:
        refuses: Returns the reason why a point is refused for ever, or None.
    """

    def __init__(self, refuses: Callable[[Point], str | None] = lambda _: None) -> None:
        self.refuses = refuses
        self.away = False
        self.writes = 0
        self.held: dict[tuple[str, tuple[tuple[str, str], ...], int], dict[str, FieldValue]] = {}

    def write(self, points: Sequence[Point]) -> Sequence[Refusal]:
        """Merge points into the dictionary."""
        self.ping()
        self.writes += 1
        refusals = []
        for index, point in enumerate(points):
            reason = self.refuses(point)
            if reason is not None:
                refusals.append(Refusal(index, reason))
            else:
                self.held.setdefault((point.measurement, point.tags, point.time_ns), {}).update(point.fields)
        return refusals

    def writing(self, points: Sequence[Point]) -> Generator[None, None, Sequence[Refusal]]:
        """Write in one step."""
        yield from ()
        return self.write(points)

    def read(self, measurement: str, start_ns: int, stop_ns: int) -> Iterator[Point]:
        """Yield points in order."""
        for (name, tags, time), fields in sorted(self.held.items(), key=lambda item: item[0]):
            if name == measurement and start_ns <= time < stop_ns:
                yield Point(name, tags, time, fields)

    def measurements(self) -> Sequence[str]:
        """Return the names."""
        return sorted({name for name, _, _ in self.held})

    def ping(self) -> None:
        """Raise when the test has sent the store away."""
        if self.away:
            raise StoreUnavailable("sent away by the test")

    def comes_back(self) -> None:
        """Answer again."""
        self.away = False

    def close(self) -> None:
        """Do nothing."""
