"""Static files: their addresses hold a hash of their content, so browsers keep them for ever."""

import gzip
import hashlib
import mimetypes
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from fastapi import APIRouter, Request, Response

from api.auth import Anyone

FOLDER: Final = Path(__file__).parent / "static"
FOR_EVER: Final = "public, max-age=31536000, immutable"
TYPES: Final = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
WORTH_PACKING: Final = 512
"""Smaller files than this many bytes are not made smaller by packing."""

router = APIRouter(include_in_schema=False)


class Asset(NamedTuple):
    """A file as it is sent: plain and packed."""

    content_type: str
    plain: bytes
    packed: bytes | None


@cache
def edition(folder: str) -> str:
    """Short hash of everything in a folder: modules import each other under one edition."""
    digest = hashlib.sha256()
    for path in sorted((FOLDER / folder).iterdir()):
        if path.is_file():
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:12]


@cache
def load(folder: str, name: str) -> Asset | None:
    """A file of a folder; None where there is none of that name."""
    path = FOLDER / folder / name
    if "/" in name or path.parent.parent != FOLDER or not path.is_file():
        return None
    plain = path.read_bytes()
    guessed = TYPES.get(path.suffix) or mimetypes.guess_type(name)[0]
    packed = gzip.compress(plain, 9, mtime=0) if len(plain) >= WORTH_PACKING else None
    return Asset(guessed or "application/octet-stream", plain, packed)


def asset_url(path: str) -> str:
    """Address of `folder/name`, such as `own/console.css`."""
    folder, _, name = path.partition("/")
    return f"/static/{folder}/{edition(folder)}/{name}"


@router.get("/static/{folder}/{of_edition}/{name}", dependencies=[Anyone])
def asset(folder: str, of_edition: str, name: str, request: Request) -> Response:
    """A static file; one of another edition is sent, but not kept."""
    found = load(folder, name) if folder in {"own", "vendor"} else None
    if found is None:
        return Response("There is no such file.", 404, media_type="text/plain")
    is_current = of_edition == edition(folder)
    headers = {
        "Cache-Control": FOR_EVER if is_current else "no-store",
        "Vary": "Accept-Encoding",
        "X-Content-Type-Options": "nosniff",
    }
    if found.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return Response(found.packed, headers=headers, media_type=found.content_type)
    return Response(found.plain, headers=headers, media_type=found.content_type)
