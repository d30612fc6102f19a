"""A certificate that runs out is said from thirty days on, once a day, and only when the time is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from settings.broker import Broker
from settings.handshake import Moment
from tests.support.certificates import DAY, Authority, now
from transport.expiry import DAY_NS, HOUR_NS, Expiry

if TYPE_CHECKING:
    from pathlib import Path

    from settings.language import Text

BEGIN = now().replace(microsecond=0)
NOW = int(BEGIN.timestamp()) * 10**9


def at(days: float) -> Moment:
    return Moment(NOW + round(days * DAY_NS), exact=True)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def watching(authority: Authority, days: float) -> Expiry:
    pair = authority.issue("hanil.edge-1", end=BEGIN + days * DAY)
    tls = pair.settings(authority.file)
    return Expiry(Broker.model_validate({"host": "a", "tls": tls}), "uplink.site")


def en(text: Text | None) -> str:
    return "" if text is None else text.en


def test_it_is_said_once_a_day_from_thirty_days_on(authority: Authority) -> None:
    expiry = watching(authority, 40)
    said = {hour: text for hour in range(24 * 42) if (text := en(expiry.look(at(hour / 24))))}
    assert len(said) == 32
    assert min(said) == pytest.approx(10 * 24, abs=1)
    assert all(later - earlier >= 24 for earlier, later in zip(said, [*said][1:], strict=False))
    first, last = said[min(said)], said[max(said)]
    assert first.startswith(
        f"uplink.site ({authority.file.parent}/hanil.edge-1.pem): our certificate expires in 30 days"
    )
    assert "has expired" in last
    assert expiry.seconds is not None
    assert expiry.seconds < 0


def test_a_renewed_certificate_is_seen_without_a_restart(authority: Authority) -> None:
    expiry = watching(authority, 5.5)
    assert "expires in 5 days" in en(expiry.look(at(0)))
    authority.issue("hanil.edge-1", end=BEGIN + 400 * DAY)
    assert expiry.look(at(2)) is None
    assert expiry.seconds is not None
    assert expiry.seconds > 300 * 86400


def test_nothing_is_said_while_the_time_is_not_known_nor_without_a_certificate(authority: Authority) -> None:
    expiry = watching(authority, 5)
    assert expiry.look(Moment(NOW, exact=False)) is None
    assert expiry.seconds is None
    plain = Expiry(Broker.model_validate({"host": "a", "tls": True}), "mqtt")
    assert plain.look(at(0)) is None
    assert plain.seconds is None


def test_a_file_that_has_gone_is_no_fault_here(authority: Authority) -> None:
    expiry = watching(authority, 5)
    (authority.file.parent / "hanil.edge-1.pem").unlink()
    assert expiry.look(at(0)) is None
    authority.issue("hanil.edge-1", end=BEGIN + 5 * DAY)
    assert expiry.look(Moment(NOW + HOUR_NS // 2, exact=True)) is None, "it is looked at once an hour"
    assert "expires in" in en(expiry.look(Moment(NOW + HOUR_NS, exact=True)))
