"""What of a file came from which device profile, and what of it nobody has confirmed; for `tsq-agent check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from settings.language import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from agent.config.model import AgentConfig, Device
    from settings.language import Language


def origins(config: AgentConfig, language: Language) -> Iterator[str]:
    """Yield for each device that extends a profile, or that has something unsure, where it came from."""
    for device in config.devices:
        lines = [text(language) for text in (*_profile(device), *_unsure(device))]
        if lines:
            yield f"{device.id}: {lines[0]}"
            yield from (f"  {line}" for line in lines[1:])


def _profile(device: Device) -> Iterator[Text]:
    if device.extends is None:
        return
    signals = [signal for group in device.groups for signal in group.signals]
    taken = sum(signal.found == "profile" for signal in signals)
    own = len(signals) - taken
    yield Text(
        f"profile {device.extends}: {taken} signals from it, {own} written here",
        f"프로파일 {device.extends}: 프로파일 태그 {taken}개, 직접 쓴 태그 {own}개",
    )


def _unsure(device: Device) -> Iterator[Text]:
    for said in device.unsure:
        yield Text(f"not confirmed: {said}", f"미확인: {said}")
    for group in device.groups:
        for signal in group.signals:
            if signal.unsure is not None:
                yield Text(f"not confirmed: {signal.id}: {signal.unsure}", f"미확인: {signal.id}: {signal.unsure}")
