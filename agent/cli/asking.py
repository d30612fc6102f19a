"""Asks the agent that runs with a file, and says what to do when none answers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from agent import control
from agent.control import NotRunning
from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from agent.config.model import AgentConfig
    from settings.language import Language


def ask(
    config: AgentConfig,
    language: Language,
    verb: str,
    target: str = "",
    args: Mapping[str, object] | None = None,
) -> Mapping[str, object] | None:
    """Return the running agent's answer; None, with words on the error stream, when none answers."""
    try:
        return control.ask(config.storage.directory, verb, target, args)
    except NotRunning as exc:
        print(f"tsq-agent: {silent(config, exc)(language)}", file=sys.stderr)
        return None


def silent(config: AgentConfig, exc: NotRunning) -> Text:
    """Return what to look at when no agent answers."""
    return Text(
        f"{exc}: is it running with this file, and may you read its folder (sudo)?",
        f"{config.storage.directory}에서 실행 중인 에이전트의 응답이 없습니다({exc.__cause__ or exc}). "
        "이 설정 파일로 실행 중인지, 폴더를 읽을 권한이 있는지(sudo) 확인하십시오",
    )


def known(config: AgentConfig, target: str, language: Language) -> bool:
    """Return whether `target` is a device or a source of the file; say what is, when not."""
    devices = [device.id for device in config.devices]
    if target in {*devices, *(source.id for source in config.sources())}:
        return True
    names = ", ".join(devices) or "-"
    text = Text(
        f"there is no device {target!r} in {config.name}: write one of {names}",
        f"설정에 없는 장치입니다({target}). 쓸 수 있는 장치: {names}",
    )
    print(f"tsq-agent: {text(language)}", file=sys.stderr)
    return False
