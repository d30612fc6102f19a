"""One use case a function: rows from the registry, engines, rows back.

    refused, rights, plain     what a service refuses; who may write; results as JSON
    days, workdays             days in Korea; planned days of a factory
    telling, doing             notifications and tasks, once, each in its reader's language; done, read
    people                     parties, invitations, memberships, tokens
    factory                    what an owner says: rates, budget, exclusions, machines, notice, consent
    supplier                   solutions, versions, capabilities, slots
    catalogue                  the catalogue's files in the tables
    entering, counting         the twenty questions, the mentor's questionnaire, a visit; hand counts and meters
    said, measured, standing   rows -> terms of the diagnosis: what was said, what was measured, what there is
    assessing                  a diagnosis stored, asked for or by the night: `diagnosing` makes it, `changes` says
                               whether it is worth storing
    peering                    where others stand, frozen for a quarter
    roadmap                    a diagnosis and a budget made into a plan; why a measure is not in it
    shops, outcomes, market    rows -> terms of matching, a table at a time: factories, verdicts, all of it
    lists                      the list of one item; why a line stands on it, why a supplier does not
    shelf                      which versions of an owner group lists and fit tests look at
    nights, exposure, months   lists of all items; who was shown; what is published of a month
    regions, rounds            distances; scarce places: announced, tried, held, published
    offers, items              what is answered; what stands without a supplier
    projects, lives            a project from the choice to its end, by events; its life in its row
    following                  what comes of all projects by itself, each night
    contracts, accounts        conditions, parts of the price; a supplier's own accounts, which set conditions only
    escrow, takeovers          deposits and when they are handed out; who goes on when a supplier is gone
    tickets                    maintenance, and what it says of a supplier
    seeking, mentoring, handover  who looks for a mentor, who gets whom, what the next one is handed
    urgent, followup           a mentor's queue; reminders over the life of a project
    visits, messages, costs    visits with their sheet, messages, the sponsor's ledger
    evidence                   what the latest report says that people have to talk about
    fit, notice                fit tests by the book; the notice to the people at the machines
    series, comparison         machine-days as the verdict wants them; which machines a project is compared with
    plans, promising           measurement plan, agreed and frozen; what it can show, told before anyone buys
    verdicts, watching, using  verdicts and objections; what is due, use, and gains that go away, each night
    programme                  what the programme does for its factories
    leaving                    export and deletion, audited
    enrolment                  the keys of agents: registered before, or confirmed by the owner
    slots                      places of suppliers, taken and given back
    jobs, work                 work that takes longer than a request; what does it, by its kind
    alone                      one thing of a night, whose trouble is not the others'
    night, nightly             what is done once a day; which of several servers begins it

A service gets a session inside `Registry.decide` (which may call it again), a `Caller` and plain values; it raises
`RefusedError` and nothing was changed. What a person is shown goes through `registry.policy`; what an engine
computes on is read as it is, and what it says is stored under the tables' own declarations.
"""
