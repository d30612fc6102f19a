"""The registry. A new indicator: a module here, its line below, its anchors in `config/readiness`, its tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from readiness.indicators import (
    a01,
    a02,
    a03,
    a04,
    a05,
    a06,
    c01,
    c02,
    c03,
    c04,
    e01,
    e02,
    l01,
    l02,
    l03,
    l04,
    q01,
    q02,
    q03,
    q04,
    q05,
    q06,
    q07,
    q08,
    q09,
    r01,
    r02,
    r03,
    s01,
    s02,
    s03,
    s04,
    t01,
    t02,
    t03,
    u01,
    u02,
    u03,
    u04,
    v01,
    v02,
    v03,
    v04,
    v05,
    x01,
)

if TYPE_CHECKING:
    from readiness.indicators.base import Indicator

_MODULES = (
    c01, c02, c03, c04, x01,
    a01, a02, a03, a04, a05, a06,
    q01, q02, q03, q04, q05, q06, q07, q08, q09,
    v01, v02, v03, v04, v05,
    r01, r02, r03,
    u01, u02, u03, u04,
    e01, e02,
    t01, t02, t03,
    s01, s02, s03, s04,
    l01, l02, l03, l04,
)  # fmt: skip

REGISTRY: dict[str, Indicator] = {module.INDICATOR.id: module.INDICATOR for module in _MODULES}
"""All indicators, in the order of the specification and of the report."""
