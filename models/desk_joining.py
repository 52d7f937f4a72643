"""Joining the club at a shop's counter: a code on the customer's phone says that they want it (CLB-1)."""

import secrets
from datetime import timedelta

from peewee import JOIN, CharField, Check, ForeignKeyField

from models.base import BaseModel, MomentField, ShortLived, db, locked
from models.club_ledger import ClubEntry, entry_of
from models.club_member import AlreadyMember, ClubMember, FixedService
from models.counter import AwaitsCode, phones_of, send_code
from models.number import Number
from models.profile import Profile
from models.security_code import SecurityCode
from models.sms import Sms


class ServiceGone(Exception):
    """The number or fixed service is not in use any more, or the phone does not speak for it."""


class DeskJoining(AwaitsCode, ShortLived, BaseModel):
    """One service that a clerk takes into the club. It is for the clerk alone who began it."""

    OUTCOME = ("member", "joined_at")

    token = CharField(unique=True, max_length=32)
    number = ForeignKeyField(Number, null=True, on_delete="CASCADE")
    fixed = ForeignKeyField(FixedService, null=True, on_delete="CASCADE")
    clerk = ForeignKeyField(Profile, null=True, on_delete="SET NULL")
    # Where the code went.
    msisdn = CharField(max_length=15)
    # Of the member's messages.
    language = CharField(max_length=2)
    code = ForeignKeyField(SecurityCode, null=True, on_delete="SET NULL")
    member = ForeignKeyField(ClubMember, null=True, unique=True, on_delete="RESTRICT")
    asked_at = MomentField()
    joined_at = MomentField(null=True)

    class Meta:
        constraints = [
            Check("(number_id IS NULL) <> (fixed_id IS NULL)"),
            Check("(member_id IS NULL) = (joined_at IS NULL)"),
        ]

    @classmethod
    def ask(cls, clerk: Profile, service: Number | FixedService, msisdn: str, language: str, now) -> "DeskJoining":
        """Send the customer a code; raises AlreadyMember, ServiceGone, TooManyCodes (CLB-1).

        The same twice within the pause, as by a double click, is one request with one code.
        """
        kind = type(service)
        of = {"number": service} if kind is Number else {"fixed": service}
        [(name, _)] = of.items()
        with db.atomic():
            service = locked(kind.select().where(kind.id == service.id)).get()
            cls._check(service, msisdn)
            same = (
                cls._with_all()
                .where(cls.clerk == clerk, getattr(cls, name) == service, cls.joined_at.is_null())
                .order_by(cls.id.desc())
                .first()
            )
            if same is not None and same.msisdn == msisdn and same.is_live(now) and now < same.again_at:
                return same
            return cls.create(
                **of,
                token=secrets.token_hex(16),
                clerk=clerk,
                msisdn=msisdn,
                language=language,
                code=send_code(clerk, msisdn, now, kind="join_code", language=language),
                asked_at=now,
            )

    @staticmethod
    def _check(service: Number | FixedService, msisdn: str) -> None:
        if not service.active or msisdn not in {phone.msisdn for phone in phones_of(service)}:
            raise ServiceGone
        column = ClubMember.number if isinstance(service, Number) else ClubMember.fixed
        if ClubMember.select().where(column == service, ClubMember.ended_at.is_null()).exists():
            raise AlreadyMember

    def send_again(self, now) -> None:
        """Another code. Raises TooSoon within the pause, CodeOver once it has joined, AlreadyMember, ServiceGone,
        TooManyCodes."""
        with db.atomic():
            service = self._held_service()
            fresh = self._ready_for_another(now)
            self._check(service, self.msisdn)
            self.code = send_code(fresh.clerk, self.msisdn, now, kind="join_code", language=self.language)
            self.save()

    def confirm(self, typed: str, now) -> None:
        """Join the service when `typed` is the code; a second time it is done.

        Raises WrongCode, CodeOver, AlreadyMember, ServiceGone; then nothing has changed but the count of tries.
        """
        self._take(typed, now)

    @property
    def is_done(self) -> bool:
        return self.joined_at is not None

    def _finish(self, now) -> None:
        service = self._held_service()
        self.code.spend(now)
        self._check(service, self.msisdn)
        join = ClubMember.join_number if self.number_id else ClubMember.join_fixed
        member = join(service, now, language=self.language)
        DeskJoining.update(member=member, joined_at=now).where(DeskJoining.id == self.id).execute()
        self.member, self.joined_at = member, now
        welcome = self.welcome
        told = {"member": member.id, "points": welcome.points if welcome else 0}
        Sms.write("club_joined", self.msisdn, self.language, now, key=f"club_joined:{member.id}", data=told)

    def _held_service(self) -> Number | FixedService:
        kind, id = (Number, self.number_id) if self.number_id else (FixedService, self.fixed_id)
        return locked(kind.select().where(kind.id == id)).get()

    @property
    def welcome(self) -> ClubEntry | None:
        """The points that came with joining (CLB-2); None where the table has none."""
        return entry_of(f"welcome:{self.member_id}") if self.member_id else None

    @property
    def service(self) -> Number | FixedService:
        return self.number if self.number_id else self.fixed

    @classmethod
    def of_clerk(cls, clerk: Profile, token: str) -> "DeskJoining | None":
        """The joining if `clerk` began it, with its code; one query."""
        return cls._with_all().where(cls.token == token, cls.clerk == clerk).first()

    @classmethod
    def _with_all(cls):
        return cls.select(cls, SecurityCode).join_from(cls, SecurityCode, JOIN.LEFT_OUTER)

    @classmethod
    def past(cls, now):
        """A day after they were begun: the membership stays."""
        return cls.asked_at < now - timedelta(days=1)
