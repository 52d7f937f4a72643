"""Who wants one mail when a variant is back in stock, or costs less than it did (PRV-2, MSG-1).

A guest's wish counts once its mailbox has confirmed it; a profile's verified e-mail has done so already. A wish ends
with its mail, with a click, or after a year. The worker compares rows: whatever changes stock or price raises the
version of the device's listing (`models/shelf.relist`), and only the watches of such devices are looked at.
"""

import hashlib
from collections import defaultdict
from datetime import timedelta

import structlog
from peewee import SQL, BooleanField, Case, CharField, Check, ForeignKeyField, IntegerField, IntegrityError, Value

import config
from models.allowance import Allowance
from models.base import IS_SQLITE, BaseModel, MomentField, ShortLived, Unfinished, db, locked
from models.catalogue import SEGMENTS, Brand, CatalogueVersion, Device, Promotion, Variant
from models.outbox import Mail
from models.pricing import Price, device_only_price
from models.profile import LockedOut, Profile, plain_email
from models.profile_link import LinkOver, count_mail, mailbox_of, new_code, read, sign

log = structlog.get_logger()

KINDS = ("stock", "price")
STATES = ("waiting", "active", "told", "stopped")
# A watch that nothing came of ends by itself.
LIVES = timedelta(days=365)
# One that ended is kept so long: its link still says that it did, and its mail is on its way.
KEPT = timedelta(days=30)
# Mails that strangers may cause to one address in a day, besides those of count_mail in an hour.
MAILS_A_DAY = 6
# Watches of one mailbox that count at the same time.
MOST = 50
# Watches the worker looks at in one transaction; mails of orders must not stand behind hundreds of these.
BATCH = 100
# Written out: with a parameter in it a database does not see that the index fits.
ACTIVE = SQL("state = 'active'")


class NotWatchable(Exception):
    """There is nothing to wait for; `why` is "in_stock" or "not_sold"."""

    def __init__(self, why: str):
        super().__init__(why)
        self.why = why


class TooManyWatches(Exception):
    """The mailbox has MOST of them."""


class Watch(ShortLived, BaseModel):
    """One wish of one mailbox about one variant.

    waiting (a guest's, unconfirmed) → active → told or stopped. `price` is what the variant cost alone when the wish
    was made, minor units, promotions included.
    """

    code = CharField(unique=True, max_length=24)
    kind = CharField(max_length=5, constraints=[Check(f"kind IN {KINDS!r}")])
    variant = ForeignKeyField(Variant, on_delete="CASCADE")
    # A guest's; a profile's is written to where the profile's e-mail is by then.
    email = CharField(null=True, max_length=254, index=True)
    profile = ForeignKeyField(Profile, null=True, backref="watches", on_delete="CASCADE")
    language = CharField(max_length=2)
    # Whose promotions lower the price (CAT-5).
    segment = CharField(max_length=10, default="all", constraints=[Check(f"segment IN {SEGMENTS!r}")])
    price = IntegerField(null=True, constraints=[Check("price IS NULL OR price > 0")])
    state = CharField(max_length=8, constraints=[Check(f"state IN {STATES!r}")])
    # Not looked at since it counts: its variant may have come back while its mail waited to be confirmed.
    fresh = BooleanField(default=False)
    created_at = MomentField()
    # When the row goes, in whatever state it is.
    expires_at = MomentField(index=True)

    class Meta:
        constraints = [  # noqa: RUF012
            Check("(profile_id IS NULL) <> (email IS NULL)"),
            Check("(kind = 'price') = (price IS NOT NULL)"),
            Check("state <> 'waiting' OR email IS NOT NULL"),
            Check("expires_at > created_at"),
        ]

    # Wishing

    @classmethod
    def ask(cls, email: str, variant: Variant, kind: str, *, language: str, address: str, now) -> None:
        """Mail `email` a link that makes the wish count; the answer is the same whatever is known of `email`.

        Raises NotWatchable, and LockedOut after too many mails to one e-mail or from one network.
        """
        price = cls._worth_it(variant, kind, "all", now)
        email = plain_email(email)
        count_mail("watch-mail", email, address, now)
        # The e-mail itself need not stand in a table of counts.
        key = f"watch-mails:{hashlib.sha256(mailbox_of(email).encode()).hexdigest()}"
        if not Allowance.take(key, most=MAILS_A_DAY, within=timedelta(days=1), now=now):
            raise LockedOut("watch-mails")
        with db.atomic():
            watch = cls.create(
                code=new_code(),
                kind=kind,
                variant=variant,
                email=email,
                language=language,
                price=price,
                state="waiting",
                created_at=now,
                expires_at=now + timedelta(hours=config.CONFIRM_HOURS),
            )
            watch._mail("watch_confirm", now)

    @classmethod
    def ask_for(cls, profile: Profile, variant: Variant, kind: str, *, segment: str | None, now) -> "Watch":
        """The wish of a profile whose e-mail is verified; it counts at once, and asked for again it is one wish.

        A price is compared with the last one that was asked about. Raises NotWatchable and TooManyWatches.
        """
        if not profile.is_verified:
            raise ValueError("whose e-mail is not verified confirms by mail")
        segment = segment if segment in SEGMENTS else "all"
        price = cls._worth_it(variant, kind, segment, now)
        with db.atomic():
            # Two presses at once take turns.
            locked(Profile.select().where(Profile.id == profile.id)).get()
            known = cls.get_or_none(ACTIVE, cls.profile == profile, cls.variant == variant, cls.kind == kind)
            if known is not None:
                again = {"price": price, "segment": segment, "expires_at": now + LIVES, "fresh": True}
                cls.update(again).where(cls.id == known.id).execute()
                return cls.get_by_id(known.id)
            cls._end(now, ACTIVE, cls.email == plain_email(profile.email), cls.variant == variant, cls.kind == kind)
            cls._refuse_many(profile=profile, email=None)
            return cls.create(
                code=new_code(),
                kind=kind,
                variant=variant,
                profile=profile,
                language=profile.language,
                segment=segment,
                price=price,
                state="active",
                fresh=True,
                created_at=now,
                expires_at=now + LIVES,
            )

    @classmethod
    def _worth_it(cls, variant: Variant, kind: str, segment: str, now) -> int | None:
        """The price to compare with, None for a wish about stock; raises NotWatchable."""
        if kind not in KINDS:
            raise ValueError(f"nobody waits for {kind!r}")
        there = (
            Variant.select(Variant, Device)
            .join(Device)
            .where(Variant.id == variant.id, Variant.listed, Device.listed)
            .first()
        )
        if there is None:
            raise NotWatchable("not_sold")
        if kind == "price":
            return _prices([there], now, segment)[there.id].now
        if there.stock > 0:
            raise NotWatchable("in_stock")
        return None

    # Confirming

    @property
    def confirm_token(self) -> str:
        return sign("watch", self.code)

    @property
    def stop_token(self) -> str:
        """What the link that ends the watch carries; it opens nothing else."""
        return sign("watch-stop", self.code)

    @classmethod
    def of_confirm_token(cls, token: str, now) -> "Watch":
        """The wish that a mailed link confirms, or has confirmed; raises LinkOver. Looking changes nothing."""
        watch = cls._of_code(read("watch", token), now)
        if watch.state == "stopped":
            raise LinkOver
        return watch

    @classmethod
    def of_stop_token(cls, token: str, now) -> "Watch":
        """The watch that a link in a mail ends, whatever became of it; raises LinkOver once its row is gone."""
        return cls._of_code(read("watch-stop", token), now)

    @classmethod
    def _of_code(cls, code: str, now) -> "Watch":
        found = cls.with_device().where(cls.code == code, cls.expires_at > now).first()
        if found is None:
            raise LinkOver
        return found

    @classmethod
    def with_device(cls):
        return cls.select(cls, Variant, Device, Brand).join_from(cls, Variant).join_from(Variant, Device).join(Brand)

    def confirm(self, now) -> None:
        """Let the wish count; pressed again nothing changes. It takes the place of an earlier one of the same kind.

        Where the mailbox is a profile's, the wish becomes the profile's. Raises LinkOver and TooManyWatches.
        """
        for last in (False, True):
            try:
                with db.atomic():
                    return self._confirm(now)
            except IntegrityError:
                # Two links about the same thing at once: by now the other one is there to be replaced.
                if last:
                    raise
        return None

    def _confirm(self, now) -> None:
        cls = type(self)
        # A profile's is confirmed already, and has none of its own.
        email = cls.select(cls.email).where(cls.id == self.id).scalar() or ""
        owner = Profile.of_email(email)
        owner = owner if owner is not None and owner.is_verified else None
        if owner is not None:
            # The profile before its watches, as `ask_for` and the worker take them.
            locked(Profile.select().where(Profile.id == owner.id)).get()
        theirs = (cls.email == email) if owner is None else (cls.email == email) | (cls.profile == owner)
        # All about the same that count or may: links that are pressed at once take turns.
        same = (
            theirs & (cls.variant == self.variant_id) & (cls.kind == self.kind) & cls.state.in_(("waiting", "active"))
        )
        found = {watch.id: watch for watch in cls._held((cls.id == self.id) | same)}
        held = found.get(self.id)
        if held is None or held.expires_at <= now or held.state == "stopped":
            raise LinkOver
        if held.state != "waiting":
            return
        cls._end(now, cls.id.in_(list(found)), ACTIVE)
        cls._refuse_many(profile=owner, email=held.email)
        whose = {} if owner is None else {"profile": owner, "email": None}
        cls.update(state="active", fresh=True, expires_at=now + LIVES, **whose).where(cls.id == held.id).execute()
        log.info("watch.confirmed", watch=held.id)

    @classmethod
    def _refuse_many(cls, *, profile, email) -> None:
        mine = cls.email == email if profile is None else cls.profile == profile
        if cls.select().where(ACTIVE, mine).count() >= MOST:
            raise TooManyWatches

    # Ending

    def stop(self, now) -> None:
        """End it, at any time and any number of times; a mail that has not left is not sent either."""
        cls = type(self)
        cls._end(now, cls.id == self.id, cls.state != "stopped")

    def stop_all(self, now) -> int:
        """End all that the same mailbox waits for; returns how many that were."""
        cls = type(self)
        mine = cls.email == self.email if self.profile_id is None else cls.profile == self.profile_id
        return cls._end(now, mine, cls.state != "stopped")

    @classmethod
    def _held(cls, *which) -> list["Watch"]:
        """Those rows, locked until the transaction ends: by id, so that nobody waits for each other in a ring."""
        return list(locked(cls.select().where(*which).order_by(cls.id)))

    @classmethod
    def _end(cls, now, *which) -> int:
        # One that nobody confirmed goes as soon as it would have gone anyway.
        later = Value(now + KEPT, converter=cls.expires_at.db_value)
        until = Case(None, [(cls.state == "waiting", cls.expires_at)], later)
        with db.atomic():
            held = [watch.id for watch in cls._held(*which)]
            ended = cls.update(state="stopped", fresh=False, expires_at=until).where(cls.id.in_(held), *which)
            return ended.execute() if held else 0

    @classmethod
    def past(cls, now):
        return cls.expires_at <= now

    @classmethod
    def forget_old(cls, now) -> int:
        """Delete what was not confirmed in time, what is a year old and what ended a while ago, and their mails
        (PRV-3); returns how many watches."""
        from models.outbox import WATCH_KINDS

        Mail.delete().where(Mail.kind.in_(WATCH_KINDS), Mail.written_at <= now - KEPT).execute()
        over = now - timedelta(hours=config.CONFIRM_HOURS)
        Mail.delete().where(Mail.kind == "watch_confirm", Mail.written_at <= over).execute()
        return super().forget_old(now)

    # Whose

    @classmethod
    def _of(cls, profile: Profile):
        """The profile's own, and those that its mailbox confirmed before the profile was there."""
        if not profile.is_verified:
            return cls.profile == profile
        return (cls.profile == profile) | (cls.email == plain_email(profile.email))

    @classmethod
    def of_profile(cls, profile: Profile, now) -> list["Watch"]:
        """Those that count, the newest first, with their devices and, as `cost`, what each costs now; two queries."""
        found = list(cls.with_device().where(ACTIVE, cls._of(profile)).order_by(cls.id.desc()))
        _add_costs(found, now)
        return found

    @classmethod
    def of_profile_by_id(cls, profile: Profile, watch_id: int) -> "Watch | None":
        return cls.get_or_none(cls.id == watch_id, cls._of(profile))

    @property
    def recipient(self) -> str:
        return self.email if self.profile_id is None else self.profile.email

    def is_wanted(self, mail: Mail) -> bool:
        """Whether `mail`, which is about this watch, still may leave: it may have been stopped meanwhile."""
        right = "waiting" if mail.kind == "watch_confirm" else "told"
        return self.state == right and mail.recipient == self.recipient

    # Telling

    @classmethod
    def tell_all_due(cls, now) -> int:
        """Mail those whose variant is back, or costs less; a few at a time, each once, by however many workers.

        Three queries when nothing changed. Returns how many were written to, as Unfinished when there is more to do.
        """
        told, more = cls._tell_fresh(now)
        changed, more_changed = cls._tell_changed(now)
        return Unfinished(told + changed) if more or more_changed else told + changed

    @classmethod
    def _tell_fresh(cls, now) -> tuple[int, bool]:
        which = SQL("state = 'active' AND fresh")
        ids = [number for (number,) in cls.select(cls.id).where(which).order_by(cls.id).limit(BATCH).tuples()]
        if not ids:
            return 0, False
        with db.atomic():
            told = cls._look_at(ids, now)
            # One that was wished anew meanwhile is looked at again all the same: its device did not change for it.
            cls.update(fresh=False).where(cls.id.in_(ids)).execute()
        return told, len(ids) == BATCH

    @classmethod
    def _tell_changed(cls, now) -> tuple[int, bool]:
        current = CatalogueVersion.current()
        if WatchMark.version_of() == current:
            return 0, False
        with db.atomic():
            mark = WatchMark.hold(current)
            ids = mark.next_ids(BATCH)
            told = cls._look_at(ids, now)
            more = len(ids) == BATCH
            mark.pass_over(ids[-1] if more else None)
        return told, more

    @classmethod
    def _look_at(cls, ids, now) -> int:
        """Tell those of `ids` that have come true; in the caller's transaction."""
        if not ids:
            return 0
        # The profile before its watches, as `ask_for` takes them: the mail would wait for whoever holds it.
        theirs = Profile.select(Profile.id).where(Profile.id.in_(cls.select(cls.profile).where(cls.id.in_(ids))))
        list(_kept(theirs.order_by(Profile.id)).tuples())
        # Held: whoever stops one now waits, or is waited for.
        held = [watch.id for watch in cls._held(cls.id.in_(ids)) if watch.state == "active"]
        watches = list(cls.with_device().where(cls.id.in_(held)).order_by(cls.id)) if held else []
        _add_costs(watches, now)
        return sum(watch._tell(now) for watch in watches if watch.has_come_true)

    @property
    def has_come_true(self) -> bool:
        """With `cost` added. What cannot be bought is no good news, however little it costs."""
        variant = self.variant
        if not (variant.listed and variant.device.listed and variant.stock > 0):
            return False
        return self.kind == "stock" or self.cost.now < self.price

    def _tell(self, now) -> bool:
        cls = type(self)
        mine = cls.update(state="told", fresh=False, expires_at=now + KEPT).where(ACTIVE, cls.id == self.id)
        if not mine.execute():
            return False
        self._mail("watch_back" if self.kind == "stock" else "watch_price", now, cost=self.cost.now)
        return True

    def _mail(self, kind: str, now, **told) -> None:
        Mail.write_to(
            self.recipient,
            kind,
            now,
            key=f"{kind}:{self.id}",
            language=self.language if self.profile_id is None else self.profile.language,
            profile=self.profile,
            data={"watch": self.id, **told},
        )


Watch.add_index(
    Watch.index(Watch.variant, Watch.kind, Watch.email, unique=True, where=ACTIVE, name="watch_guest_once")
)
Watch.add_index(
    Watch.index(Watch.variant, Watch.kind, Watch.profile, unique=True, where=ACTIVE, name="watch_profile_once")
)
Watch.add_index(Watch.index(Watch.id, where=SQL("state = 'active' AND fresh"), name="watch_fresh"))


class WatchMark(BaseModel):
    """One row: up to which CatalogueVersion watches were looked at, and how far into the next one."""

    version = IntegerField(default=0)
    # While a version is worked through: which, and the last watch of it that was looked at.
    upto = IntegerField(null=True)
    after = IntegerField(default=0)

    @classmethod
    def version_of(cls) -> int | None:
        """The version that is worked through whole; None while one is begun, and before the first."""
        row = cls.select(cls.version, cls.upto).where(cls.id == 1).tuples().first()
        return None if row is None or row[1] is not None else row[0]

    @classmethod
    def hold(cls, current: int) -> "WatchMark":
        """The row, locked, with a version to work through: `current`, or one that was begun."""
        cls.insert(id=1).on_conflict(conflict_target=[cls.id], update={cls.id: cls.id}).execute()
        mark = locked(cls.select().where(cls.id == 1)).get()
        if mark.version > current:
            # Another database, or one that was restored.
            mark.version, mark.upto, mark.after = 0, None, 0
        if mark.upto is None:
            mark.upto, mark.after = current, 0
        return mark

    def next_ids(self, count: int) -> list[int]:
        """The next watches of devices that changed, in their order; from the changes, not from the catalogue."""
        place = db.param
        # CROSS JOIN: SQLite keeps to the order, in which every step is an index's.
        rows = db.execute_sql(
            "SELECT watch.id FROM listing CROSS JOIN variant CROSS JOIN watch "  # noqa: S608
            f"WHERE listing.version > {place} AND listing.version <= {place} "
            "AND variant.device_id = listing.device_id AND watch.variant_id = variant.id "
            f"AND watch.state = 'active' AND watch.id > {place} AND (watch.kind = 'price' OR variant.stock > 0) "
            f"ORDER BY watch.id LIMIT {place}",
            (self.version, self.upto, self.after, count),
        )
        return [number for (number,) in rows.fetchall()]

    def pass_over(self, last: int | None) -> None:
        """Everything up to the watch `last` is done; None: the whole version is."""
        if last is None:
            self.version, self.upto, self.after = self.upto, None, 0
        else:
            self.after = last
        self.save(only=[WatchMark.version, WatchMark.upto, WatchMark.after])


def _kept(query):
    """The query's rows, which nobody locks or deletes until the transaction ends, and others may refer to."""
    return query if IS_SQLITE else query.for_update("FOR KEY SHARE")


def _prices(variants: list[Variant], now, segment: str) -> dict[int, Price]:
    """What each costs alone now, for a shopper of `segment`; one query."""
    promotions = _promotions([variant.id for variant in variants])
    return {variant.id: device_only_price(variant, promotions[variant.id], now, segment) for variant in variants}


def _promotions(variants: list[int]) -> dict[int, list[Promotion]]:
    found = defaultdict(list)
    if variants:
        for promotion in Promotion.select().where(Promotion.variant.in_(variants)):
            found[promotion.variant_id].append(promotion)
    return found


def _add_costs(watches: list[Watch], now) -> None:
    promotions = _promotions(sorted({watch.variant_id for watch in watches}))
    for watch in watches:
        watch.cost = device_only_price(watch.variant, promotions[watch.variant_id], now, watch.segment)
