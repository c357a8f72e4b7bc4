"""Who lives in the town: names, addresses, meters, and how each stands with money at the end."""

from typing import Final, Literal, NamedTuple

from adapters.demo.catalogue import BUSINESS, HOMES
from adapters.devices.park.draws import draw

Fate = Literal["well", "low", "warned", "about_to_trip", "cut_off"]
SHARES_PERMILLE: Final[dict[Fate, int]] = {
    "cut_off": 12,
    "about_to_trip": 16,
    "warned": 40,
    "low": 60,
}
"""Of all customers; at least one of each."""
STRIDE: Final = 7_919
"""A prime, so that the fates are spread over the town and every number is met once."""

SURNAMES: Final = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许邓韩冯曹"
GIVEN: Final = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英华玉梅建国文秀"
SITES: Final = ("Lakeside 湖畔", "Station Road 站前路", "Old Mill 老磨坊", "Hillview 山景")
GROUPS: Final = {HOMES: "homes", BUSINESS: "business"}
BUSINESS_EVERY: Final = 6
PHASES_EVERY: Final = 2


class Customer(NamedTuple):
    """One customer with one meter."""

    account_no: str
    name: str
    phone: str
    address: str
    site: str
    tariff_id: str
    meter_no: str
    model: str
    gateway: int
    """Behind which gateway the meter is, counted from 0."""
    fate: Fate


def townspeople(count: int, gateways: int, seed: int) -> list[Customer]:
    """So many customers, the same for the same seed."""
    fates = _fates(count)
    return [_customer(number, count, gateways, seed, fates[number]) for number in range(count)]


def _customer(number: int, count: int, gateways: int, seed: int, fate: Fate) -> Customer:
    is_business = number % BUSINESS_EVERY == BUSINESS_EVERY - 1 and fate == "well"
    is_large = is_business and number // BUSINESS_EVERY % PHASES_EVERY == 0
    gateway = number * gateways // count

    def drawn(below: int, what: str) -> int:
        return draw(below, seed, number, what)

    given = "".join(
        GIVEN[drawn(len(GIVEN), f"given {place}")] for place in range(1 + drawn(2, "two"))
    )
    return Customer(
        account_no=f"{100_001 + number}",
        name=SURNAMES[drawn(len(SURNAMES), "surname")] + given,
        phone=f"1380000{number:04d}",
        address=f"{1 + gateway}-{1 + drawn(3, 'door')}-{100 * (1 + drawn(18, 'floor')) + 1}",
        site=SITES[gateway * len(SITES) // gateways],
        tariff_id=BUSINESS if is_business else HOMES,
        meter_no=f"E{240_001 + number}",
        model="DTSY1352" if is_large else "DDSY1352",
        gateway=gateway,
        fate=fate,
    )


def _fates(count: int) -> list[Fate]:
    fates: list[Fate] = ["well"] * count
    places = iter(range(count))
    for fate, permille in SHARES_PERMILLE.items():
        for _ in range(max(1, count * permille // 1000)):
            place = next(places, None)
            if place is not None:
                fates[(place * STRIDE + 3) % count] = fate
    return fates
