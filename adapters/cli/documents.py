"""JSON files that an author gives us: tariffs, policies, cases."""

from codecs import BOM_UTF8
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from adapters.cli.problems import InputError
from ledger.commands import Json

Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="JSON files.")]


def read_document(path: Path) -> Json:
    """A JSON object in a file."""
    try:
        document = msgspec.json.decode(path.read_bytes().removeprefix(BOM_UTF8))
    except OSError as error:
        raise InputError("file_unreadable", f"{path}: {error.strerror}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise InputError("file_unreadable", f"{path} is no JSON file: {error}.") from error
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
