"""The platform over HTTP: who asks, how often, in which language, and what he may read or do.

    app         the application: routes, handlers, lifespan
    settings    where it listens, how much it takes
    words       every problem, in Korean and English                                       pure
    problems    RFC 9457: one shape for every error
    limits      requests a second by address and by token; tries of a password; size of a body
    guard       headers, addresses, limits: around the whole application
    who         from a bearer token to a caller with a scope
    reading     all tables by one mechanism: the policy's views, filtered, in pages
    given, market    problems that engines are given from outside, as pydantic models            pure
    forms       what comes in and goes out, as pydantic models
    routes      use cases by theme; each calls one service

Reading is the policy's business and writing the services': no route decides about a right beyond its token's scope.
"""
