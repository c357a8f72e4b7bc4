"""The words for the codes of the ledger; a code without a word is shown as it is."""

from typing import Final


def N_(text: str) -> str:  # noqa: N802 - the name that gettext tools look for
    """Marks a text for the catalogs; it is translated where it is shown."""
    return text


LEVELS: Final = {
    "none": N_("Normal"),
    "remind": N_("Reminder"),
    "warn": N_("Warning"),
    "trip": N_("Cut off"),
}
KINDS: Final = {
    "electricity": N_("Electricity"),
    "water": N_("Water"),
    "hot_water": N_("Hot water"),
    "gas": N_("Gas"),
    "heat": N_("Heat"),
}
SUPPLY: Final = {"on": N_("On"), "off": N_("Off"), "unknown": N_("Unknown")}
STATUS: Final = {"open": N_("Open"), "closed": N_("Closed")}
CHANNELS: Final = {
    "cash": N_("Cash"),
    "pos": N_("Card terminal"),
    "wechat": N_("WeChat Pay"),
    "alipay": N_("Alipay"),
    "transfer": N_("Bank transfer"),
}
REGISTERS: Final = {
    "total": N_("Total"),
    "sharp": N_("Sharp"),
    "peak": N_("Peak"),
    "flat": N_("Flat"),
    "valley": N_("Valley"),
}
WALLETS: Final = {"paid": N_("paid balance"), "granted": N_("granted balance")}
ROLES: Final = {
    "operator": N_("Operator"),
    "cashier": N_("Cashier"),
    "engineer": N_("Engineer"),
    "tariff_manager": N_("Tariff manager"),
    "finance": N_("Finance"),
    "auditor": N_("Auditor"),
    "admin": N_("Administrator"),
    "customer": N_("Customer"),
}
ORDERS: Final = {
    "trip": N_("Switch off"),
    "close": N_("Switch on"),
    "close_permit": N_("Permit switching on"),
    "guarantee": N_("Guarantee supply"),
    "end_guarantee": N_("End guarantee"),
    "recall": N_("Read the meter"),
    "set_clock": N_("Set the clock"),
    "set_price": N_("Set prices"),
}
COMMAND_STATUS: Final = {
    "requested": N_("Requested"),
    "held": N_("Held"),
    "queued": N_("Queued"),
    "dispatched": N_("Sent"),
    "acknowledged": N_("Acknowledged"),
    "verified": N_("Verified"),
    "awaiting_customer": N_("Waiting for the customer"),
    "unknown": N_("Unknown outcome"),
    "refused": N_("Refused by the meter"),
    "expired": N_("Expired"),
    "superseded": N_("Superseded"),
    "cancelled": N_("Cancelled"),
    "failed": N_("Failed"),
}
BATCH_STATUS: Final = {
    "awaiting_approval": N_("Waits for approval"),
    "running": N_("Under way"),
    "done": N_("Ordered"),
    "rejected": N_("Rejected"),
    "expired": N_("Expired"),
}
BATCH_ORDER: Final = {
    **COMMAND_STATUS,
    "waiting": N_("Not decided yet"),
    "not_ordered": N_("Not ordered"),
}
OUTCOMES: Final = {
    "meter_not_connected": N_("the meter is on no line"),
    "protected": N_("the customer is protected"),
    "guaranteed": N_("supply is guaranteed"),
    "disputed": N_("in dispute"),
    "no_cut_window": N_("nobody is cut now"),
    "switched_off_by_hand": N_("switched off by hand"),
    "trips_off": N_("cutting off is suspended"),
    "trips_suspended": N_("cutting off is suspended"),
    "no_longer_wanted": N_("no longer wanted"),
    "point_gone": N_("the meter was removed"),
    "by_hand": N_("by hand"),
    "offline": N_("the gateway cannot be reached"),
    "busy": N_("the meter is busy"),
    "no_answer": N_("no answer"),
    "garbled": N_("an answer that cannot be read"),
    "refused": N_("the meter refused"),
    "not_reached": N_("the meter did not do it"),
    "closed by read": N_("relay closed, read back"),
    "open by read": N_("relay open, read back"),
    "closed by sweep": N_("relay closed, seen on a sweep"),
    "open by sweep": N_("relay open, seen on a sweep"),
    "closed by hand": N_("relay closed, seen by a person"),
    "open by hand": N_("relay open, seen by a person"),
    "retried": N_("tried again"),
}
"""Why a command waits, or what became of it."""
HELD_BY: Final = {"grace": N_("grace")}
"""What holds a trip back beside the windows, which their author names."""
REFUSALS: Final = {
    "account_not_open": N_("The account is closed."),
    "expires_in_the_past": N_("That time is over already."),
    "amount_too_large": N_("This is more than one payment may be."),
    "service_point_unknown": N_("Say for which service point is paid."),
    "protected": N_("The customer is protected from being cut."),
    "guaranteed": N_("The supply is guaranteed; end the guarantee first."),
    "disputed": N_("What is owed is in dispute; release the dispute first."),
    "no_cut_window": N_("Nobody is cut by the policy of this point now."),
    "supply_cut_for_debt": N_("The money does not suffice: recharge, or guarantee the supply."),
    "command_ended": N_("The command has ended already."),
    "command_sent": N_("The meter may have obeyed already; order the opposite instead."),
    "command_not_retryable": N_("There is nothing to retry."),
    "command_superseded": N_("A newer order of this point counts."),
    "command_not_supported": N_("This meter cannot do that."),
    "command_unknown": N_("There is no such command."),
    "batch_not_waiting": N_("The batch runs already, has ended, or waited too long."),
    "batch_too_large": N_("Those are more than 5,000 accounts; filter them first."),
    "batch_unknown": N_("There is no such batch, or it is out of your reach."),
    "same_person": N_("You asked for it; somebody else has to approve it."),
    "account_unknown": N_("There is no such account, or it is out of your reach."),
    "csrf": N_("This form is out of date; load the page again."),
}
"""What the rules say no to, for those who do not read English; other refusals are told as such."""
CHARGES: Final = {
    "energy": N_("Energy"),
    "water": N_("Water"),
    "resource_fee": N_("Water resource fee"),
    "sewage_fee": N_("Sewage fee"),
    "waste_fee": N_("Waste fee"),
    "standing": N_("Standing charge"),
    "basic": N_("Basic charge"),
    "capacity": N_("Capacity"),
    "demand": N_("Demand"),
    "power_factor": N_("Power factor"),
    "funds": N_("Government funds"),
    "fund": N_("Fund"),
    "vat": N_("VAT"),
    "meter_rent": N_("Meter rent"),
    "low_income_free": N_("Free quantity for low incomes"),
    "multi_person": N_("Large households"),
}
"""Usual names of charges and allowances; authors may give others."""
ATTRIBUTES: Final = {
    "household_size": N_("the number of people"),
    "low_income": N_("low income"),
    "protected": N_("protected customers"),
}
BOOKED: Final = {"pass_through": N_("passed on"), "tax": N_("tax")}
"""What a charge is in the books, where it is no revenue."""
ROUNDING: Final = {
    "half_up": N_("half up"),
    "half_even": N_("half to even"),
    "down": N_("down"),
    "up": N_("up"),
}
WINDOWS: Final = {
    "month": N_("a month"),
    "bimonth": N_("two months"),
    "four_months": N_("four months"),
    "year": N_("a year"),
    "billing_period": N_("a billing period"),
}
BASES: Final = {
    "consumption": N_("what is used"),
    "purchase": N_("what is bought"),
}
PRORATIONS: Final = {
    "none": N_("has the whole bounds"),
    "months_in_service": N_("has bounds for the months that are left"),
    "days": N_("has bounds for the days that are left"),
    "months": N_("has bounds by the months of the bill"),
}
APPLIES: Final = {
    "split_by_days": N_("an interval is split by days"),
    "by_reading_end": N_("from the first reading after it"),
}
CARRIED: Final = {"carry": N_("goes on"), "reset": N_("begins anew")}
TIER_MODES: Final = {
    "none": N_("hours have no tiers"),
    "shared_thresholds": N_("all hours count together"),
    "per_register": N_("each register has tiers of its own"),
}
DAY_KINDS: Final = {
    "workday": N_("Working days"),
    "weekend": N_("Weekends"),
    "holiday": N_("Holidays"),
    "makeup_workday": N_("Weekend days that are worked"),
}
VERSION_STATES: Final = {
    "past": N_("Past"),
    "in_force": N_("In force"),
    "coming": N_("To come"),
}
CONFIDENCE: Final = {
    "high": N_("well sourced"),
    "medium": N_("partly unverified"),
    "low": N_("unverified"),
}
"""How well the figures of a tariff are sourced."""
TOPICS: Final = {
    "account.opened": N_("Account opened"),
    "account.service_point_added": N_("Meter installed"),
    "account.service_point_removed": N_("Meter removed"),
    "account.meter_replaced": N_("Meter replaced"),
    "account.tariff_assigned": N_("Tariff assigned"),
    "account.policy_assigned": N_("Policy assigned"),
    "account.group_assigned": N_("Group assigned"),
    "account.credited": N_("Recharge"),
    "account.credit_reversed": N_("Recharge reversed"),
    "account.adjusted": N_("Adjustment"),
    "account.charged": N_("Usage charged"),
    "account.charge_corrected": N_("Charge corrected"),
    "account.fixed_fee_charged": N_("Fixed fee"),
    "account.units_sold": N_("Units bought"),
    "account.units_returned": N_("Units returned"),
    "account.attributes_changed": N_("Household changed"),
    "account.reminded": N_("Reminder"),
    "account.warned": N_("Warning"),
    "account.warning_cancelled": N_("Warning cancelled"),
    "account.supply_trip_postponed": N_("Cut-off put off"),
    "account.supply_trip_ordered": N_("Cut-off ordered"),
    "account.supply_restore_ordered": N_("Restore ordered"),
    "account.supply_commanded": N_("Command sent to meter"),
    "account.supply_confirmed": N_("Supply confirmed"),
    "account.supply_mismatch_found": N_("Supply mismatch"),
    "account.supply_mismatch_settled": N_("Mismatch settled"),
    "account.guarantee_started": N_("Guarantee started"),
    "account.guarantee_ended": N_("Guarantee ended"),
    "account.dispute_held": N_("Dispute held"),
    "account.dispute_released": N_("Dispute released"),
    "account.closed": N_("Account closed"),
}
"""By topic without its version."""


def word(table: dict[str, str], code: object) -> str:
    """The word for a code, in English; the code itself where it has none."""
    return table.get(str(code), str(code))


def topic_word(topic: str) -> str:
    """The word for a topic, in English; the topic itself where it has none yet."""
    name = topic.rpartition(".")[0]
    return TOPICS.get(name, name)
