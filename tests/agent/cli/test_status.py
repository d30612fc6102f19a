"""`tsq-agent status` and `retry`: what a technician reads, in both languages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent.cli import main
from agent.cli.clockview import clock_line
from agent.cli.status import lines
from settings.language import Text

if TYPE_CHECKING:
    from settings.language import Language

EXAMPLE = Path(__file__).parents[3] / "config" / "agent.example.yaml"
NOW = 1_795_000_000 * 10**9
UNCONFIRMED = Text(
    "! clock: nobody confirms the time: data is sent after up to 10 minutes and is no evidence: connect a time "
    "server (NTP), or set the clock of this PC and write time.trust_local_clock: true",
    "! 시각: 확인되지 않음. 데이터가 최대 10분 늦게 전송되고 진단 근거에서 빠집니다. 시간 서버(NTP)를 연결하거나, "
    "이 PC의 시각을 맞춘 뒤 time.trust_local_clock: true를 쓰십시오",
)


def answer() -> dict[str, Any]:
    def device(state: str, seconds: int, text: str = "", *refused: str) -> dict[str, Any]:
        since = str(NOW - seconds * 10**9)
        return {
            "state": state, "since": since, "text": text, "refused": list(refused), "frames": 3, "rows": 5,
            "bad_rows": 1, "outages": 2,
        }  # fmt: skip

    return {
        "agent": "hanil/edge-1",
        "name": "한일정밀 1공장",
        "time": str(NOW),
        "clock_trusted": False,
        "clock": {"source": "none", "since": str(NOW), "uncertainty_ns": None, "epoch": 3},
        "devices": {
            "cnc": device("refused", 90_061, "log in: Bad\x1b[31m: check user"),
            "plc": device("up", 7, "old", "signal a: illegal address"),
        },
        "spool": {"entries": 2, "rows": 53, "bytes": 4096, "oldest_ns": NOW - 61 * 10**9},
        "uplink": {
            "site": True,
            "platform": False,
            "sparkplug": False,
            "troubles": {"sparkplug": {"en": "the host is away", "ko": "호스트 없음"}},
            "certificates": {"sparkplug": 5 * 86_400.0},
        },
    }


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        (
            "en",
            [
                "hanil/edge-1  한일정밀 1공장  (clock not trusted)",
                "  cnc  refused  1d 01:01:01  rows 5, bad 1, outages 2  log in: Bad·[31m: check user",
                "  plc  up        00:00:07  rows 5, bad 1, outages 2",
                "       - signal a: illegal address",
                f"  {UNCONFIRMED.en}",
                "  spool: 2 entries wait (53 rows, oldest 00:01:01), 4096 bytes on disk",
                "  site: connected",
                "  platform: not connected",
                "  Sparkplug: not connected",
                "    - the host is away",
                "    - our certificate expires in 5 days: renew it (no restart is needed)",
            ],
        ),
        (
            "ko",
            [
                "hanil/edge-1  한일정밀 1공장  (시각 미확인)",
                "  cnc  접속 거부   1d 01:01:01  수집 5건, 불량 1건, 통신 끊김 2회  log in: Bad·[31m: check user",
                "  plc  정상         00:00:07  수집 5건, 불량 1건, 통신 끊김 2회",
                "       - signal a: illegal address",
                f"  {UNCONFIRMED.ko}",
                "  저장 대기 데이터: 2묶음(53건, 가장 오래된 것 00:01:01 전), 디스크 사용 4096바이트",
                "  사업장 브로커: 연결됨",
                "  플랫폼 브로커: 연결 안 됨",
                "  Sparkplug(SCADA): 연결 안 됨",
                "    - 호스트 없음",
                "    - 이 장비의 인증서가 5일 뒤 만료됩니다. 갱신하십시오(재시작 불필요)",
            ],
        ),
    ],
)
def test_status_says_what_each_device_is_doing(language: Language, expected: list[str]) -> None:
    assert lines(answer(), language) == expected


@pytest.mark.parametrize(
    ("source", "error_ns", "en", "ko"),
    [
        (
            "kernel",
            12_100_000,
            "by the time server (NTP), within 13 ms",
            "시간 서버(NTP)와 동기화, 오차 13 ms 이내",
        ),
        (
            "kernel",
            1_210_000_000,
            "by the time server (NTP), within 1.3 s",
            "시간 서버(NTP)와 동기화, 오차 1.3 s 이내",
        ),
        ("gateway", 300, "by the gateway, within 1 ms", "게이트웨이 시각 사용, 오차 1 ms 이내"),
        (
            "local",
            None,
            "of this PC, as time.trust_local_clock says",
            "이 PC의 시계 사용(설정 time.trust_local_clock)",
        ),
    ],
)
def test_status_says_who_vouches_for_the_clock(source: str, error_ns: int | None, en: str, ko: str) -> None:
    text = clock_line({"source": source, "uncertainty_ns": None if error_ns is None else str(error_ns)})
    assert (text.en, text.ko) == (f"clock: {en}", f"시각: {ko}")


@pytest.mark.parametrize(
    ("language", "begin"), [("en", "  ! clock: the gateways"), ("ko", "  ! 시각: 게이트웨이 w-1, w-2")]
)
def test_gateways_that_disagree_about_the_time_are_a_line(language: Language, begin: str) -> None:
    told = answer()
    told["clock"] |= {"disagreement": {"off_ns": "-900000000", "known": "w-1", "worker": "w-2"}}
    (line,) = [line for line in lines(told, language) if line.startswith(begin)]
    assert "900 ms" in line


@pytest.mark.parametrize("target", ["nope", "press-plc.nope", ""])
def test_retry_of_what_the_file_does_not_hold_names_what_it_holds(
    target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--lang", "ko", "retry", target, "--config", str(EXAMPLE)]) == 1
    said = capsys.readouterr().err
    assert said == f"tsq-agent: 설정에 없는 장치입니다({target}). 쓸 수 있는 장치: press-plc, meter, cnc\n"


@pytest.mark.parametrize("words", [["status"], ["retry", "press-plc.fast"]])
@pytest.mark.parametrize(("language", "advice"), [("en", "is it running with this file"), ("ko", "확인하십시오")])
def test_without_an_agent_it_says_what_to_look_at(
    words: list[str], language: str, advice: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "agent.yaml"
    config.write_text(EXAMPLE.read_text("utf-8").replace("/var/lib/tsq-agent", str(tmp_path)), "utf-8")
    assert main(["--lang", language, *words, "--config", str(config)]) == 1
    said = capsys.readouterr().err
    assert str(tmp_path) in said
    assert advice in said


def test_a_reader_that_has_seen_enough_gets_no_traceback() -> None:
    code = f"from agent.cli import main; raise SystemExit(main(['check', {str(EXAMPLE)!r}]))"
    with subprocess.Popen(
        [sys.executable, "-u", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
