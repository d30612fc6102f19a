"""What the kernel says about the clock, and the double that speaks for it in tests."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from settings import kernelclock
from settings.released import RELEASED_NS

if TYPE_CHECKING:
    import pytest

ASK = r"""
#include <stdio.h>
#include <sys/timex.h>
int main(void) {
    struct timex t = {0};
    int state = adjtimex(&t);
    printf("%d %ld\n", state >= 0 && state != TIME_ERROR, t.maxerror);
    return 0;
}
"""


def asked(program: Path) -> tuple[bool, int]:
    """Return what a C program is told: whether it is synchronised, and the greatest error in ns."""
    words = subprocess.run([program], check=True, capture_output=True, text=True).stdout.split()
    return words[0] == "1", int(words[1]) * 1000


def test_what_the_kernel_says_is_what_c_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(kernelclock.DOUBLE, raising=False)
    source, program = tmp_path / "ask.c", tmp_path / "ask"
    source.write_text(ASK)
    subprocess.run(["cc", "-Wall", "-Werror", source, "-o", program], check=True)
    before, state, after = asked(program), kernelclock.state(), asked(program)
    assert state.synchronised in {before[0], after[0]}
    low, high = sorted((before[1], after[1]))  # it grows by 500 ppm between two words of a server
    assert low <= state.max_error_ns <= high
    assert kernelclock.boot_id() == Path("/proc/sys/kernel/random/boot_id").read_text().strip().replace("-", "")


def test_a_unit_that_hides_it_tells_the_boot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Systemd's `ProcSubset=pid` leaves no /proc/sys; its own word for the boot is `%b`."""
    monkeypatch.delenv(kernelclock.DOUBLE, raising=False)
    known = kernelclock.boot_id()
    unit = (Path(__file__).parents[2] / "systemd" / "agent.service").read_text("utf-8").splitlines()
    assert "ProcSubset=pid" in unit
    (name, value) = (
        next(line for line in unit if line.startswith("Environment=")).removeprefix("Environment=").split("=")
    )
    assert value == "%b"
    monkeypatch.setattr(kernelclock, "_BOOT_ID", tmp_path / "hidden")
    assert kernelclock.boot_id() == ""
    monkeypatch.setenv(name, known)
    assert kernelclock.boot_id() == known != ""


def test_a_double_speaks_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    double = tmp_path / "kernel"
    monkeypatch.setenv(kernelclock.DOUBLE, str(double))
    double.write_text(json.dumps({"synchronised": True, "max_error_us": 250, "boot": "b2"}))
    assert kernelclock.state() == (True, 250_000)
    assert kernelclock.boot_id() == "b2"
    double.write_text(json.dumps({"synchronised": False}))
    assert not kernelclock.state().synchronised


def test_a_release_is_not_of_the_future() -> None:
    assert time.time_ns() > RELEASED_NS
