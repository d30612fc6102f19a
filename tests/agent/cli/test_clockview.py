"""What is said of a time service that has fallen silent, while it is still believed."""

from __future__ import annotations

from agent.cli.clockview import clock_line, disagreement_line


def test_a_time_server_that_is_silent_is_not_called_synchronised() -> None:
    about = {"source": "kernel", "uncertainty_ns": str(31 * 10**9)}
    silent, there = (clock_line(about | {"synchronised": one}) for one in (False, True))
    assert silent.en.startswith("! clock: the time server (NTP) is silent")
    assert silent.ko.startswith("! 시각: 시간 서버(NTP) 동기화 끊김")
    assert "31 s" in silent.en
    assert "31 s" in silent.ko
    assert there == clock_line(about)
    assert there.en == "clock: by the time server (NTP), within 31 s"


def test_who_contradicts_whom_about_the_time_is_named_in_both_languages() -> None:
    about = {"source": "gateway", "uncertainty_ns": "1", "disagreement": None}
    assert disagreement_line(about) is None
    assert disagreement_line({"source": "none"}) is None, "of an agent of before"
    for known, begin, ko in (
        (
            "hall-1",
            "! clock: the gateways hall-1 and hall-2 disagree by 300 s",
            "! 시각: 게이트웨이 hall-1, hall-2의",
        ),
        (
            "hall-2",
            "! clock: the gateway (hall-2) contradicts what it said before, by 300 s",
            "! 시각: 게이트웨이(hall-2)의",
        ),
        (
            "",
            "! clock: the gateway (hall-2) contradicts what the time server",
            "! 시각: 게이트웨이(hall-2)와 시간 서버(NTP)의",
        ),
    ):
        line = disagreement_line(
            about | {"disagreement": {"off_ns": "-300000000000", "known": known, "worker": "hall-2"}}
        )
        assert line is not None
        assert line.en.startswith(begin)
        assert line.ko.startswith(ko)
        assert "300 s" in line.ko
