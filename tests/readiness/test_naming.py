"""Names that a person can read, and namespaces that model machines."""

from __future__ import annotations

import pytest

from readiness.naming import companion, readable


@pytest.mark.parametrize(
    "name",
    ["SpindleTemp", "spindle_temp_1", "Line1.Press.Motor current", "온도", "주축 부하율", "2호기_주축온도",
     "Kühlwasser", "rpm", "DB10.MotorCurrent", "Tag_Pressure"],
)  # fmt: skip
def test_a_name_with_a_word_in_it_is_readable(name: str) -> None:
    assert readable(name)


@pytest.mark.parametrize(
    "name",
    [None, "", "DB10.W4", "db10.dbw4", "D1000", "%MW12", "40001", "Holding_40001", "ns=2;i=17", "Tag12",
     "Var_003", "X", "W0.1", "태그12", "신호_3", "값", "a1b2c3d4e5f60718",
     "0f8fad5b-d9cb-469f-a165-70867728950e", "Value", "M 100", "Node-7", "GVL.iVal"],
)  # fmt: skip
def test_an_address_in_disguise_is_not(name: str | None) -> None:
    assert not readable(name)


@pytest.mark.parametrize(
    ("uri", "models"),
    [
        ("http://opcfoundation.org/UA/", False),
        ("http://opcfoundation.org/UA/DI/", False),
        ("http://opcfoundation.org/UA/IA/", False),
        ("http://PLCopen.org/OpcUa/IEC61131-3/", False),
        ("urn:vendor:plc", False),
        ("http://vendor.example/UA/Machinery/", False),
        ("", False),
        ("http://opcfoundation.org/UA/Machinery/", True),
        ("http://opcfoundation.org/UA/MachineTool/", True),
        ("http://opcfoundation.org/UA/PackML/", True),
        ("http://opcfoundation.org/UA/PlasticsRubber/IMM2MES/", True),
        ("http://www.OPCFoundation.org/UA/2013/01/ISA95", True),
        ("http://www.euromap.org/euromap83/", True),
        ("http://opcfoundation.org/UA/I4AAS/", True),
    ],
)
def test_only_models_of_machines_are_companion_specifications(uri: str, *, models: bool) -> None:
    assert companion(uri) is models
