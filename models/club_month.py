"""What members spent in a month, and the points for it: credited once (CLB-3). What top-ups bring (CLB-4).

Who earns nothing for some months in a row cannot use the points until some are earned again (CLB-7).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from datetime import date, datetime, time, timedelta
from time import monotonic

from peewee import CharField, Check, ForeignKeyField, IntegerField, fn

import crash
from models.base import BaseModel, MomentField, Unfinished, db
from models.calendar import ZONE, local_day
from models.club_ledger import (
    BATCH,
    ClubEntry,
    Credit,
    block,
    block_all,
    credit,
    credit_all,
    lapse,
    lapse_all,
    unblock,
    unblock_all,
)
from models.club_member import ClubMember, FixedService, NotMember, month_after
from models.club_rate import Rates
from models.number import Number

# So long a month's last top-ups may be on their way.
GRACE = timedelta(days=1)


class NotOver(Exception):
    """The month is not over: what was spent in it is not known (CLB-3)."""


class Differs(Exception):
    """Something else was told and credited before; `kept` is that row. Nothing was changed."""

    def __init__(self, kept):
        super().__init__("told otherwise before")
        self.kept = kept


class ClubMonth(BaseModel):
    """One month of one member, as the billing system told it; without an entry where it gave no points."""

    member = ForeignKeyField(ClubMember, backref="months", on_delete="RESTRICT")
    # "2026-10".
    month = CharField(max_length=7, constraints=[Check("LENGTH(month) = 7")])
    # Minor units.
    spent = IntegerField(constraints=[Check("spent >= 0")])
    entry = ForeignKeyField(ClubEntry, null=True, unique=True, on_delete="RESTRICT")
    at = MomentField()

    class Meta:
        indexes = ((("member", "month"), True),)

    @classmethod
    def take(cls, member_id: int, month: str, spent: int, now) -> "ClubMonth | None":
        """Credit what a member spent in `month`, once (CLB-3); None where the month is before the first that earns.

        The rate is the one that counted on the month's last day, and the points are of the month's year (CLB-5,
        CLB-17). Raises NotOver, Differs, NotMember.
        """
        require_over(month, now)
        with db.atomic():
            member = ClubMember.hold(member_id, now)
            known = cls.get_or_none(cls.member == member, cls.month == month)
            if known is not None:
                if known.spent != spent:
                    raise Differs(known)
                return known
            if not member.number_id or member.earns_from > first_day(month):
                return None
            rates = Rates(last_day(month))
            entry, points = None, rates.for_spent(spent)
            if points:
                year = first_day(month).year
                entry = credit(
                    member,
                    points,
                    "month",
                    now,
                    key=month_key(member.id, month),
                    year=year,
                    until=rates.last_day(year),
                    about={"month": month},
                )
            made = cls.create(member=member, month=month, spent=spent, entry=entry, at=now)
            follow_earning(member, now)
            # Of a month that was told years late the last day may be over.
            lapse(member, now)
        return made


class ClubTopup(BaseModel):
    """A top-up of a fixed service, as the billing system told it (CLB-4)."""

    reference = CharField(unique=True, max_length=40)
    fixed = ForeignKeyField(FixedService, on_delete="RESTRICT")
    package = CharField(max_length=40)
    topped_up_at = MomentField()
    # Without one where it gave no points: no member, or before the first day that earns.
    entry = ForeignKeyField(ClubEntry, null=True, unique=True, on_delete="RESTRICT")
    at = MomentField()

    class Meta:
        indexes = ((("fixed", "topped_up_at"), False),)

    @classmethod
    def take(cls, reference: str, fixed: FixedService, at, now, package: str = "") -> "ClubTopup":
        """Credit a top-up of `at`, once, by the table of that day (CLB-4).

        `package` is the service's own where none is told. Raises Differs.
        """
        with db.atomic():
            member = cls._held(fixed, now)
            known = cls.get_or_none(cls.reference == reference)
            if known is not None:
                if (known.fixed_id, known.topped_up_at) != (fixed.id, at) or known.package != (
                    package or known.package
                ):
                    raise Differs(known)
                return known
            package, day, entry = package or fixed.package, local_day(at), None
            rates = Rates(day)
            if member is not None and day >= member.earns_from and (points := rates.topup(package)):
                entry = credit(
                    member,
                    points,
                    "topup",
                    now,
                    key=f"topup:{reference}",
                    year=day.year,
                    until=rates.last_day(day.year),
                    about={"package": package, "day": day.isoformat()},
                )
            made = cls.create(reference=reference, fixed=fixed, package=package, topped_up_at=at, entry=entry, at=now)
            if entry is not None:
                follow_earning(member, now)
                # Of one that was told years late the last day may be over.
                lapse(member, now)
        return made

    @classmethod
    def _held(cls, fixed: FixedService, now) -> ClubMember | None:
        member = ClubMember.get_or_none(ClubMember.fixed == fixed, ClubMember.ended_at.is_null())
        try:
            return None if member is None else ClubMember.hold(member.id, now)
        except NotMember:
            return None


@dataclass
class MonthCount:
    """What became of a month's data."""

    # Members to whom it gave points, and how many; members to whom it gave none.
    credited: int = 0
    points: int = 0
    idle: int = 0
    blocked: int = 0
    # Members to whom it was credited before; numbers that are no member's, or do not earn yet.
    unchanged: int = 0
    strangers: int = 0
    # Lines of which something else was credited: (line, minor units that were).
    differ: list[tuple[int, int]] = field(default_factory=list)


class MonthlyCredit:
    """One month for all members, in batches (CLB-3): each is one transaction.

    It may be killed between them, and run again for any month: what was credited stays as it is.
    """

    def __init__(self, month: str, now):
        """Raises NotOver."""
        require_over(month, now)
        self.month, self.now, self.count = month, now, MonthCount()
        self._rates = Rates(last_day(month))
        self._least = Rates(local_day(now))["block", ""]

    def credit(self, lines: list[tuple[int, str, int]]) -> None:
        """Some hundred `lines`: (line's number, msisdn, minor units)."""
        spent = {msisdn: (amount, line) for line, msisdn, amount in lines}
        found = ClubMember.select(ClubMember.id, Number.msisdn).join(Number)
        found = found.where(Number.msisdn.in_(list(spent)), Number.active, ClubMember.ended_at.is_null())
        members = {id: spent[msisdn] for id, msisdn in found.tuples()}
        self._credit(members)
        self.count.strangers += len(spent) - len(members)

    def credit_nothing(self, progress: Callable[[int], None] | None = None) -> None:
        """Members of whom no line spoke spent nothing; call it when all lines were credited.

        `progress` is told the last member's id.
        """
        told = ClubMonth.select().where(ClubMonth.member == ClubMember.id, ClubMonth.month == self.month)
        silent = ClubMember.select(ClubMember.id).where(
            ClubMember.number.is_null(False),
            ClubMember.ended_at.is_null(),
            ClubMember.earns_from <= first_day(self.month),
            ~fn.EXISTS(told),
        )
        last = 0
        while ids := [
            id for (id,) in silent.where(ClubMember.id > last).order_by(ClubMember.id).limit(BATCH).tuples()
        ]:
            last = ids[-1]
            self._credit(dict.fromkeys(ids, (0, 0)))
            if progress is not None:
                progress(last)

    def _credit(self, spent: dict[int, tuple[int, int]]) -> None:
        """`spent`: member's id → (minor units, line)."""
        if not spent:
            return
        count = MonthCount()
        with db.atomic():
            members = ClubMember.hold_all(spent, self.now)
            kept = ClubMonth.select(ClubMonth.member, ClubMonth.spent).where(
                ClubMonth.member.in_(members), ClubMonth.month == self.month
            )
            kept = dict(kept.tuples())
            first, new = first_day(self.month), []
            for member in members:
                amount, line = spent[member.id]
                if member.id in kept:
                    count.unchanged += kept[member.id] == amount
                    if kept[member.id] != amount:
                        count.differ.append((line, kept[member.id]))
                elif member.earns_from > first:
                    count.strangers += 1
                else:
                    new.append(member)
            self._write(new, {member.id: spent[member.id][0] for member in new}, count)
            crash.at("club: month credited")
        self._add(count)

    def _write(self, members: list[ClubMember], spent: dict[int, int], count: MonthCount) -> None:
        if not members:
            return
        about, credits = {"month": self.month}, []
        for member in members:
            if points := self._rates.for_spent(spent[member.id]):
                credits.append(Credit(member, points, month_key(member.id, self.month), about))
        year = first_day(self.month).year
        until = self._rates.last_day(year)
        entries = credit_all(credits, "month", self.now, year=year, until=until)
        ClubMonth.insert_many(
            {
                "member": member.id,
                "month": self.month,
                "spent": spent[member.id],
                "entry": entries.get(member.id),
                "at": self.now,
            }
            for member in members
        ).execute()
        count.credited, count.points = len(credits), sum(one.points for one in credits)
        count.idle = len(members) - len(credits)
        self._unblock([member for member in members if member.is_blocked and member.id in entries])
        self._block([member for member in members if not member.is_blocked and member.id not in entries], count)
        if until < local_day(self.now):
            # A month that was told years late.
            lapse_all(members, self.now)

    def _block(self, members: list[ClubMember], count: MonthCount) -> None:
        if not members:
            return
        since = months_before(first_day(self.month), self._least - 1)[:1] or [self.month]
        rows: dict[int, list[tuple[str, bool]]] = {member.id: [] for member in members}
        told = ClubMonth.select(ClubMonth.member, ClubMonth.month, ClubMonth.entry)
        for id, month, entry in told.where(ClubMonth.member.in_(members), ClubMonth.month >= since[0]).tuples():
            rows[id].append((month, entry is not None))
        idle = {member: run for member in members if (run := idle_run(rows[member.id], self._least)[1])}
        block_all(idle, self.now)
        count.blocked += len(idle)

    def _unblock(self, members: list[ClubMember]) -> None:
        if not members:
            return
        rows: dict[int, list[tuple[str, bool]]] = {member.id: [] for member in members}
        told = ClubMonth.select(ClubMonth.member, ClubMonth.month, ClubMonth.entry)
        for id, month, entry in told.where(ClubMonth.member.in_(members)).tuples():
            rows[id].append((month, entry is not None))
        marked = ClubEntry.select(ClubEntry.member, ClubEntry.about).where(
            ClubEntry.member.in_(members), ClubEntry.kind == "blocked"
        )
        since = {id: about["months"][0] for id, about in marked.order_by(ClubEntry.id).tuples()}
        free = []
        for member in members:
            earned, idle = idle_run(rows[member.id], self._least)
            # A month that is told late, from before, is not earning again.
            if not idle and earned >= since[member.id]:
                free.append(member)
        unblock_all(free, self.now)

    def _add(self, count: MonthCount) -> None:
        for one in fields(MonthCount):
            setattr(self.count, one.name, getattr(self.count, one.name) + getattr(count, one.name))


def block_all_due(now, within: float = 10) -> int:
    """Block the fixed services that were not topped up for some months; returns how many (CLB-7).

    Mobile numbers are blocked by the month's data: what was not told is not known. After `within` seconds the rest is
    left to the next time: Unfinished.
    """
    today = local_day(now - GRACE)
    months = months_before(today, Rates(today)["block", ""])
    # In the shop's zone the month begins some hours before it does in UTC.
    since = datetime.combine(first_day(months[0]), time(), ZONE)
    earned = ClubTopup.select().where(
        ClubTopup.fixed == ClubMember.fixed, ClubTopup.topped_up_at >= since, ClubTopup.entry.is_null(False)
    )
    idle = ClubMember.select(ClubMember.id).where(
        ClubMember.fixed.is_null(False),
        ClubMember.ended_at.is_null(),
        ClubMember.blocked_at.is_null(),
        ClubMember.earns_from <= first_day(months[0]),
        ~fn.EXISTS(earned),
    )
    total, last, began = 0, 0, monotonic()
    while ids := [id for (id,) in idle.where(ClubMember.id > last).order_by(ClubMember.id).limit(BATCH).tuples()]:
        last = ids[-1]
        with db.atomic():
            for member in ClubMember.hold_all(ids, now):
                follow_earning(member, now)
                total += member.is_blocked
        if monotonic() - began >= within:
            return Unfinished(total)
    return total


# Months


def first_day(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def last_day(month: str) -> date:
    return month_after(first_day(month)) - timedelta(days=1)


def month_of(day: date) -> str:
    """ "2026-10"."""
    return f"{day:%Y-%m}"


def month_key(member_id: int, month: str) -> str:
    """Of the entry for a month: there is one (CLB-3)."""
    return f"month:{member_id}:{month}"


def require_over(month: str, now) -> None:
    """Raises NotOver while the month runs, in the shop's zone."""
    if local_day(now) <= last_day(month):
        raise NotOver


# Earning, or not


def follow_earning(member: ClubMember, now) -> None:
    """Block or unblock a held member as what was earned says (CLB-7)."""
    least = Rates(local_day(now))["block", ""]
    earned, idle = (_of_number if member.number_id else _of_fixed)(member, now, least)
    if idle:
        block(member, now, idle)
    elif member.is_blocked and earned is not None:
        marked = member.entries.where(ClubEntry.kind == "blocked").order_by(ClubEntry.id.desc()).get()
        # A month that is told late, from before, is not earning again.
        if earned >= marked.about["months"][0]:
            unblock(member, now)


def idle_run(rows: list[tuple[str, bool]], least: int) -> tuple[str | None, list[str]]:
    """(the last month with points or None, the first `least` months in a row without any after it, or []).

    `rows`: (month, whether it gave points) of each month that was told, in any order. A month that was not told is
    neither.
    """
    rows = sorted(rows)
    earned = max((month for month, points in rows if points), default=None)
    run: list[str] = []
    for month, _ in rows:
        if earned is not None and month <= earned:
            continue
        follows = run and month_after(first_day(run[-1])) == first_day(month)
        run = [*run, month] if follows else [month]
        if len(run) == least:
            return earned, run
    return earned, []


def _of_number(member: ClubMember, now, least: int) -> tuple[str | None, list[str]]:
    rows = ClubMonth.select(ClubMonth.month, ClubMonth.entry).where(ClubMonth.member == member).tuples()
    return idle_run([(month, entry is not None) for month, entry in rows], least)


def _of_fixed(member: ClubMember, now, least: int) -> tuple[str | None, list[str]]:
    last = (
        ClubTopup.select(fn.MAX(ClubTopup.topped_up_at))
        .join(ClubEntry)
        .where(ClubTopup.fixed == member.fixed_id, ClubEntry.member == member)
        .scalar()
    )
    earned = None if last is None else month_of(local_day(MomentField().python_value(last)))
    # The first ones after it, whenever that is looked at.
    first = member.earns_from if earned is None else max(member.earns_from, month_after(first_day(earned)))
    months = [month_of(first)]
    while len(months) < least:
        months.append(month_of(month_after(first_day(months[-1]))))
    return earned, months if last_day(months[-1]) < local_day(now - GRACE) else []


def months_before(day: date, count: int) -> list[str]:
    """The last `count` months that were over on `day`, the first one first."""
    months, first = [], day.replace(day=1)
    for _ in range(count):
        first = (first - timedelta(days=1)).replace(day=1)
        months.append(month_of(first))
    return months[::-1]
