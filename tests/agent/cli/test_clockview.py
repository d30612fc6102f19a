"""What is said of a time service that has fallen silent, while it is still believed."""

from __future__ import annotations

from agent.cli.clockview import clock_line


def test_a_time_server_that_is_silent_is_not_called_synchronised() -> None:
    about = {"source": "kernel", "uncertainty_ns": str(31 * 10**9)}
    silent, there = (clock_line(about | {"synchronised": one}) for one in (False, True))
    assert silent.en.startswith("! clock: the time server (NTP) is silent")
    assert silent.ko.startswith("! 시각: 시간 서버(NTP) 동기화 끊김")
    assert "31 s" in silent.en
    assert "31 s" in silent.ko
    assert there == clock_line(about)
    assert there.en == "clock: by the time server (NTP), within 31 s"
