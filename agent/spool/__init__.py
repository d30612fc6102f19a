"""The agent's durable buffer: what is committed here is delivered, or named in a gap."""

from agent.spool.base import Account, Committed, Confirmation, HeldEpoch, Limits, Stats
from agent.spool.schema import fingerprint
from agent.spool.spool import Spool

__all__ = ["Account", "Committed", "Confirmation", "HeldEpoch", "Limits", "Spool", "Stats", "fingerprint"]
