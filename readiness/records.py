"""What one signal, loop, burst or device leaves behind on one production day. Integers wherever counting allows.

Evidence does not know what a signal means. Whatever its role, each signal leaves the records that its values allow,
so that roles, states, products, calendars and weights can be given or corrected later and are applied to old days:

    Track    few different values: what it said, from when to when           states, modes, products, lots, alarms
    Count    a whole number (or an energy meter) that mostly grows: how much, when, and each step back
    Ids      more different values than a track holds, of a text or an id                     serial numbers
    Values   many different values: spread, steps, runs, spikes, time out of range
    Loop     set point and measured value of a control loop: time within the band, and how set points were followed
    Burst    a window of fast reading: the frequency below which the signal's power lies

Only ranges (`Values.outside`) and bands (`Loop`) enter while data flows, because they cannot be applied to a
histogram afterwards; each record carries those that were in force.

Within a day, time is counted in milliseconds from its start, and counts are kept by quarter hour from its start:
shifts and hand counts begin and end on quarter hours. `Sparse` rows hold [index, number, index, number, ...] with
increasing indices; `Millis` hold spans as [hole before it, length, ...].
"""

from __future__ import annotations

import msgspec

QUARTER_NS = 900_000_000_000
MILLI_NS = 1_000_000
Millis = list[int]
"""Spans of a day in milliseconds: [hole since the last one's end, length, ...]."""
Sparse = list[int]
"""[index, number, index, number, ...], indices increasing, numbers never 0."""
Label = bool | int | float | str
LABELS = 64
"""Different values that a track holds at most; a signal that has said more of them has no track on that day."""
SEGMENTS = 2000
"""Segments of a track that is kept whole: a state that changes every 43 seconds. A number with a fraction that has
more than 64 on a day is a measured value and has no track."""
SUMMED = 8
"""Different values of a track that is cut; one that has said more of them has none."""
SHORT_NS = 60_000_000_000
"""In a track that is cut, shorter segments are summed up by quarter hour."""
STILLS = 64
"""The longest stretches without a change that are kept one by one."""
BACKS = 100
"""Steps back of a counter that are kept one by one."""
SPIKES = 32
SAMPLE = 32
"""Ids of a day that are kept one by one, those with the smallest hashes."""
SHOWS = 4
"""How often one of them is shown with times; of more only the number is kept."""
SHAPES = 32
"""Different shapes of ids on a day; what comes after so many is counted with the last."""


class Track(msgspec.Struct, frozen=True, array_like=True):
    """Good and uncertain values of a signal with few of them, each until the next one, while it was known.

    Attributes:
        labels: The values, in the order in which they first came.
        segments: [hole since the last segment's end in ms, length in ms, index into `labels`, ...]. Neighbours have
            different labels, or a hole between them in which nothing was known.
        cut: Segments shorter than `SHORT_NS` are not among them, but in `rest`.
        rest: [quarter, label, ms of such segments in it, number of them that begin in it, ...].
        changes: How often the value was another one than the last that was known, also over a hole, by the time
            when it was seen; [quarter, number, ...] of them in `changed`.
        changed: See `changes`.
        dwell: Sketch (ns, `readiness.sketch`) of the lengths of all segments, whatever their label, that began and
            ended on this day by a change that was seen: neither a hole nor midnight cut them short.
    """

    labels: list[Label]
    segments: list[int]
    cut: bool
    rest: list[int]
    changes: int
    changed: Sparse
    dwell: Sparse


class Show(msgspec.Struct, frozen=True, array_like=True):
    """One id of a day.

    Attributes:
        label: The id.
        shows: How often it was shown: from a reading that said it first to the first of another id. Holes, and
            times in which nothing was said, do not end it.
        spans: [begin in ms from the day's start, length in ms, ...] of the first `SHOWS` that ended on this day; a
            begin on an earlier day is negative.
    """

    label: str
    shows: int
    spans: list[int]


class Ids(msgspec.Struct, frozen=True, array_like=True):
    """Ids that were too many for a track: serial numbers of pieces, on one day.

    The sample are the ids with the smallest hashes (`readiness.serials.rank`): the same id is among the sample of
    each day and machine that showed it, as far as their samples reach, so that what comes back, and what came from
    the machine before, can be told.

    Attributes:
        shapes: The first id of each shape (`readiness.serials.shape`), in order of their coming.
        rest: [quarter, shape, ms in which an id of it was said, ids of it that began, ...].
        shown: How many ids ended, as often as they were shown, after a begin that was seen.
        sample: At most `SAMPLE` of them, in order of time.
    """

    shapes: list[str]
    rest: list[int]
    shown: int
    sample: list[Show]


class Count(msgspec.Struct, frozen=True, array_like=True):
    """What a counter counted, in units of `unit` (1, or 1e-6 for one with a fraction).

    Steps back are left out of everything but `back`: what they mean (a wrap, a reset, a fault) is for who knows the
    modulus and the habits of the factory, see `readiness.backs`. So are jumps forward beyond 2^53, which no
    counter makes. first + sum of `counted` + sum of (after - before) over all of `back` is `last`.

    Attributes:
        unit: What one of `counted` stands for.
        counted: [quarter in which it was seen, increment, ...].
        blind: The part of `counted` that came over a time in which nothing was known, by the quarter of its end;
            it is in nothing below.
        steps: Readings that were larger than the one before.
        single: [quarter, steps of exactly one, ...].
        pace: Sketch (ns) of the time since the step before by the increment, each as often as its increment; of
            whole increments (of 1, whatever the unit), where nothing unknown and no step back lies between.
        back: [ms from the day's start, before, after, ...] of the first `BACKS` readings that were smaller.
        backs: How many there were.
        first: What counting starts from on this day: the last value before it, or the day's first where there is
            none; `last`: the last one.
        last: See `first`.
        still: The `STILLS` longest stretches without a step, of at least `SHORT_NS`, while it was known.
    """

    unit: float
    counted: Sparse
    blind: Sparse
    steps: int
    single: Sparse
    pace: Sparse
    back: list[int]
    backs: int
    first: int
    last: int
    still: Millis


class Values(msgspec.Struct, frozen=True, array_like=True):
    """Statistics of a number with many values, good ones only. `spread` and `steps` are sketches in `grain`.

    A signal that another record holds whole has none (`agent.analyzers.worth`).

    Attributes:
        n: Readings; 0 where a subscription's value of an earlier day held all day.
        low: Smallest value.
        high: Largest value.
        base: `spread` counts value minus this, the day's first value.
        grain: Smallest difference that the sketches tell apart, from `base` alone.
        spread: Sketch of value - base; what is nearer to `base` than a 64th of the width of the distribution is in
            bucket 0.
        steps: Sketch of the size of changes from reading to reading; equal readings are none. Steps too rare to be
            a resolution are counted with the smallest that is not.
        changed: [quarter, changes, ...].
        runs: Sketch (ns) of the lengths of runs of equal readings that are not among `still`; one over midnight is
            counted once, whole, on the day of its beginning.
        still: The `STILLS` longest runs of at least `SHORT_NS`; one over midnight is on both days, clipped, so its
            parts touch at midnight. Runs that touch within a day (a hole of 0) are different ones.
        spikes: [ms from the day's start, ...] of the `SPIKES` largest readings that stand out alone
            (`agent.analyzers.spikes`), in order of time.
        spiked: How many there were.
        outside: [quarter, ms outside of `limits`, ...]; `beyond` likewise outside of `usual`.
        beyond: See `outside`.
        limits: Range of the instrument in force, empty when none was known.
        usual: Range of normal operation in force.
    """

    n: int
    low: float
    high: float
    base: float
    grain: float
    spread: Sparse
    steps: Sparse
    changed: Sparse
    runs: Sparse
    still: Millis
    spikes: list[int]
    spiked: int
    outside: Sparse
    beyond: Sparse
    limits: list[float]
    usual: list[float]


class Loop(msgspec.Struct, frozen=True, array_like=True):
    """One control loop: `known` while set point and measured value were, `held` while within `band` of each other.

    Attributes:
        band: In force, in the unit of both.
        tau_ms: Time constant in force: after three of them a set point should be reached.
        known: Spans.
        held: Spans; of more than 1,440 of them one of the same sum in each minute.
        moves: [ms of a change of the set point, ms until it was reached or -1, whether the measured value came
            first (1) or not (0), ms that the set point stayed (at most a day), ...]; one cut off is left out. A
            move is told on the day on which it was over: if it began before that day, its first ms are negative.
    """

    band: float
    tau_ms: int
    known: Millis
    held: Millis
    moves: list[int]


class Burst(msgspec.Struct, frozen=True, array_like=True):
    """One window of fast reading of one signal.

    Attributes:
        begin_ms: From the day's start.
        length_ms: Of the window.
        n: Readings with a number in it; of a subscription, which tells changes only, samples that the server took.
        rate_hz: Readings a second.
        f95_hz: Frequency below which 95 % of the power above the noise floor lie; 0 where nothing is above it.
        flat: Share of the power that the noise floor takes.
    """

    begin_ms: int
    length_ms: int
    n: int
    rate_hz: float
    f95_hz: float
    flat: float


class Skew(msgspec.Struct, frozen=True, array_like=True):
    """A device's clock minus ours, asked once: true within half the round trip."""

    at_ms: int
    skew_ns: int
    rtt_ns: int


class Offer(msgspec.Struct, frozen=True, array_like=True):
    """One endpoint that a server offers."""

    mode: str
    policy: str
    users: list[str]  # kinds of user tokens: anonymous, user_name, certificate, issued_token


class Certificate(msgspec.Struct, frozen=True, array_like=True):
    """A device's certificate."""

    fingerprint: str
    begin: str  # UTC nanoseconds
    end: str
    key: str  # "RSA" or "EC"
    bits: int
    hash: str  # of the signature, "sha256"
    self_signed: bool


class Access(msgspec.Struct, frozen=True, array_like=True):
    """Nodes that we read and whose access level the device told, and those of them that our user could write."""

    asked: int
    writable: int


class Condition(msgspec.Struct, frozen=True, array_like=True):
    """What a server says of one of its alarm conditions: the latest text, and severity from 1 to 1000 (0: none)."""

    text: str
    severity: int
