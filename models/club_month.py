"""What members spent in a month, and the points for it: credited once (CLB-3). What top-ups bring (CLB-4).

Who earns nothing for some months in a row cannot use the points until some are earned again (CLB-7).
"""

from datetime import date, timedelta

from peewee import CharField, Check, ForeignKeyField, IntegerField, fn

from models.base import BaseModel, MomentField, db
from models.calendar import local_day
from models.club_ledger import ClubEntry, block, credit, lapse, unblock
from models.club_member import ClubMember, FixedService, month_after
from models.club_rate import Rates


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
    months = months_before(local_day(now), least)
    idle = first_day(months[0]) >= member.earns_from and (earned is None or earned < months[0])
    return earned, months if idle else []


def months_before(day: date, count: int) -> list[str]:
    """The last `count` months that were over on `day`, the first one first."""
    months, first = [], day.replace(day=1)
    for _ in range(count):
        first = (first - timedelta(days=1)).replace(day=1)
        months.append(month_of(first))
    return months[::-1]
