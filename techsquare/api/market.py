"""A market from outside, as forms: items, solutions, suppliers, outcomes and who was shown. Pure, as `given`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from techsquare.api.forms import Form, Key, PropertyForm, Word
from techsquare.api.given import Count, Keys, Number, On, Range, Share, Won, Words
from techsquare.matching import terms as m
from techsquare.matching.exposure import Day as Shown
from techsquare.matching.exposure import Ledger

Capabilities = Annotated[dict[Key, Annotated[dict[Key, PropertyForm], Field(max_length=20)]], Field(max_length=20)]


def _capabilities(given: dict[str, dict[str, PropertyForm]]) -> dict[str, dict[str, m.Property]]:
    return {
        name: {key: m.Property(one.low, one.high, frozenset(one.words)) for key, one in properties.items()}
        for name, properties in given.items()
    }


def _plain(form: Form, sets: tuple[str, ...]) -> dict[str, Any]:
    """Return the fields of a form, some lists as sets and ranges as spans; capabilities are left out."""
    found: dict[str, Any] = form.model_dump(exclude={"capabilities", *sets})
    ranges = {name: value.span() for name in found if isinstance(value := getattr(form, name), Range)}
    return found | ranges | {name: frozenset(getattr(form, name)) for name in sets}


class ItemForm(Form):
    """An open item for which an offer is looked for; see `techsquare.matching.terms.Item`."""

    id: Key
    factory: Key
    measure: Key
    family: Key
    capabilities: Capabilities = Field({})
    process: Word
    interfaces: Words = Field([])
    region: Word
    most_won: Won
    loss: Range
    missing_prerequisites: Keys = Field([])
    consents: Keys = Field([])
    excluded: Keys = Field([])
    related: Keys = Field([])
    fit: Annotated[dict[Key, Literal["pass", "fail"]], Field(max_length=100)] = Field({})

    def term(self) -> m.Item:
        """Return it as the engine has it."""
        sets = ("interfaces", "missing_prerequisites", "consents", "excluded", "related")
        return m.Item(**_plain(self, sets), capabilities=_capabilities(self.capabilities))


class SolutionForm(Form):
    """A version of a solution; see `techsquare.matching.terms.Solution`."""

    id: Key
    supplier: Key
    family: Key
    version: Word
    capabilities: Capabilities = Field({})
    processes: Words
    interfaces: Words = Field([])
    regions: Words = Field([])
    remote: bool = False
    price: Range
    yearly: Range
    exit_cost: Range
    needs_consent: Keys = Field([])
    continuity: Keys = Field([])
    escrow: m.Level = "none"

    def term(self) -> m.Solution:
        """Return it as the engine has it."""
        sets = ("processes", "interfaces", "regions", "needs_consent", "continuity")
        return m.Solution(**_plain(self, sets), capabilities=_capabilities(self.capabilities))


class SupplierForm(Form):
    """A supplier; `parties`: itself and its owner group."""

    id: Key
    active: bool = True
    parties: Keys = Field([])
    slots: Count
    verified: Count = 0
    open: Count = 0
    size: Literal["micro", "small", "medium", "large"]


class CountedForm(Form):
    """Outcomes of a supplier with a family; `gains`: shares of the loss, and their standard errors."""

    supplier: Key
    family: Key
    improved: Count = 0
    decided: Count = 0
    cannot_tell: Count = 0
    cause_not_shown: Count = 0
    gains: Annotated[list[tuple[Number, Annotated[float, Field(gt=0, le=10)]]], Field(max_length=100)] = Field([])

    @model_validator(mode="after")
    def _among(self) -> CountedForm:
        if self.improved > self.decided:
            raise ValueError("more improved than decided")
        return self


class PriorForm(Form):
    """Gain of a family before anything is verified, as shares of the loss."""

    mean: Share
    sd: Annotated[float, Field(gt=0, le=1)]


class ShownForm(Form):
    """A night before: how often suppliers were shown, and which could have been."""

    day: On
    shown: Annotated[dict[Key, Count], Field(max_length=300)]
    could: Annotated[list[Key], Field(max_length=300)] = Field([])


class PairForm(Form):
    """An item and a solution."""

    item: Key
    solution: Key


class MatchingProblem(Form):
    """A market of a day."""

    items: Annotated[list[ItemForm], Field(min_length=1, max_length=200)]
    solutions: Annotated[list[SolutionForm], Field(min_length=1, max_length=300)]
    suppliers: Annotated[list[SupplierForm], Field(min_length=1, max_length=300)]
    counts: Annotated[list[CountedForm], Field(max_length=1_000)] = Field([])
    priors: Annotated[dict[Key, PriorForm], Field(max_length=100)] = Field({})
    ledger: Annotated[list[ShownForm], Field(max_length=90)] = Field([])
    on: On
    seed: Key
    why_not: Annotated[list[PairForm], Field(max_length=20)] = Field([])

    def suppliers_term(self) -> list[m.Supplier]:
        """Return suppliers as the engine has them."""
        return [m.Supplier(**{**one.model_dump(), "parties": frozenset(one.parties)}) for one in self.suppliers]

    def counts_term(self) -> dict[tuple[str, str], m.Counted]:
        """Return outcomes by supplier and family."""
        left_out = {"supplier", "family"}
        return {(one.supplier, one.family): m.Counted(**one.model_dump(exclude=left_out)) for one in self.counts}

    def ledger_term(self) -> Ledger:
        """Return the nights before."""
        return Ledger({one.day: Shown(one.shown, frozenset(one.could)) for one in self.ledger})
