"""What keeps a point from being cut: a guarantee, a dispute, a protected customer."""

from ledger.commands import change_attributes, dispute, guarantee
from tests.harness.desk import ACTOR, Desk


def guaranteed(desk: Desk, account_no: str) -> None:
    guarantee.start(
        guarantee.StartGuarantee(account_no=account_no, reason="ill"), desk.ledger, ACTOR
    )


def no_longer_guaranteed(desk: Desk, account_no: str) -> None:
    guarantee.end(guarantee.EndGuarantee(account_no=account_no, reason="well"), desk.ledger, ACTOR)


def disputed(desk: Desk, account_no: str) -> None:
    dispute.hold(dispute.Dispute(account_no=account_no, reason="a leak"), desk.ledger, ACTOR)


def no_longer_disputed(desk: Desk, account_no: str) -> None:
    dispute.release(dispute.Dispute(account_no=account_no, reason="mended"), desk.ledger, ACTOR)


def protect(desk: Desk, account_no: str, *, is_protected: bool) -> None:
    change = change_attributes.ChangeAttributes(
        account_no=account_no, attributes={"protected": is_protected}, reason="a doctor's word"
    )
    change_attributes.handle(change, desk.ledger, ACTOR)
