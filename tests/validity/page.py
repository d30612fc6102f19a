"""The table of validity as a page: for each row measured against true values, in plain SVG."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING

from tests.validity.rows import ROWS

if TYPE_CHECKING:
    from tests.validity.matrix import Matrix
    from tests.validity.rows import Result

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


def page(matrix: Matrix, more: str) -> str:
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
        f"<h2>Measured (up) over true (right)</h2>{''.join(figures)}<pre>{html.escape(more)}</pre></html>"
    )
