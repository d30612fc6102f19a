"""The registry. A new indicator: a module here, its line below, its anchors in `config/readiness`, its tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from readiness.indicators import a01, a04, c01, c03, q01, q09, s01

if TYPE_CHECKING:
    from readiness.indicators.base import Indicator

REGISTRY: dict[str, Indicator] = {
    indicator.id: indicator
    for indicator in (
        c01.INDICATOR,
        c03.INDICATOR,
        a01.INDICATOR,
        a04.INDICATOR,
        q01.INDICATOR,
        q09.INDICATOR,
        s01.INDICATOR,
    )
}
