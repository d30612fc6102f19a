"""All targets by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fuzz import certificates, columns, evidence, exports, files, foreign, lists, memory, wire, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.fuzz.target import Target

TARGETS: Mapping[str, Target] = {
    "yaml": files.TARGET,
    "answers": files.ANSWERS,
    "memory": memory.TARGET,
    "xgt": wire.XGT,
    "xgt_raw": wire.XGT_RAW,
    "modbus": wire.MODBUS,
    "opcua": wire.OPCUA,
    "opcua_raw": wire.OPCUA_RAW,
    "columns": columns.TARGET,
    "messages": wire.MESSAGES,
    "carry": wire.CARRY,
    "words": words.TARGET,
    "lists": lists.LISTS,
    "recordings": lists.RECORDINGS,
    "edits": lists.EDITS,
    "exports": exports.TARGET,
    "certificates": certificates.TARGET,
    "foreign": foreign.TARGET,
    "evidence": evidence.TARGET,
}
