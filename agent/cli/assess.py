"""`tsq-agent assess`: an assessment of what stands in files or in a database, without an agent at the machines."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.assess import told
from agent.assess.config import load
from agent.assess.run import Reading
from agent.cli.progress import Progress
from agent.reporter import load_model
from answers.load import load as load_answers
from contract.codec import encode
from settings.errors import ConfigError
from settings.language import Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence
    from typing import TextIO

    from agent.assess.config import AssessConfig
    from agent.assess.run import Result
    from readiness.model import Model
    from settings.language import Language

WIDE = 110  # columns of report.txt


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    data = Text("CSV or Parquet files", "CSV 또는 Parquet 파일")
    config = Text("what stands in which column, see docs/assess.md", "열 구성 설정 파일(docs/assess.ko.md 참고)")
    answers = Text(
        "what people say of the machines, see docs/answers.md", "설비에 대한 응답 파일(docs/answers.ko.md 참고)"
    )
    out = Text(
        "folder for report.json, a file per machine and report.txt",
        "report.json, 설비별 파일, report.txt를 둘 폴더",
    )
    spoken = Text("language of the report, as --lang", "보고서 언어(--lang과 같음)")
    parser.add_argument("--data", nargs="+", type=Path, default=[], metavar="FILE", help=data(language))
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help=config(language))
    parser.add_argument("--answers", type=Path, action="append", default=[], metavar="FILE", help=answers(language))
    parser.add_argument("--out", type=Path, metavar="DIR", help=out(language))
    parser.add_argument("--language", choices=("ko", "en"), default=None, help=spoken(language))


def main(args: argparse.Namespace, language: Language) -> int:
    """Assess.

    Returns:
        0.

    Raises:
        ConfigError: a file cannot be read or used, with file and line.
    """
    spoken: Language = args.language or language
    config = load(args.config, spoken)
    progress = Progress(_total(args.data), spoken)
    try:
        given = [load_answers(path, spoken) for path in args.answers]
        reading = Reading(config, str(args.config), args.data, given, spoken, progress.advance)
        model = load_model()
        result = reading.assess(model)
    finally:
        progress.end()
    _print(config, result, model, spoken, sys.stdout)
    if args.out is not None:
        try:
            _write(args.out, result)
            text = io.StringIO()
            _print(config, result, model, spoken, text, WIDE)
            lines = [line.rstrip() for line in text.getvalue().splitlines()]
            (args.out / "report.txt").write_text("\n".join(lines) + "\n", "utf-8")
        except OSError as exc:
            raise ConfigError(f"{args.out}: {exc.strerror or exc}") from exc
        print(Text(f"written: {args.out}", f"저장: {args.out}")(spoken))
    return 0


def _total(paths: Sequence[Path]) -> int:
    try:
        return sum(path.stat().st_size for path in paths)
    except OSError as exc:
        raise ConfigError(f"{exc.filename}: {exc.strerror}") from exc


def _print(
    config: AssessConfig, result: Result, model: Model, language: Language, file: TextIO, width: int | None = None
) -> None:
    """Print the report as `tsq-agent report` does, and below it what it rests on."""
    from rich.console import Console  # noqa: PLC0415 - only where it is drawn

    from agent.cli.reportview import page  # noqa: PLC0415

    console = Console(file=file, width=width, highlight=False)
    names = {machine.id: machine.name for machine in result.plant.machines}
    stored = Text("assessed from stored data", "저장된 자료로 진단")(language)
    title = f"{config.name} · {stored}"
    console.print(page(result.assessment.plant(), model, language, names, title, console.size.width))
    print("", *told.basis(result, language), sep="\n", file=file)


def _write(folder: Path, result: Result) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_bytes(encode(result.assessment.plant()))
    machines = folder / "machines"
    machines.mkdir(exist_ok=True)
    for machine in result.plant.machines:
        report = result.assessment.machine(machine.id)
        if report is not None:
            (machines / f"{machine.id}.json").write_bytes(encode(report))
    days = folder / "days"
    days.mkdir(exist_ok=True)
    for day, raw in result.days.items():
        (days / f"{day}.json").write_bytes(raw)
