"""One gateway (网关): where the meters behind it are reached."""

from collections.abc import Callable
from typing import Any, ClassVar

from ledger.aggregates import Aggregate
from ledger.events import Event
from ledger.events.gateway import GatewayRegistered


class Gateway(Aggregate):
    """A line to meters; natural id is its own id."""

    KIND: ClassVar[str] = "gateway"
    EVOLVERS: ClassVar[dict[type[Event], Callable[[Any, Any, int], None]]] = {}

    url: str = ""
    site: str = ""

    def register(self, gateway_id: str, url: str, site: str) -> GatewayRegistered | None:
        """Reach it at a URL from now on; the same again is silence."""
        if (self.url, self.site) == (url, site):
            return None
        return GatewayRegistered(gateway_id, url, site)


def _registered(gateway: Gateway, event: GatewayRegistered, _at: int) -> None:
    gateway.url = event.url
    gateway.site = event.site


Gateway.EVOLVERS.update({GatewayRegistered: _registered})
