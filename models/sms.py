"""The SMS outbox: written in the transaction of what it reports, sent by the worker, followed by reports (MSG-1)."""

import secrets
from urllib.parse import quote

import structlog
from peewee import CharField, Check, ForeignKeyField, IntegerField, JSONField

import config
from gateways.sms import Report, SmsGateway
from models.base import MomentField
from models.consent import MARKETING, Consent, NoConsent, is_consented, proof
from models.outgoing import Outgoing
from models.security_code import SecurityCode

log = structlog.get_logger()

KINDS = (
    "security_code",
    # Of the club: see models/sms_text.py for what each says.
    "gift_code",
    "join_code",
    "voucher",
    "service_active",
    "service_refused",
    "points_lapse",
    "club_joined",
    "club_news",
    # The written notice of a failed attempt (DLV-5).
    "attempt_failed",
)
STATES = ("due", "handed", "sent", "failed", "withheld")
FINAL_REPORTS = ("delivered", "failed", "rejected")
REPORTS = ("", "accepted", "buffered", *FINAL_REPORTS)


def _one_of(name: str, values) -> Check:
    return Check(f"{name} IN ({', '.join(repr(value) for value in values)})")


def sms_gateway() -> SmsGateway:
    dlr_url = config.SMS_REPORT_URL
    if dlr_url == "none":
        dlr_url = ""
    else:
        dlr_url += f"{'&' if '?' in dlr_url else '?'}secret={quote(config.SMS_SECRET, safe='')}"
    return SmsGateway(
        url=config.SMS_URL,
        user=config.SMS_USER,
        password=config.SMS_PASSWORD,
        sender=config.SMS_SENDER,
        dlr_url=dlr_url,
        timeout=config.SMS_TIMEOUT,
    )


class Sms(Outgoing):
    """One SMS to one number; see Outgoing for the way of a row.

    `withheld` rows are never sent: they stand for the SMS of a request that was not genuine, so that writing one
    takes as long as the other (PRO-4). The text is made when it is sent, and kept nowhere.
    """

    what = "sms"

    # Not a CHECK: SQLite would have to build the table anew for each new kind. `write` refuses an unknown one.
    kind = CharField(max_length=30)
    # One SMS per key, however often its reason is reported.
    key = CharField(unique=True, max_length=80)
    # E.164 without the plus.
    recipient = CharField(max_length=15, constraints=[Check("LENGTH(recipient) >= 8")])
    language = CharField(max_length=2)
    code = ForeignKeyField(SecurityCode, null=True, backref="messages", on_delete="CASCADE")
    # What the text tells, such as the id of a voucher; never a secret.
    data = JSONField(null=True)
    state = CharField(max_length=8, constraints=[_one_of("state", STATES)])
    message_id = CharField(unique=True, max_length=40)
    tries = IntegerField(default=0)
    written_at = MomentField()
    due_at = MomentField(null=True, index=True)
    # After this moment it is not sent any more.
    until = MomentField(null=True)
    sent_at = MomentField(null=True)
    trouble = CharField(max_length=255, default="")
    # What the gateway said of it last.
    report = CharField(max_length=10, default="", constraints=[_one_of("report", REPORTS)])
    reported_at = MomentField(null=True)

    @classmethod
    def write(
        cls,
        kind: str,
        recipient: str,
        language: str,
        now,
        *,
        key: str,
        code=None,
        data: dict | None = None,
        until=None,
        withheld: bool = False,
        consent: Consent | None = None,
    ) -> None:
        """Put an SMS into the outbox; call it in the transaction of what it reports.

        Direct marketing needs the `consent` that it goes out by, of the profile in `data` (PRV-2). Raises ValueError
        for a kind that has no text, NoConsent.
        """
        if kind not in KINDS:
            raise ValueError(f"There is no SMS {kind!r}.")
        if proven := proof(cls.what, kind, consent, (data or {}).get("profile"), recipient):
            data = {**(data or {}), **proven}
        (
            cls.insert(
                kind=kind,
                key=key,
                recipient=recipient,
                language=language,
                code=code,
                data=data,
                state="withheld" if withheld else "due",
                message_id=secrets.token_hex(16),
                written_at=now,
                due_at=now,
                until=until,
            )
            # SQLite's OR IGNORE would also swallow a row that a CHECK refuses.
            .on_conflict(conflict_target=[cls.key], update={cls.key: cls.key})
            .execute()
        )

    @classmethod
    def write_all(cls, kind: str, messages: list[dict], now) -> None:
        """As `write`, for some hundred: each has `recipient`, `language`, `key`, `data` and `until`; no key is
        there yet."""
        if kind not in KINDS:
            raise ValueError(f"There is no SMS {kind!r}.")
        if (cls.what, kind) in MARKETING:
            raise NoConsent(f"{cls.what} {kind}: each with its own consent, by write")
        common = {"kind": kind, "state": "due", "written_at": now, "due_at": now}
        if messages:
            rows = [{**common, "message_id": secrets.token_hex(16), **message} for message in messages]
            cls.insert_many(rows).execute()

    def is_too_late(self, now) -> bool:
        from models.club_news import is_wanted

        if not is_consented(self.what, self.kind, self.data):
            return True
        return (self.until is not None and self.until <= now) or (self.kind == "club_news" and not is_wanted(self))

    def deliver(self, before) -> None:
        from models.sms_text import compose

        sms_gateway().send(self.recipient, compose(self), self.message_id, before_send=before)

    @classmethod
    def take_in(cls, report: Report, now) -> bool:
        """Write down what the gateway reports; false when it tells nothing new (MSG-1).

        Reports come in any order and more than once; a final one stays. One of a row whose fate was not known
        tells that the gateway had it.
        """
        name = report.status.name.lower()
        changed = (
            cls.update(report=name, reported_at=now)
            .where(cls.message_id == report.message_id, cls.report.not_in(FINAL_REPORTS), cls.report != name)
            .execute()
        )
        if changed:
            (
                cls.update(state="sent", sent_at=now, trouble="")
                .where(cls.message_id == report.message_id, cls.state == "handed")
                .execute()
            )
            log.info("sms.reported", report=name)
        return bool(changed)


Sms.index_due()
