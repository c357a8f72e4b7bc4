"""Every register map is whole: known types, no value over another, a source for each."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.devices.register_map import (
    COLUMNS,
    RegisterField,
    RegisterMap,
    files,
    load_map,
    models,
    table,
)

TYPES = {"uint16": 1, "int16": 1, "uint32": 2, "bits": 1}
REGISTER_MAPS = [file for file in files() if tuple(table(file)[0]) == COLUMNS]
WHOLE = pytest.mark.parametrize("model", models())


def test_the_models_of_the_first_driver_have_maps() -> None:
    assert {"DDSY1352", "DTSY1352", "ADF300L", "ADL300", "DDS238"} <= set(models())


@pytest.mark.parametrize("file", files(), ids=lambda file: str(file.name))
def test_every_row_of_every_table_names_its_source(file: object) -> None:
    rows = [row for each in files() if each == file for row in table(each)]
    assert rows
    assert all(row["source"] and None not in row for row in rows)


@pytest.mark.parametrize("file", REGISTER_MAPS, ids=lambda file: str(file.name))
def test_every_row_has_a_known_type_that_fits_its_words(file: object) -> None:
    for row in (row for each in REGISTER_MAPS if each == file for row in table(each)):
        kind, _, bit = row["type"].partition(":")
        words = int(row["words"])
        assert kind in {*TYPES, "bit", "bytes", "bcd"}, row
        assert words == TYPES.get(kind, words) >= 1, row
        assert (kind == "bit") == bit.isdigit(), row
        assert int(bit or 0) < 16, row
        assert row["access"] in {"R", "RW"}, row
        assert set(row["functions"].split(";")) <= {"03", "10", "AA"}, row
        assert ("10" in row["functions"]) == (row["access"] == "RW"), row
        assert row["confidence"] in {"high", "medium", "low"}, row


@WHOLE
def test_no_value_lies_over_another(model: str) -> None:
    fields = [each for each in load_map(model).fields if each.kind != "bit"]
    for one, other in combinations(fields, 2):
        assert (
            one.address + one.words <= other.address or other.address + other.words <= one.address
        ), f"{one.name} and {other.name} of {model} share registers"


@WHOLE
def test_each_bit_has_a_place_of_its_own_in_a_word_of_bits(model: str) -> None:
    fields = load_map(model).fields
    words = {each.address for each in fields if each.kind == "bits"}
    places = [(each.address, each.bit) for each in fields if each.kind == "bit"]
    assert len(places) == len(set(places))
    assert {address for address, _ in places} <= words


@WHOLE
def test_a_name_stands_for_one_value_of_a_model(model: str) -> None:
    names = [each.name for each in load_map(model).fields]
    assert len(names) == len(set(names))


def test_a_count_is_told_in_thousandths_of_its_unit() -> None:
    ddsy = load_map("DDSY1352")
    assert ddsy.field("energy_total").milli(12_345) == 123_450
    assert ddsy.field("voltage_a").milli(2_305) == 230_500
    assert ddsy.field("active_power_total").milli(1_500) == 1_500


def test_a_negative_power_is_read_as_such() -> None:
    assert load_map("DDSY1352").field("active_power_total").decode([0xFFFF]) == -1


def test_bits_of_the_status_word_are_values_of_their_own() -> None:
    ddsy = load_map("DDSY1352")
    assert ddsy.field("relay_l1_closed").decode([0x2000]) == 1
    assert ddsy.field("relay_l1_closed").decode([0xDFFF]) == 0
    assert ddsy.field("arrears").decode([0x0020]) == 1


def test_a_block_holds_the_values_that_lie_wholly_in_it() -> None:
    names = {each.name for each in load_map("DTSY1352").within(0x0215, 11)}
    assert names == {
        *(f"energy_{register}" for register in ("total", "sharp", "peak", "flat", "valley"))
    }


def test_one_address_means_what_the_model_says() -> None:
    assert load_map("DDSY1352").field("tou_zones").address == 0x2000
    assert load_map("DTSY1352").field("tou_sched1").address == 0x2000


def test_an_unknown_model_has_no_map() -> None:
    with pytest.raises(KeyError, match="no register map of XYZ"):
        load_map("XYZ")


@given(st.data())
def test_what_is_encoded_is_decoded_again(data: st.DataObject) -> None:
    known: RegisterMap = load_map(data.draw(st.sampled_from(models())))
    numbers = [each for each in known.fields if each.kind in {"uint16", "int16", "uint32"}]
    field: RegisterField = data.draw(st.sampled_from(numbers))
    low = -(1 << 15) if field.kind == "int16" else 0
    count = data.draw(st.integers(low, low + (1 << 16 * field.words) - 1))
    assert field.decode(field.encode(count)) == count
