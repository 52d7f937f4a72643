"""A link that lets somebody else pay an order by card (PAY-8), and shows them no more than that needs.

Whoever has the link may pay and nothing else: it opens neither the order nor anything of the shopper. What they pay
is an attempt like the shopper's own (models/payment.py): the order is paid once, and what was paid twice goes back.
"""

import hashlib
import secrets
from functools import lru_cache

from itsdangerous import BadData, URLSafeSerializer
from peewee import CharField, ForeignKeyField

import config
from models.base import BaseModel, MomentField, db
from models.order import NotAllowed, Order, OrderLine
from models.outbox import Mail
from models.profile import plain_email


class LinkOver(Exception):
    """The link was not signed by this shop, or the shopper has taken it back."""


class TooMany(Exception):
    """So many links of one order, or tries to pay by one link, are not an honest wish any more."""


class PayLink(BaseModel):
    """One link of an order; of an order one at a time is good, as long as the order may be paid."""

    order = ForeignKeyField(Order, backref="pay_links", on_delete="CASCADE")
    # The address is signed when it is shown: the table alone opens nothing.
    nonce = CharField(unique=True, max_length=32)
    made_at = MomentField()
    revoked_at = MomentField(null=True)

    @classmethod
    def of(cls, order: Order) -> "PayLink | None":
        """The link of `order` that is good, if one was made."""
        return cls.select().where(cls.order == order, cls.revoked_at.is_null()).first()

    @classmethod
    def make(cls, order: Order, now) -> "PayLink":
        """The link of `order`; asked for twice it is the same. The shopper gets a new one by mail too.

        Raises NotAllowed, TooMany.
        """
        with db.atomic():
            order = order.relock()
            if not order.is_payable(now):
                raise NotAllowed(f"{order.number} cannot be paid any more")
            if (found := cls.of(order)) is not None:
                return found
            if cls.select().where(cls.order == order).count() >= config.PAY_LINKS_PER_ORDER:
                raise TooMany
            link = cls.create(order=order, nonce=secrets.token_hex(16), made_at=now)
            told = {"language": order.language, "order": order, "data": {"link": link.id}}
            Mail.write_to(order.email, "pay_link", now, key=f"pay_link:{link.id}", **told)
            return link

    @classmethod
    def revoke(cls, order: Order, now) -> bool:
        """Whoever has the link can do nothing with it any more; false when there is none.

        Who is at the bank's page already may still pay there: what comes of it is the order's, as ever.
        """
        with db.atomic():
            order.relock()
            return bool(cls.update(revoked_at=now).where(cls.order == order, cls.revoked_at.is_null()).execute())

    def is_good(self, now) -> bool:
        """Whether somebody may begin to pay by it."""
        return self.revoked_at is None and self.order.is_payable(now)

    def token(self) -> str:
        return _serializer("pay-link").dumps(self.nonce)

    @classmethod
    def of_token(cls, token: str) -> "PayLink":
        """The link with its order; raises LinkOver."""
        try:
            nonce = _serializer("pay-link").loads(token)
        except (BadData, ValueError, TypeError) as error:
            raise LinkOver from error
        if not isinstance(nonce, str):
            raise LinkOver
        found = cls.select(cls, Order).join(Order).where(cls.nonce == nonce).first()
        if found is None or found.revoked_at is not None:
            raise LinkOver
        return found

    def pay(self, now):
        """An attempt to pay by this link: the one that was begun and has no answer yet, or a new one.

        Raises NotAllowed where the order can be paid no more, LinkOver, TooMany.
        """
        from models.payment import Payment

        with db.atomic():
            order = self.order.relock()
            if PayLink.get_by_id(self.id).revoked_at is not None:
                raise LinkOver
            if not order.is_payable(now):
                raise NotAllowed(f"{order.number} cannot be paid any more")
            tries = list(Payment.select().where(Payment.link == self).order_by(Payment.id))
            if tries and tries[-1].state == "started":
                return tries[-1]
            if len(tries) >= config.PAY_LINK_TRIES:
                raise TooMany
            return Payment.begin(order, now, link=self)

    def begun(self):
        """The attempt that waits for its card, or None."""
        from models.payment import Payment

        last = Payment.select().where(Payment.link == self).order_by(Payment.id.desc()).first()
        return last if last is not None and last.state == "started" else None


def paid_lines(order: Order) -> list[OrderLine]:
    """The lines that the card pays for: what the payer is told of (what comes with the bill is the shopper's)."""
    return [line for line in order.lines() if line.quote.today]


def outcome_token(payment) -> str:
    """What the page carries that tells the payer what became of `payment`: no more than that one attempt."""
    return _serializer("pay-link-outcome").dumps(payment.id)


def of_outcome_token(token: str):
    """The payer's attempt; raises LinkOver."""
    from models.payment import Payment

    try:
        number = int(_serializer("pay-link-outcome").loads(token))
    except (BadData, ValueError, TypeError) as error:
        raise LinkOver from error
    found = Payment._with_purpose().where(Payment.id == number, Payment.link.is_null(False)).first()
    if found is None:
        raise LinkOver
    return found


def send_receipt(payment, email: str, language: str, now) -> None:
    """The payer's own receipt, of the amount alone, to the e-mail they typed: once for a payment, and only when paid.

    The address stands in the mail's row and nowhere else: neither with the order nor with its shopper.
    """
    if payment.state != "paid":
        raise NotAllowed("nothing was paid")
    with db.atomic():
        Mail.write_to(
            plain_email(email),
            "payer_receipt",
            now,
            key=f"payer_receipt:{payment.id}",
            language=language,
            data={"payment": payment.id},
        )


def has_receipt(payment) -> bool:
    return Mail.select().where(Mail.key == f"payer_receipt:{payment.id}").exists()


@lru_cache(maxsize=2)
def _serializer(salt: str) -> URLSafeSerializer:
    return URLSafeSerializer(config.secret_key(), salt=salt, signer_kwargs={"digest_method": hashlib.sha256})


PayLink.add_index(PayLink.index(PayLink.order, unique=True, where=PayLink.revoked_at.is_null(), name="pay_link_once"))
