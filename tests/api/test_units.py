"""Units over HTTP: what a recharge buys and its preview, the account, statement and derivation."""

from fractions import Fraction

import pytest

from tests.harness.desk import point, water
from tests.harness.documents import sold
from tests.harness.office import Office, key

PAYMENT = {"amount_minor": 398_00, "currency": "CNY", "channel": "cash", "channel_txn_id": "T1"}
ACCOUNT = "/api/v1/accounts/A1"


@pytest.fixture
def shop(embedded: Office) -> Office:
    """A1 buys units for its meter M1."""
    embedded.desk.publish(sold())
    embedded.desk.open("A1", point("M1", "sold"))
    embedded.catch_up()
    return embedded


def test_a_recharge_and_its_preview_tell_the_same(shop: Office) -> None:
    with shop.client() as admin:
        told = admin.post(f"{ACCOUNT}/recharges?preview=true", json=PAYMENT)
        assert told.status_code == 200
        assert (told.json()["preview"], told.json()["receipt_no"]) == (True, None)
        assert shop.desk.account("A1").balance_minor == 0
        booked = admin.post(f"{ACCOUNT}/recharges", json=PAYMENT, headers=key())
        assert booked.status_code == 201
        assert booked.json()["units"] == told.json()["units"]
        assert booked.json()["units"]["sold"] == "247.6"
        again = admin.post(f"{ACCOUNT}/recharges", json=PAYMENT, headers=key())
        assert again.json() == booked.json()
        assert admin.post(f"{ACCOUNT}/recharges?preview=perhaps", json=PAYMENT).status_code == 422


def test_account_statement_and_receipt_show_what_was_bought(shop: Office) -> None:
    with shop.client() as admin:
        receipt = admin.post(f"{ACCOUNT}/recharges", json=PAYMENT, headers=key()).json()
        shop.desk.read("M1", "2026-01-02", 100_000)
        shop.catch_up()
        (held,) = admin.get(ACCOUNT).json()["service_points"]
        assert held["prepaid"] == {"quantity": "147.6", "amount_minor": 300_00 - 121_16}
        months = admin.get(f"{ACCOUNT}/statement?from=2026-01&to=2026-12").json()["months"]
        moved = {name: sum(month[name] for month in months) for name in months[0] if "_" in name}
        assert (moved["recharged_minor"], moved["units_bought_minor"]) == (398_00, 300_00)
        assert (moved["charged_minor"], moved["units_used_minor"]) == (98_00 + 121_16, 121_16)
        assert months[-1]["closing_minor"] == 0
        gone = admin.post(
            f"/api/v1/receipts/{receipt['receipt_no']}/reversal",
            json={"reason": "mistyped"},
            headers=key(),
        )
        assert gone.json()["units"]["returned"] == "147.6"
        assert gone.json()["balance_minor"] == -121_16


def test_a_sale_and_its_use_are_explained(shop: Office) -> None:
    with shop.client() as admin:
        receipt = admin.post(f"{ACCOUNT}/recharges", json=PAYMENT, headers=key()).json()
        shop.desk.read("M1", "2026-01-02", 100_000)
        shop.catch_up()
        position = int(receipt["receipt_no"].split("-")[1]) + 1
        sale = admin.get(f"{ACCOUNT}/explain/{position}")
        assert sale.status_code == 200
        body = sale.json()
        assert (body["kind"], body["sold"], body["quantum"]) == ("sale", "247.6", "0.1")
        deducted = [Fraction(each["amount"]) for each in body["deductions"]]
        assert sum(deducted) == 0
        assert [each["id"] for each in body["deductions"]] == [
            "paid",
            "basic",
            "energy",
            "remainder",
        ]
        used = admin.get(f"{ACCOUNT}/explain/{position + 2}").json()
        (taken,) = used["units"]
        (line,) = taken["lines"]
        price, _, part = line["arithmetic"].partition(" × ")
        part, _, whole = part.partition(" / ")
        exact = Fraction(price) * Fraction(part) / Fraction(whole)
        assert abs(exact - Fraction(line["amount"])) <= Fraction("0.005")
        assert line["amount"] == used["amount"] == "121.16"


def test_the_console_tells_what_a_payment_buys_before_and_after(shop: Office) -> None:
    with shop.client() as admin:
        admin.headers["Accept-Language"] = "en"
        effect = admin.get("/accounts/A1/recharge/effect?amount=398")
        assert effect.status_code == 200
        for told in ("Units bought", "247.60", "98.00", "300.00", "45.78"):
            assert told in effect.text
        assert shop.desk.account("A1").balance_minor == 0
        shop.desk.recharge("A1", 398_00)
        shop.catch_up()
        page = admin.get("/accounts/A1")
        assert "Units held now" in page.text
        assert "247.60" in page.text


def test_the_dialog_of_an_account_with_several_points_asks_which_one_is_paid_for(
    shop: Office,
) -> None:
    shop.desk.install("A1", water("W1"))
    shop.catch_up()
    with shop.client() as admin:
        admin.headers["Accept-Language"] = "en"
        assert 'name="point" value="water"' in admin.get("/accounts/A1/recharge").text
        effect = "/accounts/A1/recharge/effect?amount=398"
        assert "Say for which service point is paid." in admin.get(effect).text
        assert "247.60" in admin.get(f"{effect}&point=electricity").text
        assert "Available afterwards" in admin.get(f"{effect}&point=water").text
