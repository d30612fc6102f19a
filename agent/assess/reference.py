"""The page of `tsq-agent assess`: `python -m agent.assess.reference > docs/assess.md`, with `ko` in Korean."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from agent.assess.config import AssessConfig
from agent.assess.provable import ABSENT, WHY
from readiness.indicators import REGISTRY
from settings.language import Text
from settings.reference import page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from settings.language import Language

_TITLES = {"AssessConfig": "The file"}
_HEAD = Text(
    """\
# An assessment of stored data

<!-- Made from the models by `python -m agent.assess.reference > docs/assess.md`; a test compares. -->

A factory that has a historian and no agent gets the same report from what it has stored: CSV files, Parquet
files or an InfluxDB. The formulas and the analyzers are those of the agent. [한국어](assess.ko.md)

    tsq-agent assess --data export/*.csv --config assess.yaml --answers answers.yaml --out report

- `--config` says which column holds what: [config/assess.example.yaml](../config/assess.example.yaml), all keys
  below.
- `--answers` is the file of [the mentor's answers](answers.md): what a value of a state means, hand counts,
  products.
- `--out` writes `report.json`, `machines/*.json`, `days/*.json` (the evidence) and `report.txt`.
- `--language ko|en` is the language of the report.

Files may be UTF-8, CP949 or UTF-16, with commas, semicolons or tabs, with lines before their heading; one value
a column or one value a row; any number of files a source. Rows stand in order of time, oldest first. A file of
any length takes the same memory. Parquet needs `pip install 'techsquare-edge[assess]'`.

- A heading may have cells of several lines (`Current (A)` in one). Names that come twice, as under merged cells,
  are told apart by their number: `Current (1)`, `Current (2)`. A spreadsheet (.xlsx) is saved as CSV first.
- Where commas part the columns, a quoted `"1,234"` has a comma between thousands. Elsewhere nothing tells what a
  comma means, and `decimal` has to say it.
- An empty cell is a hole: nothing was stored; so are the errors of a spreadsheet (#N/A, ####). A word in place of
  a number ("I/O Timeout") is a value that was answered and is bad; the report counts them and names the first, with
  file and line.
- A time without an offset is local time of `zone`. The hour that comes twice in autumn is told by the order of
  rows. A time that is a bare number (46348.5, 1795302000) is refused until `format` says what it counts.
- Without `every` the interval is estimated from the first rows, and the report says so. What is stored only
  when it changes has none: write `stored: changes`. A column that keeps to another interval for a tenth of its
  time is named with it: give it a source of its own over the same files, else it counts as incomplete.
- A day that ends in the middle of its planned time is left out. A planned day without any row counts as lost
  and is named: a file may be missing.

## What such data cannot prove

These indicators are not assessed (`NA_NOT_IN_SOURCE`), never zero: another program stood between the device and
the file and has decided what to keep.
""",
    """\
# 저장된 자료로 진단하기

<!-- `python -m agent.assess.reference ko > docs/assess.ko.md`로 만듭니다. 시험이 비교합니다. -->

에이전트 없이도 히스토리안이나 DB에 쌓인 자료(CSV, Parquet, InfluxDB)로 같은 보고서를 받을 수 있습니다. 계산식과
분석은 에이전트와 같습니다. [English](assess.md)

    tsq-agent assess --data export/*.csv --config assess.yaml --answers answers.yaml --out report

- `--config`: 어느 열이 무엇인지. [config/assess.example.yaml](../config/assess.example.yaml) 참고. 모든 항목은
  [영문 문서](assess.md#the-file)에 있습니다.
- `--answers`: [멘토 응답](answers.ko.md) 파일. 상태 값의 의미, 수기 계수, 품목 등.
- `--out`: `report.json`, `machines/*.json`, `days/*.json`(근거), `report.txt`를 저장합니다.
- `--language ko|en`: 보고서 언어.

파일은 UTF-8, CP949, UTF-16 모두 되고 구분자는 쉼표, 세미콜론, 탭을 알아냅니다. 제목 줄 앞에 다른 줄이 있어도
되며, 열마다 태그 하나이거나 행마다 값 하나이면 됩니다. 여러 파일로 나뉘어 있어도 됩니다. 행은 오래된 시각부터
정렬되어 있어야 합니다. 파일이 아무리 커도 메모리는 늘지 않습니다. Parquet은 `pip install
'techsquare-edge[assess]'`가 필요합니다.

- 열 이름이 한 칸에 여러 줄이면 한 줄로 이어 씁니다(`전류 (A)`). 병합된 제목 아래처럼 같은 이름이 여러 번 나오면
  `전류 (1)`, `전류 (2)`로 씁니다. 엑셀 파일(.xlsx)은 먼저 CSV로 저장하십시오.
- 쉼표로 구분한 파일의 `"1,234"`는 천 단위 구분으로 읽습니다. 다른 파일에서는 쉼표의 뜻을 알 수 없으므로 `decimal`을
  써야 합니다.
- 빈 칸과 엑셀 오류(#N/A, ####)는 저장되지 않은 것입니다. 숫자 자리에 글("I/O Timeout")이 있으면 불량 값이며,
  보고서에 건수와 처음 나온 파일·행이 나옵니다.
- 시차 표시가 없는 시각은 `zone`의 현지 시각입니다. 서머타임으로 두 번 오는 시각은 행 순서로 구별합니다. 숫자로만 된
  시각(46348.5, 1795302000)은 `format`에 뜻을 써야 읽습니다. 엑셀 날짜 숫자는 `excel`입니다.
- `every`가 없으면 앞부분 자료에서 주기를 추정하고 보고서에 밝힙니다. 변화할 때만 저장한 자료는 `stored:
  changes`로 쓰십시오. 10분의 1 이상의 시간 동안 다른 주기로 저장된 열은 그 주기와 함께 알려 줍니다. 같은 파일을
  읽는 source를 따로 만들지 않으면 그 열은 누락이 많은 것으로 계산됩니다.
- 근무시간 중에 자료가 끝난 마지막 날은 제외합니다. 근무일인데 행이 하나도 없는 날은 누락으로 계산하고 날짜를
  알려 줍니다. 빠진 파일이 있는지 확인하십시오.

## 자료만으로 확인할 수 없는 지표

아래 지표는 0점이 아니라 미평가(`NA_NOT_IN_SOURCE`)입니다. 장치와 파일 사이에서 다른 프로그램이 무엇을 남길지
정했기 때문입니다.
""",
)
_KINDS = {
    "stored": Text("any stored data", "저장된 모든 자료"),
    "changes": Text("`stored: changes`, also", "`stored: changes`이면 추가로"),
    "ungraded": Text("without `quality`, also", "`quality`가 없으면 추가로"),
    "absent": Text("a machine of which nothing is stored", "자료가 전혀 없는 설비"),
}
_COLUMNS = Text("| data | indicator | why |", "| 자료 | 지표 | 이유 |")


def reference(language: Language) -> str:
    """Return the page."""
    table = [_COLUMNS(language), "|---|---|---|", *_rows(language), ""]
    head = _HEAD(language) + "\n" + "\n".join(table)
    return page(AssessConfig, head, _TITLES) if language == "en" else head


def _rows(language: Language) -> Iterator[str]:
    for kind, found in (*WHY.items(), ("absent", ABSENT)):
        for metric, why in found.items():
            indicator = REGISTRY[metric]
            name = indicator.ko if language == "ko" else indicator.en
            yield f"| {_KINDS[kind](language)} | {metric} {name} | {why(language)} |"


if __name__ == "__main__":
    sys.stdout.write(reference("ko" if sys.argv[1:] == ["ko"] else "en"))
