"""A simulated programme inside a registry, so that the platform can be used on it.

    clock    the simulated moment, at which everything is written
    desk     who acts, and the transaction that he acts in
    house    parties, people, machines, what suppliers offer, the catalogue
    boxes    agents: manifests, reports, events, answers to fit tests, by the intake
    past     verdicts of earlier years, which the record begins with
    talk     visits, messages, costs
    says     what an owner says of his factory, and what the platform says to it
    project  a project from the wanted offer to its end, as its parties move it
    life     what happens between the programme's months, takeovers included
    play     days in their order, and a night a month
    days     machine-days
    fill     an empty database, filled, with a login a role

It is the platform itself that fills its registry: every decision of somebody is a call of the service that he would
have called, at the moment at which he would have, and what comes by itself is the night's own tasks. So a row
cannot differ from one of a real programme. Only the world is made: days of machines (`simulation.plants`, with the
true gain of what was installed), what agents report, what owners answer, what they choose, when suppliers answer or
close. One night a month stands for thirty, verdicts are computed on their own day.

Written as rows are the years before the programme (`past`), machine-days (`days`, as the intake stores them), and
that a measure which gives data was set up (`life`). No daily record is signed and no signal listed: `day_record`
and `tag_set` stay empty. Ids and moments come from the seed and the clock, so the same programme is the same bytes;
passwords and tokens are not, for they are told to nobody but who has asked for the programme.

Marks: names of parties begin with `MARK`, machine-days have `simulated` 1 and heads that begin with "simulated-"
(no record, no key, no chain stands behind them), so an account says `simulated` and a gap is never more than "low".
"""

from __future__ import annotations

MARK = "모의 "
"""Before the name of every simulated party."""
