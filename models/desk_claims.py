"""The desk's list of claims, and their answers where nothing that matters changed meanwhile (AFT-3, AFT-4)."""

from models.actor import Actor
from models.base import db
from models.claim import Claim
from models.order import Order
from models.trail import refuse_changed

PER_PAGE = 25


class Board:
    """All that waits, the first to run out first, page by page; on the first page also what was answered last."""

    def __init__(self, page: int = 1):
        self.total = Claim.select().where(Claim.state == "open").count()
        self.pages = max(1, -(-self.total // PER_PAGE))
        self.page = min(max(1, page), self.pages)
        self.waiting = list(Claim.waiting().paginate(self.page, PER_PAGE))
        answered = (
            Claim.select(Claim, Order)
            .join(Order)
            .where(Claim.state != "open")
            .order_by(Claim.answered_at.desc(), Claim.id.desc())
        )
        self.answered = list(answered.limit(10)) if self.page == 1 else []


def answer(claim: Claim, text: str, *, by: Actor, now, mark: str) -> Claim:
    """As `Claim.answer`; a note or a call since the page was shown keeps nobody from answering."""
    with db.atomic():
        order = claim.order.relock()
        _refuse(claim, order, mark)
        return claim.answer(text, by=by, now=now)


def decide(claim: Claim, accept: bool, *, why: str, by: Actor, now, mark: str) -> Claim:
    """As `Claim.decide`; see `answer`."""
    with db.atomic():
        order = claim.order.relock()
        _refuse(claim, order, mark)
        return claim.decide(accept, by=by, now=now, why=why)


def _refuse(claim: Claim, order: Order, mark: str) -> None:
    # Once it is answered, the answer is what to be told of.
    if Claim.get_by_id(claim.id).is_open:
        refuse_changed(order, mark)
