"""A programme of factories, suppliers and outcomes whose truth is known, month by month through the real engines.

    terms      what is set, what is true, what became of an engagement
    seeds      one generator for each thing, by its name: what is added later changes nothing that was there
    market     suppliers and their solutions: who holds the work, who is good, who closes                pure
    owners     factories: machines, rates, budgets, and what their owners believe and answer             pure
    plants     days of machines: the world without any project, and with the projects that there are     pure
    advice     what the platform knows of a factory: diagnosis, roadmap, items for matching              pure
    mentors    who looks after whom                                                                      pure
    compared   what the platform knows of changes, and which machines could be compared with             pure
    advised    the plan that the platform would advise: what can be shown, in which of two ways          pure
    projects   from the owner's choice to the verdict and the watch, beside what is true                 pure
    naive      the same factories, doing what the supplier says                                          pure
    programme  the months                                                                                pure
    judged     what was advised and told, against the best that there was                                pure
    report     what was said against what is true                                                        pure
    sink       a programme inside a registry, played by the services                                     I/O
    cli        `techsquare simulate`                                                                     I/O

The truth of a project is its own counterfactual: the same machine, the same days and noise, without the project.
No engine sees it. What an engine sees is what it would see of a real factory: days, answers, budgets, prices.

    application -> (mentor free) -> 60 days -> diagnosis -> roadmap -> lists -> choice -> what can be shown?
         ^ a bad month                                                   |         plan -> installation -> verdict
                                                 next item of the roadmap  <------ record, watch

What is simpler here than on the platform, and why:

    energy            its ledger has no days here: meters would double the world, and no verdict rests on them
    roadmap           solved once for its middle; how firm it is (forty solutions more) decides nothing here
    measures          the eight that would save most; a roadmap of the service looks at thirty
    data              what gives data stands as soon as it is paid: no agent's indicators are simulated
    matching          once a month instead of once a night
    mentors           by province and 400 factories at a time (`mentors`)
    metric            the sum of a measure's buckets; `services.plans` has one bucket a plan
    provable          by a formula beside the engine's promise, which takes seconds (`advised`); both are reported
    installation      on its day; a second stage on the day after the extension
    not at all        rounds, fit tests, signatures and the wire: their own tests have them; the sink has rounds

Where a machine of an open plan's comparison is changed by a later project, its days from then on are kept from the
verdict, as the platform has to do.
"""
