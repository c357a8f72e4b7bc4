"""One payload of every topic ever written; each must stay readable, to the byte, for ever."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledger.events import Event, registry
from ledger.events.registry import EVENT_TYPES, UPCASTERS, UnknownTopicError, decode, encode
from tests.contracts import event_list
from tests.harness.busy_day import busy_day
from tests.harness.desk import Desk
from tests.harness.device_day import device_day
from tests.harness.ledgers import Opened

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(GOLDEN.glob("*.json"))
SUBJECTS = {
    "account", "payment", "meter", "tariff", "policy", "command", "work_order", "gateway",
    "trips", "command_batch",
}  # fmt: skip


def test_every_topic_ever_written_has_its_golden_file(sqlite_url: str) -> None:
    written = {path.stem for path in FILES}
    missing = sorted({*EVENT_TYPES, *UPCASTERS} - written)
    if missing:
        desk = Desk.at(sqlite_url)
        busy_day(desk)
        device_day(desk)
        made = {row.topic: row.payload.decode() for row in Opened(desk.ledger, desk.engine).rows()}
        desk.close()
        pytest.fail(
            "\n".join(f"{GOLDEN / topic}.json should hold:\n{made.get(topic)}" for topic in missing)
        )
    assert written == {*EVENT_TYPES, *UPCASTERS}, "a golden file is kept, and its topic readable"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_golden_payload_is_read_and_written_to_the_byte(path: Path) -> None:
    payload = path.read_bytes().removesuffix(b"\n")
    event = decode(path.stem, payload)
    if path.stem in EVENT_TYPES:
        assert type(event) is EVENT_TYPES[path.stem]
        assert encode(event) == payload
    else:
        assert type(event) in EVENT_TYPES.values()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_payload_with_a_field_too_many_or_too_few_is_not_guessed_at(path: Path) -> None:
    body: dict[str, Any] = msgspec.json.decode(path.read_bytes())
    event_type = EVENT_TYPES[path.stem]
    required = [field.encode_name for field in msgspec.structs.fields(event_type) if field.required]
    with pytest.raises(msgspec.ValidationError):
        decode(path.stem, encode({**body, "unheard_of": 1}))
    for name in required:
        with pytest.raises(msgspec.ValidationError):
            decode(path.stem, encode({key: body[key] for key in body if key != name}))


def test_an_event_says_what_it_is_by_its_topic_and_by_nothing_else() -> None:
    for topic in ("wsgiref.simple_server:WSGIServer", "account.credited.v2", "", "AccountCredited"):
        with pytest.raises(UnknownTopicError):
            decode(topic, b"{}")


def test_topics_name_a_subject_what_happened_and_a_version() -> None:
    for topic, event_type in EVENT_TYPES.items():
        subject, happened, version = topic.split(".")
        assert topic == event_type.TOPIC
        assert event_type.__module__.startswith("ledger.events.")
        assert subject in SUBJECTS
        assert happened.replace("_", "").isalpha()
        assert version[0] == "v"
        assert version[1:].isdecimal()


class MeterRead(Event, frozen=True):
    """An event that nobody ever wrote, in the shape it has now."""

    TOPIC = "meter.read.v3"
    meter_no: str
    registers: dict[str, int]
    document: msgspec.Raw


def _split_register(old: dict[str, Any]) -> dict[str, Any]:
    """v1 had one register without a name."""
    return {"meter": old["meter"], "registers": {"total": old["wh"]}, "document": old["document"]}


def _renamed(old: dict[str, Any]) -> dict[str, Any]:
    """v2 said `meter` where v3 says `meter_no`."""
    return {"meter_no": old.pop("meter"), **old}


@pytest.fixture
def retired(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two shapes of that event were written and retired, one after the other."""
    monkeypatch.setitem(registry.EVENT_TYPES, "meter.read.v3", MeterRead)
    monkeypatch.setitem(registry._decoders, "meter.read.v3", msgspec.json.Decoder(MeterRead).decode)
    monkeypatch.setitem(registry.UPCASTERS, "meter.read.v1", ("meter.read.v2", _split_register))
    monkeypatch.setitem(registry.UPCASTERS, "meter.read.v2", ("meter.read.v3", _renamed))


@pytest.mark.usefixtures("retired")
@pytest.mark.parametrize(
    ("topic", "payload"),
    [
        ("meter.read.v1", b'{"meter":"M1","wh":7,"document":{"b":1,"a":"0.10"}}'),
        ("meter.read.v2", b'{"meter":"M1","registers":{"total":7},"document":{"b":1,"a":"0.10"}}'),
        (
            "meter.read.v3",
            b'{"meter_no":"M1","registers":{"total":7},"document":{"b":1,"a":"0.10"}}',
        ),
    ],
)
def test_a_retired_shape_is_read_as_the_newest(topic: str, payload: bytes) -> None:
    event = decode(topic, payload)
    assert isinstance(event, MeterRead)
    assert (event.meter_no, event.registers) == ("M1", {"total": 7})
    assert bytes(event.document) == b'{"b":1,"a":"0.10"}'


@pytest.mark.usefixtures("retired")
def test_an_upcaster_that_leaves_a_wrong_shape_behind_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def broken(old: dict[str, Any]) -> dict[str, Any]:
        return {"meter_no": old["meter"], "registers": {"total": "seven"}, "document": {}}

    monkeypatch.setitem(registry.UPCASTERS, "meter.read.v2", ("meter.read.v3", broken))
    with pytest.raises(msgspec.ValidationError):
        decode("meter.read.v2", b'{"meter":"M1"}')


def test_every_upcaster_leads_to_a_topic_of_this_release() -> None:
    for topic in UPCASTERS:
        assert topic not in EVENT_TYPES, f"{topic} is retired, so it is no longer written"
        seen = set()
        while topic in UPCASTERS:
            assert topic not in seen, f"{topic} leads back to itself"
            seen.add(topic)
            topic = UPCASTERS[topic][0]  # noqa: PLW2901 - see above
        assert topic in EVENT_TYPES


def test_the_page_lists_every_topic_with_its_fields() -> None:
    assert event_list.written() == event_list.rendered(), (
        "run: python -m tests.contracts.event_list"
    )
