"""One mail about a cart that was left, to who agreed to it (PRV-2), and the link in it that brings the cart back.

A profile agrees once for all its carts; a guest for the cart of this checkout, with the e-mail that stands in it. The
link gives the lines and nothing else: mails are forwarded.
"""

import hashlib
import secrets
import time
from datetime import timedelta
from functools import lru_cache

from itsdangerous import BadData, URLSafeSerializer
from peewee import JOIN, CharField, Check, ForeignKeyField, IntegerField, fn

import config
import crash
from models.base import BaseModel, MomentField, Unfinished, db, locked
from models.calendar import is_daytime
from models.cart import TOUCHED_EVERY, Cart, CartLine, Chosen, NotForSale
from models.checkout import Checkout
from models.consent import Consent
from models.number import Number
from models.order import Order
from models.outbox import Mail
from models.profile import Profile, plain_email

# The consent that it needs.
KIND = "cart_email"
# What was written and could not be sent for so long says nothing true any more.
SENT_WITHIN = timedelta(hours=12)


class LinkOver(Exception):
    """The link was not signed by this shop, its time is over, or its cart is gone."""


class CartReminder(BaseModel):
    """A mail about one cart as it was left: with the newest of its lines, once."""

    cart = ForeignKeyField(Cart, backref="reminders", on_delete="CASCADE")
    # The id of the newest line then: what was put in later is another left cart, and not in the link.
    last_line = IntegerField(constraints=[Check("last_line > 0")])
    consent = ForeignKeyField(Consent, on_delete="CASCADE")
    # Of the link in the mail; the address itself is signed when the mail is composed.
    nonce = CharField(unique=True, max_length=32)
    written_at = MomentField(index=True)

    class Meta:
        indexes = ((("cart", "last_line"), True),)

    @classmethod
    def write_all_due(cls, now, within: float = 10) -> int:
        """Remind of each cart that was left CART_REMINDER_HOURS ago, in the daytime; returns how many mails.

        What was killed in the middle is begun again, and each cart is a transaction of its own: the mail is written
        with the row that lets it be written once.
        """
        if not config.CART_REMINDER_HOURS or not is_daytime(now):
            return 0
        written, began = 0, time.monotonic()
        for number in [number for (number,) in _left(now).select(Cart.id).order_by(Cart.id).tuples()]:
            if time.monotonic() - began >= within:
                return Unfinished(written)
            written += cls._write(number, now)
        return written

    @classmethod
    def _write(cls, cart_id: int, now) -> bool:
        cart = _with_whose().where(Cart.id == cart_id).first()
        consent = cart and _consent_of(cart)
        if consent is None:
            return False
        with db.atomic():
            # The consent first: two carts of one mailbox take turns. Then the cart, as placing an order takes it.
            locked(Consent.select().where(Consent.id == consent.id)).first()
            locked(Cart.select().where(Cart.id == cart_id)).first()
            cart = _left(now).where(Cart.id == cart_id).first()
            consent = cart and _consent_of(cart)
            if consent is None:
                return False
            newest = CartLine.select(fn.MAX(CartLine.id)).where(CartLine.cart == cart).scalar()
            reminder = cls.create(
                cart=cart, last_line=newest, consent=consent, nonce=secrets.token_hex(16), written_at=now
            )
            profile = cart.profile
            Mail.write_to(
                _mailbox(cart),
                "cart_reminder",
                now,
                key=f"cart_reminder:{reminder.id}",
                language=profile.language if profile is not None else cart.checkout.remind_in,
                profile=profile,
                data={"reminder": reminder.id},
                consent=consent,
            )
            crash.at("cart reminder: written")
        return True

    @classmethod
    def is_wanted(cls, mail: Mail, now) -> bool:
        """Whether the mail still says what is true: nobody came back, ordered, or moved (asked when it is sent)."""
        reminder = cls.get_or_none(cls.id == (mail.data or {}).get("reminder"))
        if reminder is None or now - reminder.written_at > SENT_WITHIN:
            return False
        cart = _with_whose().where(Cart.id == reminder.cart_id, ~_ordered()).first()
        if cart is None or cart.seen_at > reminder.written_at or not reminder.lines(now):
            return False
        # The profile's address may be another by now, and the guest may have typed another.
        return plain_email(mail.recipient) == _mailbox(cart)

    def lines(self, now, segment=None) -> list[Chosen]:
        """The lines that were in the cart then and are still, as they stand at `now` (CAT-5).

        `segment` is asked for whose promotions apply: those of whose cart it is, unless somebody else looks.
        """
        return [chosen for chosen in self.cart.lines(now, segment or self.segment) if chosen.id <= self.last_line]

    def segment(self) -> str | None:
        """Which promotions apply to whose cart it is, as for who is logged in (ELG-6)."""
        numbers = Number.of_profile(self.cart.profile) if self.cart.profile_id else []
        if not numbers:
            return None
        return "private" if any(number.holder.is_private for number in numbers) else "business"

    def token(self) -> str:
        """What the link in the mail carries."""
        return _serializer().dumps(self.nonce)

    @property
    def until(self):
        """When the link ends."""
        return self.written_at + timedelta(days=config.CART_LINK_DAYS)

    @classmethod
    def of_token(cls, token: str, now) -> "CartReminder":
        """The reminder whose link was opened; raises LinkOver."""
        try:
            nonce = _serializer().loads(token)
        except (BadData, ValueError, TypeError) as error:
            raise LinkOver from error
        found = cls.get_or_none(cls.nonce == nonce) if isinstance(nonce, str) else None
        if found is None or now >= found.until:
            raise LinkOver
        return found

    def copy_into(self, cart: Cart, now, segment=None) -> None:
        """Put the lines that can still be had into `cart`, another browser's.

        Numbers do not come along: which number a contract is for is picked anew, by who may. What `cart` holds
        already stays as it is.
        """
        with db.atomic():
            locked(Cart.select().where(Cart.id == cart.id)).first()
            held = {(line.variant_id, line.choice) for line in CartLine.select().where(CartLine.cart == cart)}
            for chosen in self.lines(now, lambda: segment):
                line = chosen.line
                try:
                    added = cart.add(
                        chosen.variant,
                        now,
                        segment,
                        contract_type=line.contract_type,
                        tariff=line.tariff,
                        payment=line.payment,
                        parts=line.parts,
                    )
                except NotForSale:
                    continue
                if not line.is_contract and (added.variant_id, added.choice) not in held:
                    cart.set_quantity(added.id, min(line.quantity, config.LINE_QUANTITY_MAX))


def remember_wish(checkout: Checkout, wants: bool, language: str, wording: str, now, before: str = "") -> None:
    """What a guest ticked beside the e-mail of this checkout: a reminder of this cart, or none (PRV-2).

    Taking the tick away takes back what was said here; a box that was never ticked here says nothing. So does another
    e-mail in the place of `before`: what was said for that one is not said for the next.
    """
    had = checkout.remind_in
    with db.atomic():
        if had and before and plain_email(before) != plain_email(checkout.email):
            Consent.say_as_guest(before, KIND, False, now, wording=wording, channel="checkout")
            had = ""
        if wants:
            Consent.say_as_guest(checkout.email, KIND, True, now, wording=wording, channel="checkout")
        elif had:
            Consent.say_as_guest(checkout.email, KIND, False, now, wording=wording, channel="checkout")
        checkout.remind_in = language if wants else ""
        Checkout.update(remind_in=checkout.remind_in).where(Checkout.id == checkout.id).execute()


def _with_whose():
    return (
        Cart.select(Cart, Profile, Checkout)
        .join(Profile, JOIN.LEFT_OUTER)
        .switch(Cart)
        .join(Checkout, JOIN.LEFT_OUTER, on=(Checkout.cart == Cart.id), attr="checkout")
    )


def _mailbox(cart: Cart) -> str:
    return plain_email(cart.profile.email if cart.profile is not None else cart.checkout.email)


def _consent_of(cart: Cart) -> Consent | None:
    """The yes by which the cart's owner may be reminded now; None without one."""
    if cart.profile is not None:
        # An e-mail that nobody confirmed may be anybody's.
        return Consent.live(KIND, profile=cart.profile) if cart.profile.is_verified else None
    checkout = getattr(cart, "checkout", None)
    if checkout is None or not checkout.id or not checkout.remind_in:
        return None
    return Consent.live(KIND, email=checkout.email)


def _address():
    return fn.COALESCE(Profile.email, fn.LOWER(Checkout.email))


def _ordered():
    """An order by the same cart, profile or e-mail that waits for its payment, or came after the newest line."""
    added = CartLine.select(fn.MAX(CartLine.added_at)).where(CartLine.cart == Cart.id)
    whose = (Order.cart == Cart.id) | (Order.profile == Cart.profile) | (Order.email == _address())
    return fn.EXISTS(
        Order.select(Order.id).where(whose, (Order.state == "awaiting_payment") | (Order.placed_at >= added))
    )


def _left(now):
    """The carts to remind of at `now`, with whose they are; the consent is looked at for each."""
    newest = CartLine.select(fn.MAX(CartLine.id)).where(CartLine.cart == Cart.id)
    # A visit is written down once in TOUCHED_EVERY: so much later the hours have passed for sure.
    left = now - timedelta(hours=config.CART_REMINDER_HOURS) - TOUCHED_EVERY
    reminded = CartReminder.select(CartReminder.id).where(
        CartReminder.cart == Cart.id, CartReminder.last_line == newest
    )
    lately = (
        CartReminder.select(CartReminder.id)
        .join(Consent)
        .where(
            CartReminder.written_at > now - timedelta(days=config.CART_REMINDER_PAUSE_DAYS),
            (Consent.profile == Cart.profile) | (Consent.email == _address()),
        )
    )
    agreed = Consent.select(Consent.id).where(Consent.profile == Cart.profile, Consent.kind == KIND, Consent.given)
    wants = (Checkout.remind_in != "") & Cart.profile.is_null() | fn.EXISTS(agreed)
    return _with_whose().where(
        Cart.seen_at <= left,
        # Who left it long ago has forgotten it for good reasons.
        Cart.seen_at > left - timedelta(days=config.CART_REMINDER_DAYS),
        wants,
        fn.EXISTS(CartLine.select(CartLine.id).where(CartLine.cart == Cart.id)),
        ~fn.EXISTS(reminded),
        ~fn.EXISTS(lately),
        ~_ordered(),
    )


@lru_cache(maxsize=1)
def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(
        config.secret_key(), salt="cart-reminder", signer_kwargs={"digest_method": hashlib.sha256}
    )
