from starlette.testclient import TestClient

from tests.api.test_accounts import ACCOUNTS, after, meter
from tests.harness.documents import TIERED
from tests.harness.office import Office


def test_a_body_with_several_points_of_a_kind_opens_them_all_on_the_same_tiers(
    office: Office, admin: TestClient
) -> None:
    office.desk.publish(TIERED)
    points = [meter(number, tariff_id="tiered") for number in ("M1", "M2")]
    opened = admin.post(ACCOUNTS, json={"account_no": "A1", "service_points": points})
    assert opened.status_code == 201
    further = admin.post(f"{ACCOUNTS}/A1/service-points", json=meter("M3", tariff_id="tiered"))
    assert further.status_code == 201
    readings = [
        {"meter_no": number, "at": "2026-01-11T00:00:00+08:00", "registers": {"total": total}}
        for number, total in (("M3", "30"), ("M1", "60"), ("M2", "40"))
    ]
    taken = admin.post("/api/v1/readings", json={"readings": readings}).json()
    assert taken["accepted"] == 3
    office.catch_up()
    shown = admin.get(f"{ACCOUNTS}/A1", params={"after": after(taken)}).json()
    assert [each["service_point"] for each in shown["service_points"]] == [
        "electricity",
        "electricity-2",
        "electricity-3",
    ]
    assert {(each["tier"]["used"], each["tier"]["tier"]) for each in shown["service_points"]} == {
        ("130", 2)
    }
    assert shown["balance_minor"] == -(100 * 50 + 30 * 60)
    then = admin.get(f"{ACCOUNTS}/A1", params={"valid_at": "2026-01-11T00:00:00+08:00"}).json()
    assert [each["tier"] for each in then["service_points"]] == [
        each["tier"] for each in shown["service_points"]
    ]
