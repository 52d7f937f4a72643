"""The outbox: a mail is written in the transaction of what it reports, and sent by the worker (MSG-1)."""

import secrets
import time
from datetime import timedelta

import structlog
from peewee import CharField, Check, ForeignKeyField, IntegerField, JSONField

import config
import crash
from gateways import GatewayError
from gateways.mail import MailServer
from models.base import BaseModel, MomentField, db, unclaimed
from models.order import Order
from models.profile import Profile

log = structlog.get_logger()

# About an order.
KINDS = ("order_confirmed", "payment_failed", "order_lapsed", "payment_returned")
# About a profile, or an e-mail that may become one's.
PROFILE_KINDS = (
    "confirm_registration",
    "already_registered",
    "password_reset",
    "password_changed",
    "confirm_email",
    "email_changed",
)
# About a card payment of invoices; `data` holds its number.
BILL_KINDS = ("bills_paid", "bills_failed", "bills_returned")
# Seconds before each next try: soon at first, then patient for about two days.
BACK_OFF = (5, 15, 60, 300, 900, 3600, 3600 * 3, 3600 * 6, 3600 * 12, 3600 * 24)


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


class Mail(BaseModel):
    """One mail to one person.

    due → handed (just before the server gets its text) → sent. A worker that dies before `handed` leaves a due row
    that another takes up; one that dies after it leaves a `handed` row, which is never sent again by itself: no
    mail goes out twice.
    """

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
    ) -> None:
        """Put a mail into the outbox, in the transaction of what it reports; nothing when `key` is there already.

        It goes when its order or profile goes. Raises ValueError for a kind that no template is for.
        """
        if kind not in KINDS + PROFILE_KINDS + BILL_KINDS:
            raise ValueError(f"There is no mail {kind!r}.")
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
                state="due",
                message_id=f"<{secrets.token_hex(12)}@{domain}>",
                written_at=now,
                due_at=now,
            )
            # SQLite's OR IGNORE would also swallow a row that a CHECK refuses.
            .on_conflict(conflict_target=[cls.key], update={cls.key: cls.key})
            .execute()
        )

    @classmethod
    def claim(cls, now) -> "Mail | None":
        """The next due mail, kept from other workers for MAIL_LEASE seconds."""
        with db.atomic():
            mail = unclaimed(
                cls.select().where(cls.state == "due", cls.due_at <= now).order_by(cls.due_at, cls.id).limit(1)
            ).first()
            if mail is None:
                return None
            mail.tries += 1
            mail.due_at = now + timedelta(seconds=config.MAIL_LEASE)
            mail.save()
            return mail

    def send(self, now) -> str:
        """Hand the claimed mail to the server; returns its state. Trouble that may pass is tried again later."""
        from mails import compose

        crash.at("mail: claimed")
        try:
            mail_server().deliver(compose(self), before_data=self._hand_over)
        except GatewayError as error:
            return self._keep(error, now)
        crash.at("mail: accepted")
        Mail.update(state="sent", sent_at=now, trouble="").where(Mail.id == self.id).execute()
        self.state = "sent"
        log.info("mail.sent", mail=self.id, kind=self.kind)
        return self.state

    def _hand_over(self) -> None:
        crash.at("mail: before hand-over")
        mine = Mail.update(state="handed").where(Mail.id == self.id, Mail.state == "due", Mail.tries == self.tries)
        if not mine.execute():
            # The lease ran out and another worker has it.
            raise GatewayError("another worker sends it", permanent=False)
        self.state = "handed"
        crash.at("mail: handed")

    def _keep(self, error: GatewayError, now) -> str:
        from gateways.mail import OutcomeUnknown

        if isinstance(error, OutcomeUnknown):
            state = "handed"
        elif error.permanent or self.tries > len(BACK_OFF):
            state = "failed"
        else:
            state = "due"
        wait = BACK_OFF[min(self.tries, len(BACK_OFF)) - 1]
        (
            Mail.update(state=state, due_at=now + timedelta(seconds=wait), trouble=str(error)[:255])
            .where(Mail.id == self.id, Mail.tries == self.tries, Mail.state.in_(("due", "handed")))
            .execute()
        )
        self.state = state
        log.warning("mail.not_sent", mail=self.id, state=state, tries=self.tries, reason=str(error))
        return state

    @classmethod
    def send_all_due(cls, now, limit: int = 50, within: float = 10) -> int:
        """Send what is due, for `within` seconds; returns how many mails were tried (MSG-1).

        A server that is slow to answer must not keep the worker from the bank.
        """
        tried, began = 0, time.monotonic()
        while tried < limit and time.monotonic() - began < within:
            # A slow server may take minutes for all of them; each lease starts when its mail is taken up.
            moment = now + timedelta(seconds=time.monotonic() - began)
            mail = cls.claim(moment)
            if mail is None:
                break
            mail.send(moment)
            tried += 1
        return tried
