"""What a collector reads is what the store holds: the agent's encoding and the gateway's decoding together."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from agent import entry
from agent.frame import DataType, Rows, Signal, Source, Value
from contract import codec
from contract.payload import Birth, Data
from gateway import points
from tests.gateway.builders import SECOND, T0, MemoryStore
from tests.support.items import birth_of

SUFFIX = {"bool": "b", "string": "s", "float32": "f", "float64": "f"}


def signal(dtype: DataType, machine: str = "press-1", top: float | None = None) -> Signal:
    name = f"{dtype}{'-wide' if top else ''}".replace("_", "-")
    return Signal(id=name, machine=machine, name=name, dtype=dtype, eu_range=(0, top) if top else None)


SIGNALS = (
    *(signal(dtype) for dtype in DataType),
    signal(DataType.UINT64, top=1e19),
    signal(DataType.FLOAT64, machine="oven-2"),
)
SOURCE = Source(id="plc.fast", device="plc", protocol="modbus", mode="poll", interval_ns=SECOND, signals=SIGNALS)


def values(which: Signal) -> st.SearchStrategy[Value]:
    """Return values that a signal of this type may have."""
    match which.dtype:
        case DataType.BOOL:
            return st.booleans()
        case DataType.STRING:
            return st.text(max_size=10)
        case DataType.FLOAT32 | DataType.FLOAT64:
            return st.floats()
        case DataType.UINT64 if which.eu_range:
            return st.integers(0, 2**64 - 1)
        case _ if which.dtype.startswith(("uint", "timestamp")):
            return st.integers(0, 2 ** min(63, int(which.dtype[4:] if which.dtype[0] == "u" else 63)) - 1)
        case _:
            return st.integers(-(2 ** (int(which.dtype[3:]) - 1)), 2 ** (int(which.dtype[3:]) - 1) - 1)


READS = st.lists(
    st.integers(0, len(SIGNALS) - 1).flatmap(
        lambda index: st.tuples(
            st.just(index),
            st.integers(0, 3).map(lambda n: T0 + n * 1000),  # of one clock epoch
            values(SIGNALS[index]),
            st.sampled_from([0, 0, 0, 0x00A2_0000, 0x408F_0000, 0x800A_0000]),
            st.sampled_from([0, 0, T0, T0 - 2 * SECOND, T0 + 10**17]),
        )
    ),
    min_size=1,
    max_size=40,
)


@settings(deadline=None)
@given(READS, st.integers(0, 40))
def test_each_row_that_was_read_is_a_field_of_the_store(
    reads: list[tuple[int, int, Value, int, int]], cut: int
) -> None:
    rows = Rows(SOURCE)
    entries, frames = [], []
    birth = codec.encode(birth_of("hanil", "main", "edge-1", [SOURCE]))
    for seq, part in enumerate((reads[:cut], reads[cut:]), 1):
        for read in part:
            rows.add(*read)
        frame = rows.take()
        if len(frame):
            frames.append(frame)
            content = entry.encode(entry.arrange([frame]), seq)
            entries.append((seq, codec.checksum(content), content))
    raw = codec.decompress(codec.compress(entry.message("s", codec.digest(birth), entries)), codec.DATA_LIMIT)
    batch = points.build(codec.decode(raw, Data, codec.DATA_LIMIT), points.Dictionary(codec.decode(birth, Birth)))
    store = MemoryStore()
    store.write(batch.points)

    expected: dict[tuple[str, int], dict[str, Value]] = {}
    for frame in frames:
        for i, value in enumerate(frame.value):
            one = SIGNALS[int(frame.signal[i])]
            time, status = int(frame.time_ns[i]), int(frame.status[i])
            fields = expected.setdefault((one.machine, time), {})
            if status >> 30:
                fields[f"{one.id}_q"] = status
            if value is None:
                continue
            wide = one.eu_range is not None
            fields[f"{one.id}_{'s' if wide else SUFFIX.get(one.dtype, 'i')}"] = str(value) if wide else value
            source = 0 if frame.source_ns is None else int(frame.source_ns[i])
            if source and abs(source - time) > SECOND:
                fields[f"{one.id}_src"] = source
    assert batch.faults == []
    assert {(name, time): fields for (name, _, time), fields in store.held.items()} == expected
    assert sum(map(points.rows_of, batch.points)) == sum(map(len, frames))
