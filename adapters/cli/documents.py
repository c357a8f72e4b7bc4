"""JSON files that an author gives us: tariffs, policies, cases."""

import json
from codecs import BOM_UTF8
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from adapters.cli.problems import InputError
from ledger.commands import Json

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="JSON files.")]


class _NamedTwiceError(ValueError):
    """One of two values would be lost without a word."""


def _named_once(pairs: list[tuple[str, object]]) -> Json:
    named = dict(pairs)
    if len(named) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        message = f"the name {twice} stands twice in one object; take one of them out."
        raise _NamedTwiceError(message)
    return named


def read_document(path: Path) -> Json:
    """A JSON object in a file, in which every name of an object stands once."""
    try:
        text = path.read_bytes().removeprefix(BOM_UTF8)
        document = msgspec.json.decode(text)
        json.loads(text, object_pairs_hook=_named_once)
    except OSError as error:
        raise InputError("file_unreadable", f"{path}: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError("file_unreadable", f"{path} is no JSON file: {error}.") from error
    except RecursionError as error:
        message = f"{path} is nested too deeply to be a document."
        raise InputError("file_unreadable", message) from error
    except _NamedTwiceError as error:
        raise InputError("file_unreadable", f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise InputError("file_unreadable", f"{path} holds no JSON object.")
    return document


def read_tariffs(path: Path) -> list[Json]:
    """The tariff of a file, or all of a collection `{"tariffs": {id: tariff}}`."""
    document = read_document(path)
    collection = document.get("tariffs", document)
    found = (
        list(collection.values())
        if "tariffs" in document and isinstance(collection, dict)
        else (collection if isinstance(collection, list) else [document])
    )
    if not all(isinstance(tariff, dict) for tariff in found):
        raise InputError("file_unreadable", f"{path} holds something else than tariffs.")
    return found
