"""Small tariffs to change one thing of."""

from copy import deepcopy
from typing import Any

from ledger.pricing import CompiledTariff, compile_tariff

Document = dict[str, Any]

VERSION: Document = {
    "effective_from": "2020-01-01",
    "effective_to": None,
    "rounding": {"quantum": "0.01", "mode": "half_up"},
    "accumulation": {"window": "month", "basis": "consumption", "proration": {"method": "none"}},
    "tiers": [{"upto": "100"}, {"upto": None}],
    "charges": [{"id": "energy", "kind": "consumption", "rates": ["0.50", "0.80"]}],
}
DOCUMENT: Document = {
    "tariff_id": "example",
    "service_kind": "electricity",
    "unit": "kWh",
    "currency": "CNY",
    "timezone": "Asia/Shanghai",
    "registers": ["total"],
    "tax": {"treatment": "inclusive", "rate": "0.13"},
    "source": ["an example"],
    "versions": [VERSION],
}


def document(*versions: Document, **fields: Any) -> Document:  # noqa: ANN401 - JSON
    """The example with other fields, and one version for each change of its version."""
    changed = deepcopy(DOCUMENT | fields)
    changed["versions"] = [deepcopy(VERSION | version) for version in versions or ({},)]
    return changed


def tariff(*versions: Document, **fields: Any) -> CompiledTariff:  # noqa: ANN401 - JSON
    return compile_tariff(document(*versions, **fields))


def accumulation(window: str = "month", **fields: Any) -> Document:  # noqa: ANN401 - JSON
    """How the version counts, with other fields."""
    base: Document = VERSION["accumulation"]
    return {"accumulation": base | {"window": window} | fields}


def charges(*found: Document) -> Document:
    return {"charges": list(found)}


def fixed(per: str, amount: str) -> Document:
    return {"id": f"{per}_fee", "kind": "fixed", "per": per, "amount": amount}


ENERGY: Document = VERSION["charges"][0]
