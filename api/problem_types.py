"""Every type of problem that the API may answer with, and what it means; the list is closed."""

from collections.abc import Iterable, Mapping
from typing import Final

GENERAL: Final[Mapping[str, str]] = {
    "csrf": "The form of the session is out of date.",
    "cursor_invalid": "The cursor is none of this list.",
    "forbidden": "The scope is not granted, or it lies outside the own sites.",
    "idempotency_key_invalid": "The idempotency key is not printable ASCII of at most 255.",
    "idempotency_key_missing": "Money moves here, so an idempotency key is needed.",
    "internal": "A fault of ours; the log knows more under the `request_id`.",
    "invalid": "A value cannot be accepted; `problems` names each by a JSON pointer.",
    "key_reused": "The idempotency key came before with another body.",
    "logins_limited": "Too many wrong passwords; see Retry-After.",
    "not_initialised": "There is no ledger here yet.",
    "not_signed_in": "Nobody is signed in.",
    "outcome_unknown": "Whether it was recorded is not known yet; send the same again.",
    "request_running": "The first request with this key is still under way.",
    "too_large": "More than 5,000 readings, or more than 4 MiB.",
    "unavailable": "The database cannot be reached now; nothing was recorded.",
    "vault_key": "Names and addresses cannot be read or kept now.",
    "views_behind": "The views have not seen these positions in time; see Retry-After.",
}
OF_ACCOUNTS: Final[Mapping[str, str]] = {
    "account_exists": "The account was opened before with other particulars.",
    "account_not_open": "The account is closed.",
    "account_unknown": "There is no such account, or none in reach.",
    "already_charged": "Consumption behind that time is charged already.",
    "balance_not_zero": "Money is left, or owed.",
    "installed_in_the_future": "The installation's time lies in the future.",
    "meter_in_use": "The meter is installed at another point.",
    "meter_installed_before": "The meter was installed later than that.",
    "meter_twice": "One meter is named for two points.",
    "policy_unknown": "There is no such control policy.",
    "position_unknown": "The account has no event at this position.",
    "service_point_unknown": "The account has no such service point, or several.",
    "service_points_left": "Meters still count for the account.",
    "tariff_of_other_registers": "The tariff counts by other registers than the meter.",
    "tariff_of_other_service": "The tariff is for another kind of service.",
    "tariff_of_other_unit": "The tariff counts in another unit.",
    "tariff_unknown": "There is no such tariff.",
    "wrong_currency": "The account is kept in another currency.",
}
OF_MONEY: Final[Mapping[str, str]] = {
    "already_reversed": "The payment was taken back before.",
    "amount_not_positive": "The amount must be above zero.",
    "amount_too_large": "The amount is larger than any single payment can be.",
    "amount_zero": "An adjustment of nothing is none.",
    "grant_buys_nothing": "Granted credit buys no units, and the account uses nothing else.",
    "granted_negative": "The granted wallet cannot fall below zero.",
    "paid_in_the_future": "The payment's time lies in the future.",
    "payment_contradiction": "The payment was booked before with another content.",
    "receipt_unknown": "There is no such receipt, or none in reach.",
}
OF_RATING: Final[Mapping[str, str]] = {
    "account_closed": "The account is closed.",
    "attribute_missing": "The tariff asks for an attribute that the account has not.",
    "attribute_wrong": "An attribute is not of the kind that the tariff asks for.",
    "backward": "The register would run backward.",
    "before_installation": "The meter was not yet installed at this time.",
    "closed_window": "What was rated then is closed.",
    "contradiction": "Another value was recorded for this meter at this time.",
    "future": "The reading's time lies in the future.",
    "holidays_unknown": "The holidays of that year are not in the calendar.",
    "implausible": "So much cannot have been used.",
    "late": "A later reading is charged already.",
    "meter_unknown": "The meter is installed nowhere, or not in reach.",
    "negative": "The quantity would be negative.",
    "no_price": "The tariff has no price for this.",
    "no_version": "The tariff has no version at this time.",
    "not_counted": "The reading does not count.",
    "not_sold": "The tariff charges what a meter counts; it sells no units.",
    "out_of_range": "A register shows more than the meter can.",
    "out_of_turn": "Meters of the same tiers are counted further.",
    "payment_too_small": "The payment does not buy anything.",
    "point_gone": "The point that held the units is no more.",
    "register_missing": "A register that the tariff counts by is missing.",
    "register_unknown": "The tariff has no such register.",
    "registers": "The registers do not fit the tariff.",
    "sold_in_units": "The point was sold units, not charged money.",
    "tariff_changed": "What was rated by another tariff, or its terms, cannot change.",
    "too_far_back": "So far back nothing is rated again.",
}
"""Why something cannot be rated, or not again."""
OF_READINGS: Final[Mapping[str, str]] = {
    "final_reading": "A meter's final reading can be corrected, not cancelled.",
    "initial_reading": "The meter began to count with this reading.",
    "meter_not_installed": "The meter is installed nowhere.",
    "not_a_charge": "At this position is no charge.",
    "not_explained": "The charge does not follow from the log.",
    "quarantine_settled": "The reading was settled before.",
    "quarantine_unknown": "No reading waits there, or none in reach.",
    "reading_unknown": "There is no such reading that counts, or none in reach.",
}
OF_CONTROL: Final[Mapping[str, str]] = {
    "batch_not_waiting": "The batch runs, has ended, or waited too long.",
    "batch_too_large": "A batch has at most 5,000 accounts.",
    "batch_unknown": "There is no such batch, or none in reach.",
    "command_ended": "The command has ended.",
    "command_not_retryable": "The command is under way, or was obeyed.",
    "command_not_supported": "The meter's model cannot do this.",
    "command_sent": "The meter may have heard of the command already.",
    "command_superseded": "A newer order of this point counts.",
    "command_unknown": "There is no such command, or none in reach.",
    "disputed": "What is owed is in dispute.",
    "expires_in_the_past": "The command would have expired already.",
    "guarantee_in_the_past": "The guarantee would have ended already.",
    "guaranteed": "The supply is guaranteed.",
    "id_unknown": "It is no id of this ledger.",
    "no_cut_window": "Nobody is cut by the policy of the point now.",
    "protected": "The customer is protected from being cut.",
    "service_point_gone": "The service point was removed.",
    "supply_cut_for_debt": "The money does not suffice for the supply.",
    "work_order_unknown": "There is no such work order, or none in reach.",
}
OF_CATALOGUE: Final[Mapping[str, str]] = {
    "draft_unknown": "No such draft waits.",
    "gateway_unknown": "There is no such gateway.",
    "policy_invalid": "The document has mistakes; `problems` names each with its fix.",
    "same_person": "Whoever wrote a draft, or asked for a batch, cannot approve it.",
    "tariff_invalid": "The document has mistakes; `problems` names each with its fix.",
    "tariff_version_changed": "A version that is in force cannot change.",
    "tariff_version_ended_in_the_past": "A version cannot end in the past.",
    "tariff_version_late": "A version cannot begin in the past.",
}
PROBLEM_TYPES: Final[Mapping[str, str]] = {
    **GENERAL,
    **OF_ACCOUNTS,
    **OF_MONEY,
    **OF_RATING,
    **OF_READINGS,
    **OF_CONTROL,
    **OF_CATALOGUE,
}


def require_known(codes: Iterable[str]) -> None:
    """Refuse a code that the list does not tell."""
    if strange := sorted({*codes} - PROBLEM_TYPES.keys()):
        raise ValueError(f"{strange[0]} is no type of problem in api.problem_types")
