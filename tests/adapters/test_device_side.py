"""From a decision to a relay and back, over real sockets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.supplied import Supplied, acting, soon, supplied


@pytest.fixture
def there(sqlite_url: str, tmp_path: Path) -> Iterator[Supplied]:
    with supplied(sqlite_url, tmp_path) as found:
        yield found


def test_money_that_is_used_up_opens_the_relay_and_a_payment_closes_it(there: Supplied) -> None:
    with acting(there):
        assert there.meter().is_closed
        there.fall_behind()
        soon(lambda: not there.meter().is_closed)
        soon(lambda: there.supply() == {"intended": "off", "actual": "off"})
        there.pay()
        soon(lambda: there.meter().is_closed)
        soon(lambda: there.supply() == {"intended": "on", "actual": "on"})
    assert there.commands() == [("trip", "verified"), ("close", "verified")]
