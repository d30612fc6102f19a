"""The fit test: what is registered and signed, when an agent is asked, and what who is told. Pure.

    register   needs of a version, checked and signed as `contract.verbs.FitRequest` wants
    book       who was asked what: once a factory and version, 20 a month, one question of a family a year
    versions   which versions an open item is matched with: the same ones for ninety days

A supplier who could ask with any needs at any time would find out each value of a factory by halving, and its whole
tag set by asking for one tag at a time. So needs are registered before anybody is asked, one answer is given for a
family of solutions, and a new version does not buy a new answer (decision 109).
"""
