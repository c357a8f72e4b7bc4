"""What comes in and what goes out: JSON read once into a command, answers written once."""

from collections.abc import AsyncIterator, Callable
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import msgspec
from fastapi import Request, Response
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from api.auth import header_of, service_of
from api.mailbox import Mailboxes
from ledger.access import Principal
from ledger.aggregates import Refused
from ledger.commands import Command, Json
from ledger.ports import Claim
from ledger.problems import NotAcceptableError, invalid
from ledger.store import Answer, Context, Ledger

BODY_BYTES_MAX: Final = 4 << 20
"""5,000 readings of a meter with many registers are 1 MiB."""
KEY_MAX: Final = 255
KEY: Final = "Idempotency-Key"
KEY_HEADER: Final = KEY.lower().encode()
REPLAYED: Final = "Idempotency-Replayed"

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder().decode
Model = TypeVar("Model", bound=BaseModel)
Asked = TypeVar("Asked", bound=Command)


def json_response(body: Any, status: int = 200) -> Response:  # noqa: ANN401 - any JSON value
    """A body as it is answered."""
    return Response(_encode(body), status, media_type="application/json")


async def json_of(request: Request) -> Any:  # noqa: ANN401 - any JSON value
    """The parsed body of a request."""
    body = await _bytes_of(request)
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError, ValueError) as error:
        raise NotAcceptableError(invalid([((), f"The body is no JSON: {error}")])) from error


async def object_of(request: Request) -> Json:
    """The parsed body of a request, which must be an object."""
    body = await json_of(request)
    if not isinstance(body, dict):
        raise NotAcceptableError(invalid([((), "An object is needed.")]))
    return body


async def model_of(request: Request, kind: type[Model], **of_path: str) -> Model:
    """The body as a model; what the path says comes from the path alone."""
    body = await object_of(request)
    if twice := of_path.keys() & body.keys():
        raise NotAcceptableError(invalid([((min(twice),), "The path says this already.")]))
    return kind.model_validate({**body, **of_path})


async def _bytes_of(request: Request) -> bytes:
    body, has_more = b"", True
    while has_more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        has_more = message.get("more_body", False)
        if len(body) > BODY_BYTES_MAX:
            raise Refused("too_large", f"A body has at most {BODY_BYTES_MAX} bytes.")
    return body


# ---------------------------------------------------------------- commands


async def execute(
    request: Request,
    who: Principal,
    kind: type[Asked],
    handle: Callable[[Asked, Ledger, Context], Answer],
    *,
    status: int = 201,
    moves_money: bool = False,
    **of_path: str,
) -> Response:
    """Run the command in a request's body."""
    command = await model_of(request, kind, **of_path)
    return await decide(request, who, command, handle, status=status, moves_money=moves_money)


async def decide(
    request: Request,
    who: Principal,
    command: Asked,
    handle: Callable[[Asked, Ledger, Context], Answer],
    *,
    status: int = 201,
    moves_money: bool = False,
) -> Response:
    """Run a command; on a thread, because `handle` waits."""
    ledger = service_of(request).ledger
    async with asked_once(request, who, command, required=moves_money) as context:
        return answered(await run_in_threadpool(handle, command, ledger, context), status)


async def submit(
    request: Request,
    who: Principal,
    command: Asked,
    hand_over: Callable[[Asked, Ledger, Context], "Future[Answer]"],
    *,
    status: int = 201,
    moves_money: bool = False,
) -> Response:
    """Hand a command to the committer and wait without a thread."""
    ledger = service_of(request).ledger
    async with asked_once(request, who, command, required=moves_money) as context:
        mail: Mailboxes = request.app.state.mail
        return answered(await mail.answer(hand_over(command, ledger, context)), status)


def answered(answer: Answer, status: int = 201) -> Response:
    """What a command answers; a repeat says so."""
    response = json_response(answer.body, status)
    if answer.replayed:
        response.headers[REPLAYED] = "true"
    return response


@asynccontextmanager
async def asked_once(
    request: Request, who: Principal, command: Command, *, required: bool
) -> AsyncIterator[Context]:
    """The context of a command, with the claim on its `Idempotency-Key` where one is sent.

    The key belongs to principal and route; while its first request runs in this process another
    is told to wait, and across processes the lock of the log lets the second see the first.
    """
    path = f"{request.method} {request.scope['path']}"
    claim = _claim(request, who, path, command, required=required)
    if claim is None:
        yield Context(who.actor, cause_of(request))
        return
    running: set[str] = request.app.state.running
    if claim.key in running:
        raise Refused("request_running", "The first request with this key is still running.")
    running.add(claim.key)
    try:
        yield Context(who.actor, cause_of(request), claim)
    finally:
        running.discard(claim.key)


def cause_of(request: Request) -> str:
    """What led to an event: the request, by its id."""
    return f"request:{request.scope['state']['request_id']}"


def _claim(
    request: Request, who: Principal, path: str, command: Command, *, required: bool
) -> Claim | None:
    key = header_of(request, KEY_HEADER)
    if not key:
        if required:
            raise Refused("idempotency_key_missing", f"Money moves here: send the header {KEY}.")
        return None
    if len(key) > KEY_MAX or not (key.isascii() and key.isprintable()):
        raise Refused("idempotency_key_invalid", f"{KEY} is printable ASCII, at most {KEY_MAX}.")
    owner = who.user.user_id
    return Claim("request", f"{owner} {path} {key}", command.fingerprint(path), owner)
