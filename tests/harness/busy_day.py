"""A day on which everything happens that the ledger knows: every topic at least once."""

from ledger.aggregates.policy_windows import NoCutWindow
from ledger.commands import accrue_fixed, change_attributes, publish_tariff
from ledger.commands.assign import (
    AssignGroup,
    AssignPolicy,
    AssignTariff,
    assign_group,
    assign_policy,
    assign_tariff,
)
from ledger.commands.change_attributes import ChangeAttributes
from ledger.commands.late_readings import Reading
from ledger.commands.recompute_quarantine import DismissItem, Item, dismiss
from ledger.events.catalogue import TariffDrafted
from ledger.events.meter import ReadingQuarantined
from ledger.store import Context
from tests.harness.desk import ACTOR, Desk, at_us, point, water
from tests.harness.documents import daily_fee, energy, policy, sold, tariff, version

KWH = 1_000
BY_DAY = tariff("by_day", version(energy(["0.5"]), daily_fee("0.2")))


def busy_day(desk: Desk, street: str = "") -> None:
    """Three customers of a street: one pays, one falls behind and comes back, one moves out."""
    _somebody_pays(desk, f"{street}A1", f"{street}M1", f"{street}W1")
    _somebody_falls_behind(desk, f"{street}A2", f"{street}M2")
    _somebody_moves_out(desk, f"{street}A3", f"{street}M3", f"{street}M4")
    _somebody_is_away(desk, f"{street}A6", f"{street}M6")
    _somebody_buys_units(desk, f"{street}A7", f"{street}M7")
    _somebody_is_spared(desk, f"{street}A8", f"{street}M8")
    _two_people_agree(desk)


def _somebody_pays(desk: Desk, account_no: str, meter_no: str, water_no: str) -> None:
    desk.open(
        account_no,
        point(meter_no, "tou", initial={"peak": 0, "valley": 0}),
        water(water_no),
        site="东区 № 7",
        group="households",
        attributes={"household_size": 3, "protected": True, "note": 'a "quoted" \\ \u2028 ü 𝟘'},
    )
    desk.recharge(account_no, 200_00)
    desk.reverse(str(desk.recharge(account_no, 77_01)["receipt_no"]))
    desk.adjust(account_no, 5_00, "granted")
    desk.adjust(account_no, -1_00)
    for day in range(2, 12):
        at = f"2026-01-{day:02}T08:30"
        desk.read(meter_no, at, peak=11_003 * day, valley=7_001 * day)
        desk.read(water_no, at, 251 * day)
    desk.read(meter_no, "2026-01-05T08:30", peak=55_015, valley=35_005)  # the same again
    desk.read(meter_no, "2026-01-05T08:30", peak=1, valley=1)  # a contradiction
    desk.read(meter_no, "2026-01-05T09:00", peak=1, valley=1)  # late, and it cannot be
    desk.read(meter_no, "2026-01-05T10:00", peak=56_000, valley=35_500)  # late
    desk.read(meter_no, "2026-01-20", peak=2, valley=1)  # backwards
    desk.read(f"{meter_no}-nobody", "2026-01-20", 5)
    _somebody_dismisses(desk, account_no)
    assign_group(AssignGroup(account_no=account_no, group="shops"), desk.ledger, ACTOR)
    grown = ChangeAttributes(
        account_no=account_no, attributes={"household_size": 4, "note": None}, reason="a child"
    )
    change_attributes.handle(grown, desk.ledger, ACTOR)


def _somebody_dismisses(desk: Desk, account_no: str) -> None:
    aside = [
        (item, item.event)
        for item in desk.recorded()
        if isinstance(item.event, ReadingQuarantined) and item.event.account_no == account_no
    ]
    item, event = aside[-1]
    reading = Reading(event.meter_no, item.valid_at_us, event.registers)
    place = Item(item.shard, item.position, event.account_no, reading)
    dismiss(place, DismissItem(reason="a test of the meter"), desk.ledger, ACTOR)


def _two_people_agree(desk: Desk) -> None:
    before, desk.ledger.approvals = desk.ledger.approvals, frozenset({"tariff"})
    desk.publish(tariff("agreed"))
    if desk.ledger.event(0, desk.heads()[0]).TOPIC == TariffDrafted.TOPIC:  # type: ignore[union-attr]
        publish_tariff.approve("agreed", 1, desk.ledger, Context("clerk-2"))
    desk.ledger.approvals = before


def _somebody_buys_units(desk: Desk, account_no: str, meter_no: str) -> None:
    desk.publish(sold())
    desk.open(account_no, point(meter_no, "sold"))
    desk.adjust(account_no, -40_00)
    desk.recharge(account_no, 250_03, channel_fee_minor=1_01)
    desk.read(meter_no, "2026-01-05", 30 * KWH)
    desk.read(meter_no, "2026-01-04", 20 * KWH)  # late
    desk.reverse(str(desk.recharge(account_no, 60_00)["receipt_no"]))
    desk.read(meter_no, "2026-01-09", 400 * KWH)  # more than it holds
    desk.recharge(account_no, 99_99)


def _somebody_is_spared(desk: Desk, account_no: str, meter_no: str) -> None:
    mostly = NoCutWindow(name="most of the day", hours="01:00-00:00")
    desk.publish(policy("sparing", no_cut_windows=(mostly,)))
    desk.open(account_no, point(meter_no, policy_id="sparing"))
    desk.recharge(account_no, 10_00)
    desk.read(meter_no, "2026-01-02", 40 * KWH)


def _somebody_is_away(desk: Desk, account_no: str, meter_no: str) -> None:
    desk.publish(BY_DAY)
    desk.open(account_no, point(meter_no, "by_day"))
    desk.recharge(account_no, 60_00)
    desk.read(meter_no, "2026-06-29", 5 * KWH)
    accrue_fixed.handle([account_no], desk.ledger, ACTOR)


def _somebody_falls_behind(desk: Desk, account_no: str, meter_no: str) -> None:
    desk.publish(policy("lenient", remind=2_00, warn=1_00, trip=-50_00))
    desk.open(account_no, point(meter_no))
    desk.recharge(account_no, 30_00)
    for kwh, day in ((22, 2), (42, 3), (61, 4)):  # reminded, warned, cut
        desk.read(meter_no, f"2026-01-{day:02}", kwh * KWH)
    desk.recharge(account_no, 15_50)  # back on, but warned
    desk.adjust(account_no, 100_00)  # no longer
    lenient = AssignPolicy(account_no=account_no, policy_id="lenient")
    assign_policy(lenient, desk.ledger, ACTOR)
    tiered = AssignTariff(account_no=account_no, tariff_id="tiered")
    assign_tariff(tiered, desk.ledger, ACTOR)
    readings = [
        Reading(meter_no, at_us(f"2026-02-{day:02}"), {"total": day * 31 * KWH})
        for day in range(3, 28)
    ]
    desk.read_all(*readings)


def _somebody_moves_out(desk: Desk, account_no: str, meter_no: str, next_no: str) -> None:
    desk.open(account_no, point(meter_no))
    desk.recharge(account_no, 10_00)
    desk.replace(account_no, "2026-01-03", {"total": "10"}, next_no, {"total": "0"})
    desk.remove(account_no, "2026-01-04", {"total": "10"})
    desk.close_account(account_no)
