"""One shell per machine with its submodels, as the environment of the AAS metamodel 3.0. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.aas import interfaces, kpi, nameplate, timeseries
from agent.aas.elements import Element, model, short

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from agent.aas.nameplate import Nameplate
    from agent.config.model import AgentConfig
    from agent.frame import Source
    from readiness.inventory import Machine
    from readiness.view import View


@dataclass(frozen=True, slots=True)
class Exported:
    """The environment; machine -> names of its submodels; and what the interfaces leave out."""

    environment: Element
    submodels: Mapping[str, tuple[str, ...]]
    left_out: tuple[str, ...]


def export(
    config: AgentConfig,
    machines: Sequence[Machine],
    sources: Sequence[Source],
    view: View | None,
    plates: Mapping[str, Nameplate],
    store: str | None,
) -> Exported:
    """Return the plant.

    Args:
        config: Of the site.
        machines: What is declared, as people answered it.
        sources: What is read.
        view: The evidence of the last window; None for no process variables.
        plates: By machine.
        store: URL at which the store takes a query; None for no time series.
    """
    shells: list[Element] = []
    submodels: list[Element] = []
    listed: dict[str, tuple[str, ...]] = {}
    left_out: list[str] = []
    names: set[str] = set()
    for machine in machines:
        base = f"urn:tsq:{config.factory}:{config.site}:{machine.id}"
        found: list[Element] = []
        if machine.id in plates:
            found.append(nameplate.of_machine(f"{base}:sm:nameplate", plates[machine.id]))
        described = interfaces.of_machine(f"{base}:sm:interfaces", config, machine.id)
        left_out += described.left_out
        if described.submodel is not None:
            found.append(described.submodel)
        own = [source for source in sources if machine.id in source.machines() and source.mode != "burst"]
        if store is not None and own:
            found.append(
                timeseries.of_machine(
                    f"{base}:sm:timeseries", config.factory, config.site, machine.id, machine.name, own, store
                )
            )
        variables = None if view is None else kpi.of_machine(f"{base}:sm:variables", view, machine.id)
        if variables is not None:
            found.append(variables)
        shells.append(_shell(base, short(machine.id, names), machine, found))
        submodels += found
        listed[machine.id] = tuple(each["idShort"] for each in found)
    environment: Element = {"assetAdministrationShells": shells}
    if submodels:
        environment["submodels"] = submodels
    return Exported(environment, listed, tuple(left_out))


def _shell(base: str, name: str, machine: Machine, found: Sequence[Element]) -> Element:
    asset: Element = {"assetKind": "Instance", "globalAssetId": base}
    # a display name has at most 128 characters
    shell: Element = {
        "id": f"{base}:aas", "idShort": name, "modelType": "AssetAdministrationShell", "assetInformation": asset,
        "displayName": [{"language": "ko", "text": machine.name[:128]}],
    }  # fmt: skip
    if found:
        shell["submodels"] = [model(("Submodel", each["id"])) for each in found]
    return shell
