"""The table of validity as a page: for each row measured against true values, in plain SVG."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING

from readiness.indicators import REGISTRY
from tests.validity.rows import ROWS
from tests.validity.tricks import TRICKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.validity.matrix import Matrix
    from tests.validity.rows import Result
    from tests.validity.tricks import Trick

SIZE, EDGE = 180, 24
STYLE = """body{font:14px sans-serif;margin:2em;max-width:80em}td,th{padding:2px 8px;text-align:right}
td:nth-child(-n+3),th:nth-child(-n+3){text-align:left}.bad{background:#fcc}figure{display:inline-block;margin:8px}
figcaption{font-size:12px;text-align:center}pre{background:#f4f4f4;padding:1em;overflow:auto}"""


def plot(found: list[Result]) -> str:
    """Return measured values over true ones, with the line on which they are equal."""
    pairs = [(one.truth, one.found) for one in found if one.found is not None and math.isfinite(one.truth)]
    if not pairs:
        return ""
    low, high = min(min(pair) for pair in pairs), max(max(pair) for pair in pairs)
    span = (high - low) or 1.0

    def place(value: float) -> float:
        return EDGE + (SIZE - 2 * EDGE) * (value - low) / span

    dots = "".join(
        f'<circle cx="{place(true):.1f}" cy="{SIZE - place(measured):.1f}" r="2.5" '
        f'fill="{"#07c" if one.passes else "#c00"}" fill-opacity=".6"/>'
        for (true, measured), one in zip(pairs, (o for o in found if o.found is not None), strict=True)
    )
    return (
        f'<svg width="{SIZE}" height="{SIZE}" role="img"><rect x="{EDGE}" y="{EDGE}" width="{SIZE - 2 * EDGE}" '
        f'height="{SIZE - 2 * EDGE}" fill="none" stroke="#999"/><line x1="{EDGE}" y1="{SIZE - EDGE}" '
        f'x2="{SIZE - EDGE}" y2="{EDGE}" stroke="#bbb"/>{dots}'
        f'<text x="{EDGE}" y="{SIZE - 8}" font-size="10">{low:.3g}</text>'
        f'<text x="{SIZE - EDGE}" y="{SIZE - 8}" font-size="10" text-anchor="end">{high:.3g}</text></svg>'
    )


KINDS = {
    "drop": ("C03", "A01", "X01"), "freeze": ("Q03",), "skew": ("A05",), "jitter": ("A06",),
    "alias": ("A02", "A03"), "wrap": (), "duplicate": ("Q06",), "reorder": ("Q06",), "noise": (), "wrong unit": (),
    "mislabel": (), "fake liveness": (),
}  # fmt: skip
"""Faults that the plant knows, and rows of the table that they strike; the others have tests (`test_faults`)."""


def _tricks(told: Sequence[tuple[Trick, str]]) -> str:
    """Return the tricks with what has come of them."""
    rows = "".join(
        f"<tr{' class=bad' if why else ''}><td>{trick.id}</td><td>{trick.machine}</td>"
        f"<td>{html.escape(trick.what)}</td><td>{html.escape(why or expected(trick))}</td></tr>"
        for trick, why in told
    )
    return f"<h2>Tricks</h2><table><tr><th>id</th><th>machine</th><th>trick</th><th>report</th></tr>{rows}</table>"


def expected(trick: Trick) -> str:
    """Return what has to come of a trick, in words."""
    worth = [f"worth {trick.worth:g}"] if trick.worth is not None else ["worth the truth"] if trick.true else []
    most = [] if trick.most is None else [f"at most {trick.most:g}"]
    points = [] if trick.score is None else [f"at most {trick.score:g} points"]
    shown = [f"{name} {value}" for name, value in trick.shown.items()]
    return ", ".join([*filter(None, (trick.flag, trick.reason)), *worth, *most, *points, *shown])


def _lines() -> str:
    """Return for each indicator where the lines of "done when" are shown."""
    rows = "".join(
        f"<tr><td>{name}</td><td>{', '.join(r.machine for r in ROWS if r.id == name)}</td>"
        f"<td>{sum(t.id == name for t in TRICKS)}</td><td>{', '.join(REGISTRY[name].reasons)}</td></tr>"
        for name in REGISTRY
    )
    faults = "".join(
        f"<tr><td>{kind}</td><td>{', '.join(ids) or 'test_faults'}</td></tr>" for kind, ids in KINDS.items()
    )
    return (
        "<h2>What shows what</h2><p>Truth at six levels: the table. Tricks: below, and test_gaming. Codes: "
        "test_codes and test_withheld, there when withheld and nowhere else. Our own outages: test_own_faults, "
        "all rows of the table.</p><table><tr><th>id</th><th>in the table at</th><th>tricks</th><th>codes</th></tr>"
        f"{rows}</table><table><tr><th>fault</th><th>strikes</th></tr>{faults}</table>"
    )


def page(matrix: Matrix, told: Sequence[tuple[Trick, str]], more: str) -> str:
    """Return the page; `more` is text that follows the table."""
    levels = "".join(f"<th>{level:.0%}</th>" for level in matrix.levels)
    rows, figures = [], []
    for row in ROWS:
        missed, runs = matrix.misses(row)
        errors = "".join(f"<td>{error:.4f}</td>" for error in matrix.errors(row))
        struck = ' class="bad"' if missed else ""
        rows.append(
            f"<tr{struck}><td>{row.id}</td><td>{row.machine}</td><td>{html.escape(row.fault)}</td>{errors}"
            f"<td>{missed}/{runs}</td></tr>"
        )
        found = [one for level in matrix.cells[row].values() for one in level]
        figures.append(f"<figure>{plot(found)}<figcaption>{row.id} {row.machine}</figcaption></figure>")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Validity</title><style>{STYLE}</style>'
        f"<h1>Validity: largest error against what really happened, by level of the fault</h1>"
        f"<p>{matrix.samples:,} samples through the whole chain. "
        "Numbers between 0 and 1 have to come within 0.01.</p>"
        f"<table><tr><th>id</th><th>machine</th><th>fault</th>{levels}<th>misses</th></tr>{''.join(rows)}</table>"
        f"{_lines()}{_tricks(told)}<h2>Measured (up) over true (right)</h2>"
        f"{''.join(figures)}<pre>{html.escape(more)}</pre></html>"
    )
