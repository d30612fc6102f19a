"""Faults of the disk under the spool: power loss, kills, errors, room, stalls, damage, copies."""
