"""Messages that no honest agent sends: a good one changed somewhere, and nonsense of the right shape."""

from __future__ import annotations

import json

import msgspec
from hypothesis import strategies as st

from contract.payload import Block, Times, WireEvent, WireFacts
from tests.gateway.builders import SIGNALS, SOURCE, T0, block, data, row

GOOD = data(
    block(row("f64", T0, 1.0), row("s", T0, "글"), row("i64", T0, 2**60), row("f64", T0 + 5, None, 1 << 31)),
    events=[WireEvent(seq=1, kind="gap", time=str(T0), body={"cause": "link_down", "list": [1, [2, None]]})],
)

_EDGES = [0, -1, 2**31, 2**32, 2**53 + 1, 2**63 - 1, -(2**63), 2**63, 2**64, 10**300, 10**4000]
_TEXTS = ["1", "-1", "--1", "９", "1e3", str(2**63 - 1), str(2**63), str(2**64 - 1), "9" * 21, "", "\0", "a\nb"]
_SCALAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**30), 10**30),
    st.sampled_from(_EDGES),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
    st.sampled_from(_TEXTS),
)
_ODD = st.one_of(
    _SCALAR,
    st.lists(st.integers(0, 3), max_size=4),
    st.recursive(st.none(), lambda inner: st.lists(inner, min_size=1, max_size=1), max_leaves=50),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
_TIME = st.one_of(
    st.sampled_from([str(T0), str(T0), str(T0 + 1), "0", "-5"]), st.sampled_from([*_TEXTS, str(10**18)])
)
_STATUS = st.sampled_from([0, 0, 0, 0x00A2_0000, 0x4000_0000, 0x800A_0000, 2**32 - 1])
_STEP = st.one_of(st.integers(0, 2), st.sampled_from([0, -(10**9), 2**62, *_EDGES[:9], *_TEXTS[:3]]))
_SHIFT = st.one_of(st.none(), st.integers(-(10**10), 10**10), st.sampled_from([*_EDGES[:9], *_TEXTS]))
_KIND = st.sampled_from(["gap", "gap", "link_up", "facts.x", "갭", "a b"])


@st.composite
def blocks(draw: st.DrawFn) -> Block:
    """Return a block that the schema lets pass; one in ten has a column that is too short."""
    count = draw(st.integers(0, 12))

    def column(items: st.SearchStrategy[object]) -> list[object]:
        short = draw(st.integers(0, 29)) == 0
        return draw(st.lists(items, min_size=count - short * count, max_size=count))

    def optional(items: st.SearchStrategy[object]) -> list[object]:
        return column(items) if draw(st.booleans()) else []

    made = {
        "seq": 1,
        "source": draw(st.sampled_from([SOURCE] * 9 + ["press-plc.none"])),
        "signal": column(st.integers(0, len(SIGNALS))),
        "time": Times(draw(_TIME), column(_STEP)),  # type: ignore[arg-type]
        "value": column(_SCALAR),
        "status": optional(_STATUS),
        "source_time": optional(_SHIFT),
    }
    return Block(**made)  # type: ignore[arg-type]


EVENTS = st.builds(
    WireEvent,
    seq=st.just(1),
    kind=_KIND,
    time=_TIME,
    source=st.none() | st.text(min_size=1, max_size=5),
    from_=st.none() | _TIME,
    to=st.none() | _TIME,
)
FACTS = st.builds(
    WireFacts, seq=st.just(1), kind=_KIND, time=_TIME, subject=st.just("press-plc"), body=st.just({"a": 1})
)
NONSENSE = st.builds(
    data, blocks(), blocks(), events=st.lists(EVENTS, max_size=3), facts=st.lists(FACTS, max_size=3)
)
"""Messages that the schema lets pass, before they are encoded."""


def _mutate(value: object, draw: st.DataObject) -> object:
    if isinstance(value, dict | list) and value and draw.draw(st.integers(0, 9)) > 0:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        key = draw.draw(st.sampled_from(keys))
        changed = value.copy()
        if draw.draw(st.integers(0, 9)) == 0:
            del changed[key]
        else:
            changed[key] = _mutate(value[key], draw)
        return changed
    return draw.draw(_ODD)


def mutant(draw: st.DataObject) -> bytes:
    """Return the JSON of a good message changed in up to three places."""
    tree: object = msgspec.to_builtins(GOOD)
    for _ in range(draw.draw(st.integers(1, 3))):
        tree = _mutate(tree, draw)
    return dump(tree)


def dump(payload: object) -> bytes:
    """Encode with the standard library, which writes integers of any size."""
    return json.dumps(msgspec.to_builtins(payload)).encode()
