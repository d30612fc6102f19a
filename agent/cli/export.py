"""`tsq-agent export aas`: the plant as Asset Administration Shells, in one AASX package."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from agent import answered
from agent.aas import evidence
from agent.aas.nameplate import Nameplates
from agent.aas.package import package
from agent.aas.shells import export
from agent.cli import config_argument
from agent.config.load import load
from agent.reporter import load_model
from answers.load import load as load_answers
from answers.plant import join
from readiness.evidence import load as load_day
from readiness.view import View
from settings import load as loading
from settings.errors import ConfigError
from settings.language import Text

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping

    from agent.aas.nameplate import Nameplate
    from agent.config.model import AgentConfig
    from agent.frame import Source
    from answers.load import Given
    from answers.plant import Joined
    from settings.language import Language

_BEGIN = Text("begin with `nameplates:`, see docs/tools.md", "`nameplates:`부터 쓰십시오(docs/tools.ko.md 참고)")


def arguments(parser: argparse.ArgumentParser, language: Language) -> None:
    """Add the arguments of the verb."""
    what = Text("aas: Asset Administration Shells in an AASX package", "aas: 자산관리쉘(AASX 패키지)")
    out = Text("the package; default: FACTORY.aasx here", "저장할 파일. 기본값: 현재 폴더의 <factory>.aasx")
    answers = Text("what people say, when not the configured file", "응답 파일(설정 파일에 없을 때)")
    plates = Text("what stands on the machines' nameplates", "설비 명판 내용 파일")
    store = Text("URL at which the store takes a query", "저장소 조회 URL")
    days = Text("evidence that `assess --out` wrote, DIR/days", "assess --out이 만든 days 폴더")
    parser.add_argument("what", choices=("aas",), help=what(language))
    parser.add_argument("--out", type=Path, metavar="FILE.aasx", help=out(language))
    parser.add_argument("--answers", type=Path, metavar="FILE", help=answers(language))
    parser.add_argument("--nameplates", type=Path, metavar="FILE", help=plates(language))
    parser.add_argument("--store", metavar="URL", help=store(language))
    parser.add_argument("--days", type=Path, metavar="DIR", help=days(language))
    config_argument(parser, language)


def main(args: argparse.Namespace, language: Language) -> int:
    """Export.

    Returns:
        0.

    Raises:
        ConfigError: a file cannot be used or written.
    """
    config = load(args.config, language)
    sources = [source for source in config.sources() if source.mode != "burst"]
    joined = join(sources, config.inventory(), config.calendar(), _answers(config, args.answers, language))
    plates = {} if args.nameplates is None else _plates(args.nameplates, joined, language)
    days = evidence.of_spool(config.storage.directory) if args.days is None else evidence.of_folder(args.days)
    view = _view(days, sources, joined)
    made = export(config, joined.plant.machines, sources, view, plates, args.store)
    out = args.out or Path(f"{config.factory}.aasx")
    try:
        out.write_bytes(package(made.environment))
    except OSError as exc:
        raise ConfigError(f"{out}: {exc.strerror or exc}") from exc
    for machine, names in made.submodels.items():
        none = Text("no submodel: nothing is known of it", "하위 모델 없음(정보 없음)")(language)
        print(f"{machine}: {', '.join(names) or none}")
    if view is None:
        print(Text("no evidence yet: without process variables", "측정 근거가 없어 공정 변수는 제외")(language))
    if args.store is None:
        print(Text("without --store: without time series", "--store가 없어 시계열은 제외")(language))
    if made.left_out:
        some = ", ".join(made.left_out)
        print(Text(f"the template has no words for: {some}", f"템플릿으로 표현할 수 없어 제외: {some}")(language))
    print(Text(f"written: {out}", f"저장: {out}")(language))
    return 0


def _answers(config: AgentConfig, path: Path | None, language: Language) -> list[Given]:
    """Return what people have said: in the file, and in the last message that the agent has accepted."""
    file = path or config.readiness.answers
    found = [] if file is None else [load_answers(file, language)]
    if path is None and config.uplink.platform is not None and config.uplink.platform.answers_key is not None:
        kept = answered.Store(config.storage.directory).latest("message")
        found += [] if kept is None else [kept.given]
    return found


def _view(days: Mapping[str, bytes], sources: list[Source], joined: Joined) -> View | None:
    """Return the window that ends with the last day of evidence."""
    if not days:
        return None
    records = [load_day(raw) for _, raw in sorted(days.items())]
    return View(
        days=records, tallies={}, catalog=sources, plant=joined.plant, calendar=joined.calendar,
        now_ns=max(record.end_ns for record in records), model=load_model(),
    )  # fmt: skip


def _plates(path: Path, joined: Joined, language: Language) -> dict[str, Nameplate]:
    read = partial(loading.read, model=Nameplates, begin=_BEGIN)
    found = loading.load(path, read, language).nameplates
    known = {machine.id for machine in joined.plant.machines}
    for plate in found:
        if plate.machine not in known:
            text = Text(f"machine {plate.machine} is not declared", f"선언되지 않은 설비입니다({plate.machine})")
            raise ConfigError(f"{path}: {text(language)}")
    return {plate.machine: plate for plate in found}
