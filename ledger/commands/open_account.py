"""Open an account (开户): a customer, and the meters that will be charged to it."""

from concurrent.futures import Future
from functools import cache
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from ledger.aggregates import Refused
from ledger.aggregates.account import Account
from ledger.aggregates.account.consumption import FUTURE_US
from ledger.aggregates.account.points import add_point
from ledger.commands import AccountNo, Command, Currency, Identifier, Json, MeterNo, Moment, Text
from ledger.commands.answers import account_answer
from ledger.commands.fit_meter import fit_meter
from ledger.commands.quantities import PositiveQuantity, Registers
from ledger.events.account import AccountOpened
from ledger.ports import Claim
from ledger.store import Answer, Context, Ledger, Session
from ledger.store.ledger import fingerprint
from ledger.values import micros

STANDARD_POLICY = "standard"
DEFAULT_WRAP = 10**9
"""One million kWh or m³: a counter of six whole digits."""
PERSONAL = ("name", "phone", "address")


@cache
def _timezones() -> frozenset[str]:
    return frozenset(available_timezones())  # Reads the whole zone database.


def _known_timezone(name: str) -> str:
    if name not in _timezones():
        raise ValueError(f"{name} is not a time zone; use a name such as Asia/Shanghai")
    return name


class ServicePoint(Command):
    """A meter to be charged to the account; registers and wrap as on the meter."""

    service_kind: Literal["electricity", "water", "hot_water", "gas", "heat"]
    meter_no: MeterNo
    tariff_id: Identifier
    policy_id: Identifier = STANDARD_POLICY
    installed_at: Moment
    wrap: PositiveQuantity = DEFAULT_WRAP
    multiplier: PositiveQuantity = 1_000
    initial: Registers


class OpenAccount(Command):
    """A new account with its service points; personal data is sealed, never in an event."""

    account_no: AccountNo
    name: Annotated[Text, Field(max_length=200)] | None = None
    phone: Annotated[Text, Field(max_length=50)] | None = None
    address: Annotated[Text, Field(max_length=500)] | None = None
    site: Annotated[Text, Field(max_length=64)] = ""
    group: Annotated[Text, Field(max_length=64)] = ""
    currency: Currency | None = None
    timezone: Annotated[str, AfterValidator(_known_timezone)] | None = None
    attributes: dict[Identifier, bool | int | Text] = Field(default_factory=dict)
    service_points: Annotated[tuple[ServicePoint, ...], Field(max_length=16)] = ()

    def personal(self) -> dict[str, str]:
        """The personal data that was given."""
        return {field: value for field in PERSONAL if (value := getattr(self, field))}

    def claims(self) -> tuple[Claim, ...]:
        """The account's number and its meters; a hash of personal data could be guessed: none."""
        body = self.model_dump(mode="json", exclude=set(PERSONAL))
        mark = fingerprint("account", body)
        numbers = [("account", self.account_no)]
        numbers += [("meter", point.meter_no) for point in self.service_points]
        return tuple(Claim(kind, number, mark, self.account_no) for kind, number in numbers)


def handle(command: OpenAccount, ledger: Ledger, context: Context) -> Answer:
    """Open the account and install its meters in one commit; the same again changes nothing."""
    return submit(command, ledger, context).result()


def submit(command: OpenAccount, ledger: Ledger, context: Context) -> "Future[Answer]":
    """The same without waiting."""
    meters = [point.meter_no for point in command.service_points]
    if len(set(meters)) != len(meters):
        raise Refused("meter_twice", "One meter is named twice; each point needs its own.")
    shard = ledger.shard_of(command.account_no)
    commitments, sealed = ledger.vault.seal(shard, command.account_no, command.personal())

    def decide(session: Session) -> Json:
        session.sealed.extend(sealed)
        return _decide(command, session, ledger, commitments)

    return ledger.submit(
        decide,
        context,
        accounts=(command.account_no,),
        meters=meters,
        claims=command.claims(),
        weight=1 + 2 * len(meters),
    )


def _decide(
    command: OpenAccount, session: Session, ledger: Ledger, commitments: dict[str, str]
) -> Json:
    shard = ledger.shard_of(command.account_no)
    account = session.aggregate(Account, command.account_no, shard)
    opened = AccountOpened(
        account_no=command.account_no,
        currency=command.currency or ledger.terms.currency,
        timezone=command.timezone or ledger.terms.timezone,
        site=command.site,
        group=command.group,
        attributes=dict(command.attributes),
        personal=commitments,
    )
    starts = [micros(point.installed_at) for point in command.service_points]
    session.record(account, opened, min([session.now_us, *starts]))
    for point in command.service_points:
        install(session, account, point)
    return account_answer(account, session)


def install(session: Session, account: Account, point: ServicePoint) -> None:
    """Add a service point and its meter; the meter's number is claimed by the caller."""
    installed_at_us = micros(point.installed_at)
    if installed_at_us > session.now_us + FUTURE_US:
        raise Refused("installed_in_the_future", "The installation's time lies in the future.")
    tariff, tariff_version = session.tariff(point.tariff_id)
    session.terms(point.policy_id)
    added = add_point(
        account,
        service_kind=point.service_kind,
        meter_no=point.meter_no,
        tariff=tariff,
        tariff_version=tariff_version,
        policy_id=point.policy_id,
        installed_at_us=installed_at_us,
        registers=point.initial,
        wrap=point.wrap,
        multiplier_milli=point.multiplier,
    )
    session.record(account, added, installed_at_us)
    fit_meter(session, account, added.point, point.meter_no, added.registers, installed_at_us)
