"""The plant as Asset Administration Shells: one per machine, in one AASX package.

Names and semantic ids are those of the IDTA's submodel templates 02006-3-0 (Digital Nameplate), 02008-1-1 (Time
Series Data), 02017-1-1 (Asset Interfaces Description) and 02066-1-0 (Process Variables for Manufacturing KPI
Calculation).
What nobody has said is left empty or out: no manufacturer, serial number or address is ever invented.
"""
