"""Re-derives every fact of the log from what was recorded before it.

Pure: it is handed rows in order of position, catalogue first, and tells what does not follow.
Charges are rated again from their registers, control decisions decided again, also those that were
left out, balances added up again; whatever differs is named with its position.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from ledger.aggregates import Aggregate
from ledger.aggregates.account import Account
from ledger.aggregates.account.consumption import Quarantine, charge
from ledger.aggregates.account.control import decide_level
from ledger.aggregates.account.fixed_fees import charge_day
from ledger.aggregates.account.intervals import Known
from ledger.aggregates.account.rerating import rederived
from ledger.aggregates.account.sales import Offer, give_all_back, give_back, sell
from ledger.aggregates.command import DeviceCommand
from ledger.aggregates.command_batch import CommandBatch
from ledger.aggregates.gateway import Gateway
from ledger.aggregates.meter import Meter
from ledger.aggregates.payment import Payment
from ledger.aggregates.policy import ControlPolicy
from ledger.aggregates.tariff import Tariff
from ledger.aggregates.tariff_draft import TariffDraft
from ledger.aggregates.trip_switch import TripSwitch
from ledger.aggregates.work_order import WorkOrder
from ledger.audit.chain import Finding
from ledger.audit.control import Decisions
from ledger.events import (
    Event,
    account,
    catalogue,
    command,
    command_batch,
    gateway,
    meter,
    payment,
    supply,
    trips,
    work_order,
)
from ledger.events.registry import decode
from ledger.ports import Row
from ledger.pricing import CompiledTariff, NotRateable
from ledger.store.session import compiled, terms_of

KINDS: Final[dict[type[Event], type[Aggregate]]] = {
    **dict.fromkeys((*account.EVENTS, *supply.EVENTS), Account),
    **dict.fromkeys(payment.EVENTS, Payment),
    **dict.fromkeys(meter.EVENTS, Meter),
    **dict.fromkeys(command.EVENTS, DeviceCommand),
    **dict.fromkeys(command_batch.EVENTS, CommandBatch),
    **dict.fromkeys(work_order.EVENTS, WorkOrder),
    **dict.fromkeys(gateway.EVENTS, Gateway),
    **dict.fromkeys(trips.EVENTS, TripSwitch),
    catalogue.TariffPublished: Tariff,
    catalogue.TariffDrafted: TariffDraft,
    catalogue.TariffApproved: TariffDraft,
    catalogue.PolicyPublished: ControlPolicy,
}
CATALOGUE: Final = (catalogue.TariffPublished.TOPIC, catalogue.PolicyPublished.TOPIC)
"""What every part of the streams is checked against."""
CONTROL: Final = (
    account.AccountReminded,
    account.AccountWarned,
    account.WarningCancelled,
    account.SupplyTripPostponed,
    account.SupplyTripOrdered,
    account.SupplyRestoreOrdered,
)
Movement = account.AccountCredited | account.CreditReversed | account.AccountAdjusted


Behind = Callable[[int, str, int], Iterator[Known]]
"""Facts of a stream (its shard and id) from a version back, for what is rated again."""


class Auditor:
    """Walks the log of every shard; shard 0, which holds the catalogue, comes first."""

    def __init__(self, behind: Behind) -> None:
        self._behind = behind
        self._states: dict[tuple[int, str], Aggregate] = {}
        self._tariffs: dict[tuple[str, int], CompiledTariff] = {}
        self._sales: dict[tuple[str, str], account.UnitsSold] = {}
        self._decisions = Decisions()

    def check(self, row: Row) -> Iterator[Finding]:
        """Findings of one row; the rows of a shard come in order of position."""
        try:
            event = decode(row.topic, row.payload)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is a finding
            message = f"{type(error).__name__}: {error}"
            yield Finding(row.shard, row.position, row.stream_id, "payload", message)
            return
        yield from self._decisions.before(row, event)
        for check, message in self._problems(row, event):
            yield Finding(row.shard, row.position, row.stream_id, check, message)

    def state(self, shard: int, stream_id: str) -> Aggregate:
        """State of a stream after the rows so far."""
        return self._states[shard, stream_id]

    def end(self) -> Iterator[Finding]:
        """Findings behind the last row of these streams; forgets all but the catalogue."""
        yield from self._decisions.end()
        self._states, self._sales = {}, {}

    def _problems(self, row: Row, event: Event) -> Iterator[tuple[str, str]]:
        state = self._state(row, event)
        if row.version != state.version + 1:
            yield "version", f"version {state.version + 1} of the stream is missing"
        if isinstance(state, Account):
            yield from self._rederived(state, event, row)
        self._learn(event, row)
        before = _money(state)
        state.evolve(event, row.valid_at)
        state.version = row.version
        if isinstance(state, Account):
            self._decisions.after(row, state, has_moved=_money(state) != before)

    def _state(self, row: Row, event: Event) -> Aggregate:
        key = (row.shard, row.stream_id)
        state = self._states.get(key)
        if state is None:
            state = self._states[key] = KINDS[type(event)](row.shard, row.stream_id)
        return state

    def _learn(self, event: Event, row: Row) -> None:
        if isinstance(event, catalogue.TariffPublished):
            self._tariffs[event.tariff_id, row.version] = compiled(bytes(event.document))
        elif isinstance(event, catalogue.PolicyPublished):
            terms = terms_of(bytes(event.document), row.version)
            self._decisions.learn(terms, row.recorded_at)

    def _rederived(self, state: Account, event: Event, row: Row) -> Iterator[tuple[str, str]]:
        if isinstance(event, account.AccountCharged):
            yield from self._charge(state, event, row)
        elif isinstance(event, account.ChargeCorrected):
            yield from self._correction(state, event, row)
        elif isinstance(event, account.FixedFeeCharged):
            yield from self._fee(state, event, row)
        elif isinstance(event, account.UnitsSold):
            yield from self._sale(state, event, row)
        elif isinstance(event, account.UnitsReturned):
            yield from self._return(state, event, row)
        elif isinstance(event, CONTROL):
            yield from self._control(state, event, row)
        elif isinstance(event, Movement):
            yield from _movement(state, event)

    def _charge(
        self, state: Account, event: account.AccountCharged, row: Row
    ) -> Iterator[tuple[str, str]]:
        point = state.point_of_meter(event.meter_no)
        tariff = self._tariffs.get((event.tariff_id, event.tariff_version))
        if point is None or tariff is None:
            yield "charge", "its meter or its tariff was not known before it"
            return
        readings = {name: after for name, (_, after, _) in event.registers.items()}
        version = event.tariff_version
        again = charge(state, point, row.valid_at, readings, tariff, version, row.recorded_at)
        if isinstance(again, Quarantine):
            yield "charge", f"the reading would be kept aside now: {again.reason}"
        elif again != event:
            yield "charge", f"rated again it is {_first_difference(again, event)}"

    def _correction(
        self, state: Account, event: account.ChargeCorrected, row: Row
    ) -> Iterator[tuple[str, str]]:
        tariff = self._tariffs.get((event.tariff_id, event.tariff_version))
        if tariff is None:
            yield "correction", "its tariff was not known before it"
            return
        known = self._behind(row.shard, row.stream_id, row.version - 1)
        again = rederived(state, event, row.valid_at, tariff, known)
        if isinstance(again, str):
            yield "correction", again
        elif again != event:
            yield "correction", f"rated again it is {_first_difference(again, event)}"

    def _fee(
        self, state: Account, event: account.FixedFeeCharged, row: Row
    ) -> Iterator[tuple[str, str]]:
        points = [point for point in state.points if point.name == event.point]
        tariff = self._tariffs.get((event.tariff_id, event.tariff_version))
        if not points or tariff is None:
            yield "charge", "its service point or its tariff was not known before it"
            return
        again = charge_day(state, points[0], tariff, event.tariff_version, row.valid_at)
        if again is None:
            yield "charge", "no fixed charge was due"
        elif again != event:
            yield "charge", f"rated again it is {_first_difference(again, event)}"

    def _sale(
        self, state: Account, event: account.UnitsSold, row: Row
    ) -> Iterator[tuple[str, str]]:
        points = [point for point in state.points if point.name == event.point]
        tariff = self._tariffs.get((event.tariff_id, event.tariff_version))
        if not points or tariff is None:
            yield "sale", "its service point or its tariff was not known before it"
            return
        self._sales[row.stream_id, event.receipt_no] = event
        offer = Offer(event.receipt_no, event.paid_minor, row.valid_at, event.channel_fee_minor)
        try:
            again = sell(state, points[0], tariff, event.tariff_version, offer)
        except NotRateable as reason:
            yield "sale", f"nothing would be sold now: {reason}"
            return
        if again != event:
            yield "sale", f"sold again it is {_first_difference(again, event)}"

    def _return(
        self, state: Account, event: account.UnitsReturned, row: Row
    ) -> Iterator[tuple[str, str]]:
        points = [point for point in state.points if point.name == event.point]
        sold = self._sales.get((row.stream_id, event.receipt_no))
        if not points or (event.receipt_no and sold is None):
            yield "sale", "its service point or its sale was not known before it"
            return
        if sold is None:
            again = next(give_all_back(state, points[0], row.valid_at, event.reason), None)
        else:
            again = give_back(state, points[0], sold, event.reason)
        if again is None:
            yield "sale", "there was nothing to give back"
        elif again != event:
            yield "sale", f"given back again it is {_first_difference(again, event)}"

    def _control(self, state: Account, event: Any, row: Row) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - topics of one shape
        trace = event.trace
        terms = self._decisions.terms(trace.policy_id, trace.policy_version)
        points = [point for point in state.points if point.name == event.point]
        if terms is None or not points:
            yield "control", "its policy or its service point was not known before it"
            return
        again = list(decide_level(state, points[0], terms, row.recorded_at))
        if again != [event]:
            yield "control", f"decided again it is {again or 'no decision'}"


def _money(state: Aggregate) -> tuple[int, ...]:
    if not isinstance(state, Account):
        return ()
    held = [point.units_minor for point in state.points if point.holds_units]
    return (state.balance_minor, state.granted_minor, *held)


def _movement(state: Account, event: Movement) -> Iterator[tuple[str, str]]:
    balance = state.balance_minor + event.paid_minor
    granted = state.granted_minor + event.granted_minor
    if (balance, granted) != (event.balance_after_minor, event.granted_after_minor):
        yield "balance", f"added up again the wallets are {balance} and {granted}"


def _first_difference(again: Event, event: Event) -> str:
    for field in event.__struct_fields__:
        ours, theirs = getattr(again, field), getattr(event, field)
        if ours != theirs:
            return f"{field} {ours}, recorded is {theirs}"
    return "equal"
