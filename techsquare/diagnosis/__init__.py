"""What a factory loses, in won where rates are known and in hours where they are not, and what stands behind it.

    days, counted      signed records, hand counts and meters -> machine-days
    split, accounts    machine-days -> shares of planned time by bucket, at 0.90, unknown time and all
    ledger, energy     accounts and rates -> losses in a year; electricity beside them
    gaps               losses and blind spots, dearest first, each as sure as what it rests on
    questionnaire      the mentor's questions; `beside` puts answers next to measurements and lists what contradicts
    peers              quartiles of others, frozen for a quarter
    load               the questionnaire's file

`load` is the only module that reads one; the others are pure.
"""
