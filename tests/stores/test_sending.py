"""`send_lines` against a model of servers that refuse, in every way that servers were seen or said to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.stores.base import StoreUnavailable
from gateway.stores.sending import CUT_OFF, REQUEST_LINES, Answer, send_lines

if TYPE_CHECKING:
    from collections.abc import Callable

How = Literal["influx1 conflict", "influx1 parse", "influx2 whole", "influx3"]


@dataclass
class Server:
    """Refuses the lines in `bad`; `limit` is its largest body in bytes, and `cuts` how it says so."""

    bad: set[bytes]
    how: How = "influx1 parse"
    limit: int = 10**9
    cuts: bool = False
    stored: set[bytes] = field(default_factory=set)
    requests: int = 0

    def post(self, body: bytes) -> Answer:
        """Answer one request."""
        self.requests += 1
        if len(body) > self.limit:
            return Answer(CUT_OFF, "connection reset") if self.cuts else Answer(413, "too large")
        lines = body.splitlines()
        refused = [line for line in lines if line in self.bad]
        if not refused:
            self.stored.update(lines)
            return Answer(204, "")
        if self.how == "influx2 whole":  # nothing of the request is stored, one reason
            return Answer(400, "unable to parse 'x': missing fields")
        self.stored.update(set(lines) - self.bad)
        if self.how == "influx1 conflict":  # only the first field is named
            name = refused[0].split(b"=")[0].split(b" ")[-1].decode()
            return Answer(
                400,
                f'partial write: field type conflict: input field "{name}" on measurement "m" is type integer,'
                f" already exists as type float dropped={len(refused)}",
            )
        if self.how == "influx3":
            return Answer(400, "partial write of line protocol occurred; [...]")
        return Answer(400, f"partial write: unable to parse '{refused[0]!r}': invalid number dropped=0")


LINES = [f"m f{i % 5}_i={i}i {i}".encode() for i in range(40)]


@given(
    bad=st.sets(st.sampled_from(LINES)),
    how=st.sampled_from(["influx1 conflict", "influx1 parse", "influx2 whole", "influx3"]),
    limit=st.sampled_from([10**9, 200, 60]),
    cuts=st.booleans(),
)
def test_each_refused_line_is_named_and_each_other_is_stored(
    bad: set[bytes],
    how: How,
    limit: int,
    cuts: bool,  # noqa: FBT001 - hypothesis passes by keyword
) -> None:
    server = Server(bad, how, limit, cuts)
    refused = send_lines(LINES, server.post)
    assert [i for i, _ in refused] == [i for i, line in enumerate(LINES) if line in bad]
    assert server.stored == set(LINES) - bad


def test_one_conflicting_field_costs_three_requests() -> None:
    lines = [f"m f{i % 5}_i={i}i {i}".encode() for i in range(1000)]
    server = Server({line for line in lines if b"f3_i=" in line}, "influx1 conflict")
    assert len(send_lines(lines, server.post)) == 200
    assert server.requests == 3


def test_a_field_name_within_another_does_not_confuse_the_cut() -> None:
    lines = [b"m temp_i=1i 1", b"m temp_i_i=1i 2", b"m a_i=1i,temp_i=2i 3", b"m xtemp_i=1i 4"]
    server = Server({lines[0], lines[2]}, "influx1 conflict")
    assert [i for i, _ in send_lines(lines, server.post)] == [0, 2]


def test_a_line_that_is_too_large_alone_is_refused() -> None:
    lines = [b"m x_i=1i 1", b"m x_s=" + b"x" * 100, b"m x_i=2i 3"]
    assert send_lines(lines, Server(set(), limit=50).post) == [(1, "the server takes no line of 106 bytes")]


def test_a_connection_cut_on_a_single_line_is_an_outage_not_a_refusal() -> None:
    with pytest.raises(StoreUnavailable):
        send_lines([b"m x_s=" + b"x" * 100], Server(set(), limit=50, cuts=True).post)


def test_requests_stay_within_their_limits() -> None:
    sizes: list[int] = []

    def post(body: bytes) -> Answer:
        sizes.append(body.count(b"\n"))
        assert len(body) <= 4_000_000
        return Answer(204, "")

    send_lines([b"m x_i=1i 1"] * (2 * REQUEST_LINES + 1), post)
    assert sizes == [REQUEST_LINES, REQUEST_LINES, 1]
    sizes.clear()
    send_lines([b"x" * 1_500_000] * 5, post)
    assert sizes == [2, 2, 1]


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (200, "<html>Log in to the plant network</html>"),
        (301, ""),
        (400, 'unsupported path requested: "/api/v2/write"'),
        (400, "Bad Request"),
        (400, "partial write: max-values-per-tag limit exceeded (100000/100000) dropped=1"),
        (401, "authorization failed"),
        (403, "forbidden"),
        (404, 'database not found: "x"'),
        (429, "too many requests"),
        (500, "engine: cannot write: no space left on device"),
        (503, "unavailable"),
        (CUT_OFF, "connection reset"),
    ],
)
def test_what_is_not_about_the_lines_refuses_none_of_them(status: int, text: str) -> None:
    answer: Callable[[bytes], Answer] = lambda _: Answer(status, text)  # noqa: E731
    with pytest.raises(StoreUnavailable, match=str(status or "nothing")):
        send_lines([b"m x_i=1i 1", b"m x_i=1i 2"], answer)


def test_old_lines_mixed_with_new_ones_are_found_by_age_in_a_few_requests() -> None:
    lines = [b"m x_f=%d %d" % (i, 10**18 + i - (i % 2) * 10**15) for i in range(REQUEST_LINES)]
    asked = 0

    def post(body: bytes) -> Answer:
        nonlocal asked
        asked += 1
        old = sum(int(line.rpartition(b" ")[2]) < 10**18 for line in body.splitlines())
        text = f'{{"error":"partial write: points beyond retention policy dropped={old}"}}'
        return Answer(400, text) if old else Answer(204, "")

    assert [i for i, _ in send_lines(lines, post)] == list(range(1, REQUEST_LINES, 2))
    assert asked < 40
