"""Who somebody is: login, invitations, parties, memberships, tokens; export and deletion."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Path, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from techsquare.api import forms as f
from techsquare.api.problems import ProblemError
from techsquare.api.who import Admin, Anyone, Here, House, Known, Writes, plain_row
from techsquare.registry import access
from techsquare.registry.audit import Actor
from techsquare.registry.errors import DeniedError
from techsquare.services import leaving, people
from techsquare.services.refused import RefusedError

router = APIRouter(prefix="/v1", tags=["people"])
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.:@-]{1,120}$")]


class _Anew(f.Form):
    """What is said anew of a party; only what is sent is changed."""

    name: f.Name | None = None
    owner_group: f.Key | None = Field(None, description="one word for all parties of one owner, licences included")


class FactoryAnew(_Anew):
    """Of a factory."""

    kind: Literal["factory"]
    region: f.Word | None = None
    industry: f.Word | None = None
    process: f.Word | None = None
    staff_band: f.Word | None = None


class SupplierAnew(_Anew):
    """Of a supplier; one that has closed stays closed."""

    kind: Literal["supplier"]
    size: Literal["micro", "small", "medium", "large"] | None = None
    regions: f.Words | None = None
    industries: f.Words | None = None
    state: Literal["applied", "active"] | None = None
    parties: f.Words | None = None


class MentorAnew(_Anew):
    """Of a mentor: away and back again, too."""

    kind: Literal["mentor"]
    skills: f.Words | None = None
    regions: f.Words | None = None
    capacity: Annotated[int, Field(ge=0, le=1_000)] | None = None
    state: Literal["active", "away"] | None = None
    firm_id: f.Key | None = None
    related: f.Words | None = None


def _throttled(here: House, request: Request, account: str) -> None:
    address = request.client.host if request.client else ""
    wait = max(here.tries.empty(f"account {account}"), here.accounts.empty(f"address {address}"))
    if wait:
        raise ProblemError("too_many", {"Retry-After": str(wait)})


def _wrong(here: House, request: Request, account: str) -> None:
    here.tries.take(f"account {account}")
    here.accounts.take(f"address {request.client.host if request.client else ''}")


@router.post("/login")
def log_in(here: Here, request: Request, form: f.Login) -> f.LoggedIn:
    """Log in by password; the token lasts a day. Wrong passwords soon have to wait."""
    now = here.clock()
    account = access.address(form.email)
    _throttled(here, request, account)
    try:
        with here.registry.reading() as session:
            user = access.log_in(session, form.email, form.password, now).reader.user or ""
            held = people.memberships(session, user, now)
    except DeniedError:
        _wrong(here, request, account)
        raise ProblemError("unauthorized") from None
    if not held:
        raise ProblemError("no_membership")
    shown = here.registry.decide(lambda s: people.log_in(s, user, form.membership, now), Actor(user))
    if shown is None:
        raise ProblemError("no_membership")
    members = [f.Member(id=m.id, role=m.role, party=m.party_id) for m in held]
    return f.LoggedIn(**shown._asdict(), user=user, memberships=members)


@router.delete("/login", status_code=204)
def log_out(asking: Known) -> Response:
    """Take back the token that is shown."""
    token = asking.token or ""
    asking.write(lambda s, c: access.revoke(s, token, c.now))
    return Response(status_code=204)


@router.get("/me")
def me(asking: Known) -> f.Me:
    """Say who asks."""
    with asking.house.registry.reading() as session:
        held = people.memberships(session, asking.caller.user, asking.caller.now)
    mine = [f.Member(id=m.id, role=m.role, party=m.party_id) for m in held]
    mine = [m for m in mine if (m.role, m.party) in asking.caller.reader.roles]
    return f.Me(user=asking.caller.reader.user, scopes=sorted(asking.scopes), roles=mine)


@router.delete("/me", status_code=204)
def forget_me(asking: Admin, form: f.Confirmed) -> Response:
    """Delete oneself; `confirm` is one's own id."""
    if form.confirm != asking.caller.user:
        raise ProblemError("invalid", errors=[])
    asking.write(leaving.forget)
    return Response(status_code=204)


@router.put("/me/password", status_code=204)
def change_password(asking: Admin, request: Request, form: f.NewPassword) -> Response:
    """Choose another password; whoever is logged in by the old one, oneself included, has to log in again."""
    account = f"password {asking.caller.user}"
    _throttled(asking.house, request, account)
    try:
        asking.write(lambda s, c: people.change_password(s, c, form.old, form.new))
    except RefusedError as exc:
        if exc.code == "wrong_password":
            _wrong(asking.house, request, account)
        raise
    return Response(status_code=204)


@router.post("/users/{user}/reset", status_code=201)
def reset_password(asking: Admin, user: Id) -> f.TokenShown:
    """Let somebody who has lost his password choose one again: the operator, who hands the invitation over."""
    return f.TokenShown(**asking.write(lambda s, c: people.reset(s, c, user))._asdict())


@router.post("/tokens", status_code=201)
def new_token(asking: Writes, form: f.TokenForm) -> f.TokenShown:
    """Make a token for a program; it can do no more than the one that is shown."""
    shown = asking.write(
        lambda s, c: people.issue(s, c, form.membership, form.name, form.scopes, asking.scopes, form.days)
    )
    return f.TokenShown(**shown._asdict())


@router.delete("/tokens/{token}", status_code=204)
def revoke(asking: Writes, token: Id) -> Response:
    """Take a token back."""
    asking.write(lambda s, c: people.revoke(s, c, token))
    return Response(status_code=204)


@router.post("/parties", status_code=201)
def register(
    asking: Admin, form: Annotated[f.FactoryForm | f.SupplierForm | f.MentorForm, Body(discriminator="kind")]
) -> f.Made:
    """Register a factory, a supplier or a mentor: the operator."""
    about = form.model_dump(exclude={"kind", "id", "name"})
    party = asking.write(lambda s, c: people.register(s, c, form.kind, form.id, form.name, about))
    return f.Made(id=party.id, row=plain_row(party, "id", "kind", "name"))


@router.put("/parties/{party}")
def change_party(
    asking: Admin, party: Id, form: Annotated[FactoryAnew | SupplierAnew | MentorAnew, Body(discriminator="kind")]
) -> f.Made:
    """Say anew what is known of a party, and to whom it belongs: the operator. Only what is sent is changed."""
    said = form.model_dump(exclude={"kind"}, exclude_none=True)
    row = asking.write(lambda s, c: people.change(s, c, form.kind, party, said), party)
    return f.Made(id=row.id, row=plain_row(row, "kind", "name", "owner_group"))


@router.post("/invitations", status_code=201)
def invite(asking: Admin, form: f.Inviting) -> f.TokenShown:
    """Invite somebody to a party; hand the invitation over, it is not sent and not shown again."""
    shown = asking.write(
        lambda s, c: people.invite(s, c, form.party, form.role, form.email, form.name, form.language), form.party
    )
    return f.TokenShown(**shown._asdict())


@router.post("/invitations/accept", status_code=204)
def accept(here: Here, request: Request, form: f.Accepting) -> Response:
    """Choose a password with an invitation."""
    _throttled(here, request, "invitations")
    now = here.clock()
    try:
        here.registry.decide(lambda s: people.accept(s, form.invitation, form.password, now), Actor("invitation"))
    except RefusedError:
        here.accounts.take(f"address {request.client.host if request.client else ''}")
        raise
    return Response(status_code=204)


@router.delete("/memberships/{membership}", status_code=204)
def end_membership(asking: Admin, membership: Id) -> Response:
    """End a membership, and its tokens with it."""
    asking.write(lambda s, c: people.end(s, c, membership))
    return Response(status_code=204)


@router.get(
    "/parties/{party}/export",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/x-ndjson": {}}}},
)
def export(asking: Known, party: Id) -> StreamingResponse:
    """Give everything that a party owns, a line of JSON a row."""
    asking.write(lambda s, c: leaving.told(s, c, party), party)
    rows = leaving.export(asking.house.registry, asking.caller, party)
    return StreamingResponse(rows, media_type="application/x-ndjson")


@router.post("/parties/{party}/leave")
def leave(asking: Admin, party: Id, form: f.Confirmed) -> f.Said:
    """Delete a party and everything that is only its own; for ever."""
    name = asking.write(lambda s, c: leaving.leave(s, c, party, form.confirm), party)
    said: dict[str, Any] = {"pseudonym": name}
    return f.Said(said=said)


@router.get("/", include_in_schema=False)
def root(_asking: Anyone) -> dict[str, str]:
    """Say where everything is told."""
    return {"schema": "/openapi.json"}
