"""What is known of factories, suppliers and their projects, and who may read what.

    ids, base     keys, types, constraints
    privacy       how a table declares who reads it and what becomes of it                       pure
    people, factories, measured, advice, suppliers, matches, mentors, projects, verdicts
                  the tables by theme; `tables` has them all
    policy        the one function that answers every read: as SQL, and of a row in hand
    dialect       the only module that knows SQLite from PostgreSQL
    store         engine by URL, transactions, repetition
    bulk          signed records and machine-days, in bulk and never twice
    audit         who changed what, written by the session itself
    access        passwords, tokens, memberships
    leaving       export of everything that a party owns; retention; deletion; pseudonyms
    migrate       the schema's versions (Alembic, in `migrations`)

The database holds what is true for ever (exclusive states, one current assignment, one record for an agent and a
date) as constraints; what may change is the services' business. A service reads through `policy.view` and writes
through `store.Registry`.
"""
