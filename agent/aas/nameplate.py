"""IDTA 02006-3-0, Digital Nameplate: what stands on the plate, if somebody has copied it down. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from agent.aas.elements import collection, external, prop, submodel, text
from settings.base import Id, Model, Name, Word, form

if TYPE_CHECKING:
    from agent.aas.elements import Element

SEMANTIC = "https://admin-shell.io/idta/nameplate/3/0/Nameplate"
_ADDRESS = "https://admin-shell.io/zvei/nameplate/1/0/ContactInformations/AddressInformation"
_ECLASS = {
    "URIOfTheProduct": "ABH173#003", "ManufacturerName": "AAO677#004",
    "ManufacturerProductDesignation": "AAW338#003", "ManufacturerProductType": "AAO057#004",
    "OrderCodeOfManufacturer": "AAO227#004", "SerialNumber": "AAM556#004", "YearOfConstruction": "AAP906#003",
    "CountryOfOrigin": "AAO259#007",
}  # fmt: skip
"""The same properties in ECLASS, which the template names beside the IEC's: many readers know only these."""
Year = Annotated[str, StringConstraints(pattern=r"^(19|20)[0-9]{2}$"), form("year, `'2019'`")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), form("country code, `KR`")]
Uri = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9+.-]*:\S{1,2000}$"), form("URI")]


class Nameplate(Model):
    """The plate of one machine."""

    machine: Id = Field(description="id as in the configuration")
    manufacturer: Name | None = Field(None, description="who made it")
    designation: Name | None = Field(None, description="what the manufacturer calls it")
    product_type: Word | None = Field(None, description="type or model")
    order_code: Word | None = Field(None, description="order code of the manufacturer")
    serial: Word | None = Field(None, description="serial number")
    year: Year | None = Field(None, description="year of construction")
    country: Country | None = Field(None, description="country of origin, two letters")
    uri: Uri | None = Field(None, description="URI of the product on its plate (IEC 61406)")


class Nameplates(Model):
    """A file of plates."""

    nameplates: tuple[Nameplate, ...] = Field(min_length=1, description="one for each machine")


def of_machine(id_: str, plate: Nameplate) -> Element:
    """Return the submodel; what the template demands and nobody has copied down stands there without a value."""
    optional = (
        ("ManufacturerProductType", "0112/2///61987#ABA300#008", plate.product_type),
        ("SerialNumber", "0112/2///61987#ABA951#009", plate.serial),
        ("YearOfConstruction", "0112/2///61987#ABP000#002", plate.year),
        ("CountryOfOrigin", "0112/2///61987#ABP462#001", plate.country),
    )
    elements = [
        prop("URIOfTheProduct", "0112/2///61987#ABN590#002", "xs:anyURI", plate.uri),
        text("ManufacturerName", "0112/2///61987#ABA565#009", plate.manufacturer),
        text("ManufacturerProductDesignation", "0112/2///61987#ABA567#009", plate.designation),
        collection("AddressInformation", _ADDRESS, ()),
        prop("OrderCodeOfManufacturer", "0112/2///61987#ABA950#008", "xs:string", plate.order_code),
        *(prop(name, meaning, "xs:string", value) for name, meaning, value in optional if value is not None),
    ]
    for each in elements:
        if (code := _ECLASS.get(each["idShort"])) is not None:
            each["supplementalSemanticIds"] = [external(f"0173-1#02-{code}")]
    template = "https://admin-shell.io/idta-02006-3-0"
    return submodel(id_, "Nameplate", external(SEMANTIC), ("3", "0"), template, elements)
