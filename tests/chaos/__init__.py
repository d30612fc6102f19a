"""Chaos: everything between the PLC and the database is killed, frozen, cut, slowed, filled and mistimed at random.

    plan     pure   seed -> list of faults: the same seed gives the same list
    plant           agent in a namespace of its own; broker, two workers, database; devices that log what they serve
    lines           TCP relays between them, which delay, stall and reset
    act             carries the plan out on the plant, and writes down when what was really broken
    sums     pure   served = stored once + inside a gap with a right cause; what is left is lost, and the run fails
    ledger   pure   the gap ledger as the database has it, and the seconds that nothing explains

    python -m tests.chaos --minutes 30 --seed 1

The judge believes nobody of ours: it compares the logs of the devices with what it reads back from the database.
"""
