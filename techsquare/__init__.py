"""The platform: diagnosis, roadmap, matching, mentoring, verdict, from measured evidence.

    intake      report, daily records and events of the agents, verified, into the registry       I/O
    registry    what is known of factories, suppliers and their projects; who may read what       I/O
    entry       a factory without hardware: twenty questions, hand counts, meter readings         pure
    diagnosis   losses in won or hours, by exclusive buckets; gaps; answers beside measurements   pure
    roadmap     measures over three phases within cash, support money and staff days              pure
    matching    which solution fits, what it is worth, who is shown, and why not                  pure
    verdict     what a project has changed, against comparison machines                           pure
    mentoring   who looks after whom, what is urgent, hand-over, what a diagnosis costs           pure
    glossary    Korean and English for every word that a person is shown                          pure
    services    one use case a function: rows from the registry, engines, rows back               I/O
    api, cli    FastAPI and the command `techsquare`, both on the services                        I/O
    simulation  a programme whose truth is known, for tests, the demo and `techsquare simulate`

Data flows downwards in this list. Engines know neither each other nor the registry: what one hands to the next is a
frozen dataclass in its `terms`, and services carry it. Money is whole won; a number that is not known is a `Span`,
and one that nobody can tell is None, never 0.
"""
