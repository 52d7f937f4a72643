"""The outbox: a mail is written in the transaction of what it reports, and sent by the worker (MSG-1)."""

import secrets
from datetime import date

from peewee import CharField, Check, ForeignKeyField, IntegerField, JSONField

import config
from gateways.mail import MailServer
from models.base import MomentField
from models.calendar import local_day
from models.consent import MARKETING, Consent, NoConsent, is_consented, proof
from models.order import Order
from models.outgoing import Outgoing
from models.profile import Profile

# About an order.
KINDS = ("order_confirmed", "payment_failed", "order_lapsed", "payment_returned")
# On an order's way to the door (DLV-5); `data` says which attempt, and which time.
DELIVERY_KINDS = ("on_its_way", "attempt_failed", "time_arranged", "delivered", "returned")
# About what was done with an order afterwards; `data` says which change, and which claim (AFT-1…4).
AFTER_KINDS = ("order_changed", "order_cancelled", "claim_received", "claim_answered", "money_back")
# About a profile, or an e-mail that may become one's.
PROFILE_KINDS = (
    "confirm_registration",
    "already_registered",
    "password_reset",
    "password_changed",
    "confirm_email",
    "email_changed",
    # Of its erasure (PRV-4): the link, from when it counts, and that it is done.
    "erase_profile",
    "erasure_confirmed",
    "profile_erased",
)
# Written where a known e-mail would get a mail, and never sent: time does not tell then which e-mails are known.
WITHHELD_KINDS = ("unknown_email",)
# About a card payment of invoices; `data` holds its number.
BILL_KINDS = ("bills_paid", "bills_failed", "bills_returned")
# About the points club, to the profile that joined; `data` says what of.
CLUB_KINDS = ("voucher", "points_lapse", "club_joined", "club_news")
# What somebody asked to be told of a device; `data` says which watch.
WATCH_KINDS = ("watch_confirm", "watch_back", "watch_price")
# Of a cart that was left, to who agreed to it; `data` says which reminder (models/cart_reminder.py).
CART_KINDS = ("cart_reminder",)
# To who ordered, of the link by which somebody else pays; `data` says which link (models/pay_link.py).
LINK_KINDS = ("pay_link",)
# To who paid an order for somebody else, and asked for it; `data` says which payment (models/pay_link.py).
PAYER_KINDS = ("payer_receipt",)

# All that are ever sent.
SENT_KINDS = KINDS + AFTER_KINDS + DELIVERY_KINDS + PROFILE_KINDS + BILL_KINDS + CLUB_KINDS + CART_KINDS + PAYER_KINDS
SENT_KINDS += WATCH_KINDS + LINK_KINDS


def mail_server() -> MailServer:
    return MailServer(
        host=config.SMTP_HOST,
        port=config.SMTP_PORT,
        user=config.SMTP_USER,
        password=config.SMTP_PASSWORD,
        tls=config.SMTP_TLS,
        sender=config.MAIL_FROM,
        timeout=config.SMTP_TIMEOUT,
    )


class Mail(Outgoing):
    """One mail to one person; see Outgoing for the way of a row."""

    what = "mail"

    # Not a CHECK: SQLite would have to build the table anew for each new kind. `write` refuses an unknown one.
    kind = CharField(max_length=30)
    # One mail per key, however often its reason is reported.
    key = CharField(unique=True, max_length=80)
    recipient = CharField(max_length=254)
    language = CharField(max_length=2)
    order = ForeignKeyField(Order, null=True, backref="mails", on_delete="CASCADE")
    profile = ForeignKeyField(Profile, null=True, backref="mails", on_delete="CASCADE")
    # What the mail tells beside its order or profile, such as the id of the link it carries; never a secret.
    data = JSONField(null=True)
    state = CharField(max_length=8, constraints=[Check("state IN ('due', 'handed', 'sent', 'failed')")])
    message_id = CharField(max_length=120)
    tries = IntegerField(default=0)
    written_at = MomentField()
    due_at = MomentField(null=True, index=True)
    sent_at = MomentField(null=True)
    trouble = CharField(max_length=255, default="")

    @classmethod
    def write(cls, kind: str, order: Order, now, *, key: str) -> None:
        """Put a mail to the order's contact into the outbox; call it in the transaction of what it reports."""
        cls.write_to(order.email, kind, now, key=key, language=order.language, order=order)

    @classmethod
    def write_to(
        cls,
        recipient: str,
        kind: str,
        now,
        *,
        key: str,
        language: str,
        order: Order | None = None,
        profile: Profile | None = None,
        data: dict | None = None,
        consent: Consent | None = None,
    ) -> None:
        """Put a mail into the outbox, in the transaction of what it reports; nothing when `key` is there already.

        It goes when its order or profile goes. One of WITHHELD_KINDS is over once it is written: nothing takes it up.
        Direct marketing needs the `consent` that it goes out by (PRV-2). Raises ValueError for a kind that there is
        not, NoConsent.
        """
        withheld = kind in WITHHELD_KINDS
        if not withheld and kind not in SENT_KINDS:
            raise ValueError(f"There is no mail {kind!r}.")
        if proven := proof(cls.what, kind, consent, profile, recipient):
            data = {**(data or {}), **proven}
        domain = config.CONTACT_EMAIL.rpartition("@")[2] or "localhost"
        (
            cls.insert(
                kind=kind,
                key=key,
                recipient=recipient,
                language=language,
                order=order,
                profile=profile,
                data=data,
                state="sent" if withheld else "due",
                message_id=f"<{secrets.token_hex(12)}@{domain}>",
                written_at=now,
                due_at=None if withheld else now,
            )
            # SQLite's OR IGNORE would also swallow a row that a CHECK refuses.
            .on_conflict(conflict_target=[cls.key], update={cls.key: cls.key})
            .execute()
        )

    def is_too_late(self, now) -> bool:
        from models.cart_reminder import CartReminder
        from models.club_news import is_wanted

        if not is_consented(self.what, self.kind, self.data):
            return True
        if self.kind in WATCH_KINDS:
            from models.watch import Watch

            watch = Watch.get_or_none(Watch.id == self.data["watch"])
            return watch is None or not watch.is_wanted(self)
        if self.kind in LINK_KINDS:
            from models.pay_link import PayLink

            return not PayLink.get_by_id(self.data["link"]).is_good(now)
        if self.kind == "points_lapse":
            return date.fromisoformat(self.data["until"]) < local_day(now)
        if self.kind == "cart_reminder":
            return not CartReminder.is_wanted(self, now)
        return self.kind == "club_news" and not is_wanted(self)

    @classmethod
    def write_all(cls, kind: str, mails: list[dict], now) -> None:
        """As `write_to`, for some hundred: each has `recipient`, `language`, `key`, `profile` and `data`; no key is
        there yet."""
        if kind not in CLUB_KINDS:
            raise ValueError(f"There is no mail {kind!r} of the club.")
        if (cls.what, kind) in MARKETING:
            raise NoConsent(f"{cls.what} {kind}: each with its own consent, by write_to")
        domain = config.CONTACT_EMAIL.rpartition("@")[2] or "localhost"
        common = {"kind": kind, "state": "due", "written_at": now, "due_at": now}
        if mails:
            rows = [{**common, "message_id": f"<{secrets.token_hex(12)}@{domain}>", **mail} for mail in mails]
            cls.insert_many(rows).execute()

    def deliver(self, before) -> None:
        from mails import compose

        mail_server().deliver(compose(self), before_data=before)


Mail.index_due()
