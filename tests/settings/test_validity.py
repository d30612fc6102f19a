"""Dates of certificates: as another library reads them, and no bytes that break the reader."""

from __future__ import annotations

import datetime as dt
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from settings.errors import ConfigError
from settings.validity import validity
from tests.support.certificates import Authority

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("pki"), "이름이 긴 발급 기관")


def der(path: Path) -> bytes:
    return ssl.PEM_cert_to_DER_cert(path.read_text("ascii"))


@pytest.mark.parametrize(
    ("begin", "end"),
    [
        (dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.datetime(2049, 12, 31, 23, 59, 59, tzinfo=dt.UTC)),
        (dt.datetime(2026, 2, 28, 1, 2, 3, tzinfo=dt.UTC), dt.datetime(2050, 1, 1, tzinfo=dt.UTC)),
        (dt.datetime(1955, 6, 1, tzinfo=dt.UTC), dt.datetime(9999, 12, 31, 23, 59, 59, tzinfo=dt.UTC)),
        (dt.datetime(2060, 2, 29, tzinfo=dt.UTC), dt.datetime(2061, 1, 1, tzinfo=dt.UTC)),
    ],
)
def test_dates_are_as_another_library_reads_them(
    authority: Authority, begin: dt.datetime, end: dt.datetime
) -> None:
    raw = der(authority.issue("한일정밀.edge-1", begin=begin, end=end, file="edge").certificate)
    theirs = x509.load_der_x509_certificate(raw)
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
    seconds = [
        (one - epoch) // dt.timedelta(seconds=1)
        for one in (theirs.not_valid_before_utc, theirs.not_valid_after_utc)
    ]
    assert validity(raw) == (seconds[0] * 10**9, seconds[1] * 10**9)


def test_a_date_that_is_none_is_refused(authority: Authority) -> None:
    raw = der(authority.file)
    at = raw.index(b"\x17\x0d")
    with pytest.raises(ConfigError, match="a date that is none"):
        validity(raw[: at + 4] + b"13" + raw[at + 6 :])


@given(data=st.data())
def test_no_bytes_break_the_reader(authority: Authority, data: st.DataObject) -> None:
    raw = bytearray(der(authority.file))
    match data.draw(st.sampled_from(["anything", "cut", "changed"])):
        case "anything":
            raw = bytearray(data.draw(st.binary(max_size=200)))
        case "cut":
            del raw[data.draw(st.integers(0, len(raw))) :]
        case _:
            for at in data.draw(st.lists(st.integers(0, 120), min_size=1, max_size=4)):
                raw[at] = data.draw(st.integers(0, 255))
    try:
        found = validity(bytes(raw))
    except ConfigError:
        return
    assert isinstance(found.begin_ns, int)
