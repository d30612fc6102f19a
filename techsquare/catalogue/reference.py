"""Writes `docs/catalogue.md`: `python -m techsquare.catalogue.reference > docs/catalogue.md`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from settings.reference import page
from techsquare.catalogue.load import load
from techsquare.catalogue.model import DESIGN, Measures, Programmes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from techsquare.catalogue.load import Catalogue
    from techsquare.catalogue.model import Entry, WonSpan

_INTRODUCTION = """\
# The catalogue of measures

<!-- Made by `python -m techsquare.catalogue.reference > docs/catalogue.md`; a test compares. -->

What a roadmap can propose stands in [config/catalogue/measures.yaml](../config/catalogue/measures.yaml), who pays a
share of it in [programmes.yaml](../config/catalogue/programmes.yaml). Both are read anew when the platform starts;
mistakes are told with their lines, in Korean or English.

- **A cost is a span, a gain has a spread.** Nobody knows either before it is done. The plan counts with the middle
  and is made again at both ends.
- **Each number says where it comes from.** `design value` is our own guess and rests on nothing that can be read:
  it is there until verified outcomes replace it, and must not be quoted. Published cases are mostly successes, so
  means are set below them.
- **Data comes first.** What a measure has to see is written as indicators of [indicators.md](indicators.md). Where
  a machine does not reach them, the first measure that gives them and fits the machine is proposed as well, and has
  to stand before it.
- **Every programme here is an example.** Shares, caps and dates change with each call. Whoever runs the platform
  writes the calls that are open into the file.
"""
_TITLES = {
    "Measures": "measures.yaml",
    "Entry": "a measure",
    "Price": "cost",
    "WonSpan": "yearly",
    "GainPrior": "gains",
    "DataNeed": "data",
    "Capability": "capabilities",
    "Feature": "properties",
    "Programmes": "programmes.yaml",
    "Funding": "a programme",
}


def reference(catalogue: Catalogue | None = None) -> str:
    """Return the page of a catalogue; of the shipped one by default."""
    shown = catalogue or load(lang="en")
    parts = [
        _INTRODUCTION,
        "## The measures\n",
        "\n".join(_measures(shown)) + "\n",
        "## The programmes\n",
        "All of them examples.\n",
        "\n".join(_programmes(shown)) + "\n",
        "## Sources\n",
        "\n".join(_sources(shown)) + "\n",
    ]
    return "\n".join(parts) + page(Measures, "", _TITLES) + page(Programmes, "", _TITLES)


def _measures(catalogue: Catalogue) -> Iterator[str]:
    numbers = _numbers(catalogue)
    yield "| measure | 과제 | takes away | costs, won | a year | months | days | after |"
    yield "|---|---|---|---|---|---|---|---|"
    for entry in catalogue.entries:
        gains = ", ".join(f"{g.bucket} {g.mean:.0%} ± {g.sd:.0%}{_mark(numbers, g.source)}" for g in entry.gains)
        cells = (
            f"`{entry.id}` {entry.en}{'' if entry.per == 'machine' else ' (plant)'}",
            entry.ko,
            gains or f"data: {', '.join(entry.gives)}",
            _won(entry.cost) + _mark(numbers, entry.cost.source),
            _won(entry.yearly),
            f"{entry.months:g}",
            f"{entry.staff_days:g}",
            _after(entry),
        )
        yield "| " + " | ".join(cells) + " |"


def _after(entry: Entry) -> str:
    data = [f"{need.indicator} ≥ {need.least:g}" for need in entry.data]
    return ", ".join([*data, *(f"`{need}`" for need in entry.needs)])


def _won(span: WonSpan) -> str:
    return f"{span.low:,}" if span.low == span.high else f"{span.low:,} to {span.high:,}"


def _numbers(catalogue: Catalogue) -> dict[str, int]:
    """Return a number for each source that can be read."""
    found = [s for e in catalogue.entries for s in (e.cost.source, *(g.source for g in e.gains))]
    found += [programme.source for programme in catalogue.programmes]
    return {source: i for i, source in enumerate(dict.fromkeys(s for s in found if s != DESIGN), 1)}


def _mark(numbers: dict[str, int], source: str) -> str:
    return f" [{numbers[source]}]" if source in numbers else ""


def _programmes(catalogue: Catalogue) -> Iterator[str]:
    numbers = _numbers(catalogue)
    yield "| programme | 사업 | pays | up to, won | from | to | VAT | before delivery | rest after |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for p in catalogue.programmes:
        cells = (
            f"`{p.id}` {p.en}{_mark(numbers, p.source)}", p.ko, f"{p.share:.0%}", f"{p.cap:,}", f"{p.opens}",
            f"{p.closes}", "yes" if p.vat else "no", f"{p.upfront:.0%}", f"{p.after_months:g} months",
        )  # fmt: skip
        yield "| " + " | ".join(cells) + " |"


def _sources(catalogue: Catalogue) -> Iterator[str]:
    yield "What carries no number is a design value."
    yield ""
    for source, number in _numbers(catalogue).items():
        yield f"{number}. {source}"


if __name__ == "__main__":
    sys.stdout.write(reference())
