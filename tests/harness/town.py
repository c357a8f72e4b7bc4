"""A small town: people open accounts, pay, use supply, make mistakes, and move out."""

from collections.abc import Sequence
from typing import Any, Final, Literal

from ledger.aggregates import Refused
from ledger.commands.assign import AssignGroup, AssignPolicy, assign_group, assign_policy
from ledger.commands.late_readings import Reading
from tests.harness.desk import ACTOR, Desk, at_us, point, water
from tests.harness.documents import policy

HOUR_US: Final = 3_600_000_000
ACCOUNTS: Final = ("A1", "A4", "A5")
Verb = Literal[
    "open", "pay", "reverse", "adjust", "read", "again", "contradict", "late", "sweep",
    "replace", "remove", "install", "assign", "publish", "close", "restart",
]  # fmt: skip
Step = tuple[Verb, int, int]
"""What happens, to whom (or to what, counted from the first), and how much of it."""


class Town:
    """Plays steps at a desk. What is refused is noted; whatever goes wrong otherwise is a fault."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.refusals: list[str] = []
        self._receipts: list[str] = []
        self._sent: list[Reading] = []
        self._shown: dict[str, dict[str, int]] = {}
        self._points: dict[str, dict[str, str]] = {account_no: {} for account_no in ACCOUNTS}
        self._meters = 0
        self._now_us = at_us("2026-01-01")

    def play(self, steps: Sequence[Step]) -> None:
        for verb, who, much in steps:
            try:
                getattr(self, f"_{verb}")(ACCOUNTS[who % len(ACCOUNTS)], who, much)
            except Refused as refusal:
                self.refusals.append(refusal.code)

    def sent(self) -> list[Reading]:
        """Every reading that was told."""
        return list(self._sent)

    def meters(self) -> list[str]:
        """Every meter that ever counted."""
        return sorted(self._shown)

    # Every step takes the account, the number it was made from, and an amount.

    def _open(self, account_no: str, _who: int, much: int) -> None:
        electricity = "tou" if much % 2 else "tiered"
        points = [point(f"E-{account_no}", electricity, initial=self._zero(electricity))]
        if much % 3:
            points.append(water(f"W-{account_no}"))
        body = self.desk.open(account_no, *points, site=f"Nord\\{much % 5} «{account_no}»'\"")
        self._remember(account_no, body)

    def _pay(self, account_no: str, who: int, much: int) -> None:
        body = self.desk.recharge(account_no, much + 1, f"T{who}")
        self._receipts.append(body["receipt_no"])

    def _reverse(self, _account_no: str, who: int, _much: int) -> None:
        if self._receipts:
            self.desk.reverse(self._receipts[who % len(self._receipts)])

    def _adjust(self, account_no: str, who: int, much: int) -> None:
        wallet: Literal["paid", "granted"] = "granted" if much % 2 else "paid"
        self.desk.adjust(account_no, much if who % 2 else -much, wallet)

    def _read(self, account_no: str, who: int, much: int) -> None:
        meters = sorted(self._points[account_no].values())
        if meters:
            self._send(meters[who % len(meters)], much, hours=1 + much % 50)

    def _sweep(self, _account_no: str, who: int, much: int) -> None:
        meters = sorted(meter for points in self._points.values() for meter in points.values())
        self._now_us += (1 + who) * HOUR_US
        batch = [self._reading(meter, much + number) for number, meter in enumerate(meters)]
        stranger = Reading("X9", self._now_us, {"total": much})
        self._record([*batch, stranger, *batch[:1]])

    def _again(self, _account_no: str, who: int, _much: int) -> None:
        if self._sent:
            self._record([self._sent[who % len(self._sent)]])

    def _contradict(self, _account_no: str, who: int, much: int) -> None:
        if self._sent:
            reading = self._sent[who % len(self._sent)]
            other = {name: value + 1 + much % 3 for name, value in reading.registers.items()}
            self._record([reading._replace(registers=other)])

    def _late(self, _account_no: str, who: int, much: int) -> None:
        if self._sent:
            reading = self._sent[who % len(self._sent)]
            self._record([reading._replace(at_us=reading.at_us - (much % 90) * HOUR_US)])

    def _replace(self, account_no: str, who: int, much: int) -> None:
        for name, meter in sorted(self._points[account_no].items())[:1]:
            fresh, registers = self._new_meter("R"), self._shown[meter]
            self._now_us += (1 + who) * HOUR_US
            final = {register: f"{value / 1000:.3f}" for register, value in registers.items()}
            body = self.desk.replace_at(
                account_no, self._now_us, final, fresh, dict.fromkeys(registers, "0.5"),
                service_point=name, multiplier="1.5" if much % 2 else "1",
            )  # fmt: skip
            self._remember(account_no, body)

    def _remove(self, account_no: str, who: int, _much: int) -> None:
        for name, meter in sorted(self._points[account_no].items())[-1:]:
            self._now_us += (1 + who) * HOUR_US
            registers = self._shown[meter]
            final = {register: f"{value / 1000:.3f}" for register, value in registers.items()}
            self._remember(account_no, self.desk.remove_at(account_no, self._now_us, final, name))

    def _install(self, account_no: str, _who: int, much: int) -> None:
        tariff_id = ("tou", "flat")[much % 2]
        meter = self._new_meter("I")
        started = point(meter, tariff_id, initial=self._zero(tariff_id))
        self._remember(account_no, self.desk.install(account_no, started))

    def _assign(self, account_no: str, _who: int, much: int) -> None:
        for name in sorted(self._points[account_no])[:1]:
            policy_id = ("standard", "strict", "wet")[much % 3]
            command = AssignPolicy(account_no=account_no, service_point=name, policy_id=policy_id)
            assign_policy(command, self.desk.ledger, ACTOR)
        if much % 2:
            moving = AssignGroup(account_no=account_no, group=f"G{much % 3}")
            assign_group(moving, self.desk.ledger, ACTOR)

    def _publish(self, _account_no: str, who: int, much: int) -> None:
        trip = much % 500
        policy_id = ("standard", "strict", "wet")[who % 3]
        cuts = ("electricity", "water") if policy_id == "wet" else ("electricity",)
        lines: dict[str, Any] = {"trip": trip, "hysteresis_minor": who % 7, "cuts": cuts}
        self.desk.publish(policy(policy_id, **lines))

    def _close(self, account_no: str, _who: int, _much: int) -> None:
        self.desk.close_account(account_no)

    def _restart(self, _account_no: str, _who: int, _much: int) -> None:
        self.desk.restart()

    def _zero(self, tariff_id: str) -> dict[str, str]:
        return dict.fromkeys(("peak", "valley") if tariff_id == "tou" else ("total",), "0")

    def _new_meter(self, kind: str) -> str:
        self._meters += 1
        return f"{kind}{self._meters}"

    def _remember(self, account_no: str, body: dict[str, Any]) -> None:
        """Where meters count now, and what they show."""
        self._points[account_no] = {
            p["service_point"]: p["meter_no"] for p in body["service_points"]
        }
        for shown in body["service_points"]:
            registers = {
                name: round(float(value) * 1000) for name, value in shown["registers"].items()
            }
            self._shown.setdefault(shown["meter_no"], registers)

    def _reading(self, meter: str, quantity: int) -> Reading:
        shown = {name: value + quantity for name, value in self._shown[meter].items()}
        return Reading(meter, self._now_us, shown)

    def _send(self, meter: str, quantity: int, hours: int) -> None:
        self._now_us += hours * HOUR_US
        self._record([self._reading(meter, quantity)])

    def _record(self, readings: Sequence[Reading]) -> None:
        self._now_us += 1
        body = self.desk.read_all(*readings)
        aside = {item["index"] for item in body["quarantined"]}
        self._sent += readings
        for number, reading in enumerate(readings):
            shown = self._shown.get(reading.meter_no)
            if number not in aside and shown is not None:
                latest = {n: max(v, reading.registers.get(n, 0)) for n, v in shown.items()}
                self._shown[reading.meter_no] = latest
