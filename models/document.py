"""Papers of an order: what was issued when, kept as it was said, so that a reprint is the same (DLV-4).

A row holds the words and figures of one issue, not its bytes: drawn again they are the same bytes, a paper of 20 KB
is drawn in a tenth of a second, and 200.000 orders would keep 15 GB of them. When the order changes before dispatch
(AFT-1), another issue is made beside the old one, which stays as it was.
"""

import hashlib
import json
from dataclasses import dataclass

import structlog
from peewee import CharField, Check, ForeignKeyField, IntegerField, JSONField

from models.base import BaseModel, MomentField, db
from models.order import Order

log = structlog.get_logger()

KINDS = ("confirmation", "contract", "receipt", "refund")
# How the sheets are drawn; a later layout gets the next number, and papers of this one are drawn as they were.
LAYOUT = 1
# In these the order's papers may still be issued anew: nobody has signed anything (AFT-1).
CHANGEABLE = frozenset({"confirmed", "packed"})
# From here on the order's papers exist.
CONFIRMED = frozenset({"confirmed", "packed", "with_courier", "delivered", "delivery_failed", "returned"})


@dataclass(frozen=True)
class Wanted:
    """One paper of an order: `about` is the position of a contract's line, or the id of a refund, else 0."""

    kind: str
    about: int = 0


class Document(BaseModel):
    """One issue of one paper. Triggers refuse every change but noting the digest of its bytes, once."""

    order = ForeignKeyField(Order, backref="documents", on_delete="RESTRICT")
    kind = CharField(max_length=12, constraints=[Check(f"kind IN {KINDS!r}")])
    about = IntegerField(default=0)
    # Counted from 1 for each paper.
    issue = IntegerField(constraints=[Check("issue > 0")])
    issued_at = MomentField()
    language = CharField(max_length=2)
    layout = IntegerField(default=LAYOUT)
    # All that stands on it: words, figures and the order of the blocks (documents/content.py).
    content = JSONField()
    # A digest of what it was made from: the same facts make no other issue.
    made_of = CharField(max_length=64)
    # Of the bytes, noted when they were first drawn.
    sha256 = CharField(max_length=64, default="")

    class Meta:
        indexes = ((("order", "kind", "about", "issue"), True),)

    # Issuing

    @classmethod
    def issue_of(cls, order: Order, wanted: Wanted, now) -> "Document":
        """The paper as the order is now: the latest issue, or another one where what it was made from changed.

        Call it with the order's row held. Raises LookupError for a line or refund that the order has not.
        """
        from documents.content import compose

        facts = _facts(order, wanted)
        made_of = _digest(facts)
        latest = cls.latest(order, wanted)
        if latest is not None and (latest.made_of == made_of or order.state not in CHANGEABLE):
            return latest
        issue = latest.issue + 1 if latest else 1
        return cls.create(
            order=order,
            kind=wanted.kind,
            about=wanted.about,
            issue=issue,
            issued_at=now,
            language=order.language,
            content=compose(wanted.kind, facts, issue, now),
            made_of=made_of,
        )

    @classmethod
    def issue_all(cls, order: Order, now) -> "list[Document]":
        """What the order's state calls for, in the transaction that brought it there or changed the order: the
        confirmation of a confirmed one, contracts and receipt form from packing on; a changed order's papers anew."""
        if order.state == "confirmed" and not cls._has_papers(order):
            return [cls.issue_of(order, Wanted("confirmation"), now)]
        if order.state not in CHANGEABLE:
            return []
        return [cls.issue_of(order, wanted, now) for wanted in papers(order)]

    @classmethod
    def _has_papers(cls, order: Order) -> bool:
        return cls.select().where(cls.order == order, cls.kind == "receipt").exists()

    @classmethod
    def find(cls, order: Order, wanted: Wanted, now, issue: int | None = None) -> "Document":
        """The paper's latest issue, or the one numbered `issue`; issued now where it should be there and is not.

        Raises LookupError for a paper that the order does not have.
        """
        if issue is not None:
            found = cls.get_or_none(*cls._same(order, wanted), cls.issue == issue)
            if found is None:
                raise LookupError(f"{order.number} has no {wanted.kind} {issue}")
            return found
        if (latest := cls._standing(order, wanted)) is not None:
            return latest
        with db.atomic():
            order = order.relock()
            if wanted not in due(order):
                raise LookupError(f"{order.number} has no {wanted.kind}")
            return cls.issue_of(order, wanted, now)

    @classmethod
    def for_parcel(cls, order: Order, now) -> "list[Document]":
        """What goes into the order's parcel, as it is now; empty where there is nothing to be sent."""
        standing = [cls._standing(order, wanted) for wanted in packing_papers(order)]
        if all(standing):
            return standing
        with db.atomic():
            order = order.relock()
            return [cls.issue_of(order, wanted, now) for wanted in packing_papers(order)]

    @classmethod
    def _standing(cls, order: Order, wanted: Wanted) -> "Document | None":
        """The latest issue, where nothing has to be issued anew: most readers hold no row."""
        latest = cls.latest(order, wanted)
        if latest is None or order.state not in CHANGEABLE or latest.made_of == _digest(_facts(order, wanted)):
            return latest
        return None

    @classmethod
    def latest(cls, order: Order, wanted: Wanted) -> "Document | None":
        return cls.select().where(*cls._same(order, wanted)).order_by(cls.issue.desc()).first()

    @classmethod
    def _same(cls, order: Order, wanted: Wanted):
        return cls.order == order, cls.kind == wanted.kind, cls.about == wanted.about

    @classmethod
    def of(cls, order: Order) -> "list[Document]":
        """All issues of the order's papers, each paper's latest first; one query, without what stands on them."""
        fields = [field for field in cls._meta.sorted_fields if field.name != "content"]
        return list(cls.select(*fields).where(cls.order == order).order_by(cls.kind, cls.about, cls.issue.desc()))

    # Drawing

    def draw(self) -> bytes:
        """The PDF; the same bytes each time. Not inside of a transaction: it takes a tenth of a second."""
        from documents.sheet import draw

        data = draw([self.content], self.issued_at)
        digest = hashlib.sha256(data).hexdigest()
        if not self.sha256:
            cls = type(self)
            cls.update(sha256=digest).where(cls.id == self.id, cls.sha256 == "").execute()
            self.sha256 = digest
        elif self.sha256 != digest:
            # Another release of a library may draw the same words with other bytes.
            log.warning("document.drawn_differently", document=self.id, was=self.sha256, now=digest)
        return data


def papers(order: Order, lines=None) -> list[Wanted]:
    """The papers of an order that came to be: confirmation, receipt form, a contract for each line that has one.

    `lines`: the order's, where they are known already.
    """
    lines = order.lines() if lines is None else lines
    contracts = [Wanted("contract", line.position + 1) for line in lines if line.is_contract]
    return [Wanted("confirmation"), *contracts, Wanted("receipt")]


def packing_papers(order: Order) -> list[Wanted]:
    """What goes into the parcel: contracts and receipt form; nothing of an order that never came to be."""
    return [paper for paper in papers(order) if paper.kind != "confirmation"] if order.state in CONFIRMED else []


def due(order: Order, lines=None, refunds=None) -> list[Wanted]:
    """The papers that there should be: those of a confirmed order, and the notes of money that went back (PAY-9).

    `lines` and `refunds`: the order's, the oldest first, where they are known already.
    """
    from models.payment import Payment, Refund

    if order.state in CONFIRMED:
        found = papers(order, lines)
    elif order.state == "cancelled" and order.was("confirmed"):
        found = [Wanted("confirmation")]
    else:
        found = []
    if refunds is None:
        refunds = (
            Refund.select(Refund.id, Refund.state).join(Payment).where(Payment.order == order).order_by(Refund.id)
        )
    return found + [Wanted("refund", refund.id) for refund in refunds if refund.state == "done"]


def draw_together(documents: list, now) -> bytes:
    """One PDF of several papers, each with its `content`, for printing at once; each begins on a page of its own."""
    from documents.sheet import draw

    return draw([document.content for document in documents], now)


def _digest(facts: dict) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _facts(order: Order, wanted: Wanted) -> dict:
    from documents.content import facts_of_contract, facts_of_order, facts_of_refund
    from models.payment import Payment, Refund

    if wanted.kind == "contract":
        for line in order.lines():
            if line.position + 1 == wanted.about and line.is_contract:
                return facts_of_contract(order, line)
        raise LookupError(f"{order.number} has no contract {wanted.about}")
    if wanted.kind == "refund":
        refund = (
            Refund.select(Refund, Payment)
            .join(Payment)
            .where(Refund.id == wanted.about, Payment.order == order, Refund.state == "done")
            .first()
        )
        if refund is None:
            raise LookupError(f"{order.number} has no refund {wanted.about}")
        return facts_of_refund(order, refund)
    return facts_of_order(order)
