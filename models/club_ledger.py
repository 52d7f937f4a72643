"""The club's ledger: entries that are never changed, and the lots that they move points in and out of (CLB-16).

An entry is one thing that happened to a member's points, with the balance after it. Its movements say which lots gave
or took: a lot is what was earned at one time, with its year and its last day (CLB-5). Entries and movements are only
ever added; triggers of the database refuse everything else. `audit` works the rest out anew from them.
"""

from collections.abc import Iterator
from datetime import date, timedelta

import structlog
from peewee import CharField, Check, DateField, ForeignKeyField, IntegerField, JSONField, fn

import crash
from models.base import BaseModel, MomentField
from models.calendar import local_day
from models.club_member import ClubMember

log = structlog.get_logger()

EARNED = ("welcome", "month", "topup")
SPENT = ("units", "bundle", "voucher", "gift", "order")
GONE = ("lapsed", "lost")
BACK = ("returned",)
# They move nothing, and stand in the history.
MARKS = ("blocked", "unblocked")
KINDS = (*EARNED, *SPENT, *GONE, *BACK, *MARKS)
# Points that come back after their last day live so many days more (PAY-9).
RETURNED_DAYS = 30


class NotEnough(Exception):
    """Fewer points than wanted; `usable` says how many there are (CLB-16)."""

    def __init__(self, usable: int):
        super().__init__("not enough points")
        self.usable = usable


class Blocked(Exception):
    """The points cannot be used until points are earned again (CLB-7)."""


def _in(name: str, values) -> str:
    return f"{name} IN ({', '.join(repr(value) for value in values)})"


class ClubEntry(BaseModel):
    """One line of a member's history (CLB-15)."""

    member = ForeignKeyField(ClubMember, backref="entries", on_delete="RESTRICT")
    kind = CharField(max_length=10)
    points = IntegerField()
    # After it.
    balance = IntegerField(constraints=[Check("balance >= 0")])
    at = MomentField()
    # Of what it comes: the same thing makes one entry, however often it is asked for.
    key = CharField(unique=True, max_length=100)
    # What the history tells beside the kind, such as {"month": "2026-10"} or {"order": "DY-…"}.
    about = JSONField()

    class Meta:
        indexes = ((("member", "at"), False),)
        constraints = [
            Check(
                f"({_in('kind', EARNED + BACK)} AND points > 0) OR ({_in('kind', (*SPENT, 'lapsed'))} AND points < 0)"
                f" OR (kind = 'lost' AND points <= 0) OR ({_in('kind', MARKS)} AND points = 0)"
            )
        ]


class ClubLot(BaseModel):
    """Points that were earned at one time; `left` of them are not used."""

    member = ForeignKeyField(ClubMember, backref="lots", on_delete="RESTRICT")
    # The entry that brought them.
    entry = ForeignKeyField(ClubEntry, on_delete="RESTRICT")
    # Earned in, and the last day on which they can be used.
    year = IntegerField()
    usable_until = DateField()
    points = IntegerField(constraints=[Check("points > 0")])
    left = IntegerField(constraints=[Check('"left" >= 0')])

    class Meta:
        indexes = ((("member", "usable_until"), False), (("usable_until", "member"), False))
        constraints = [Check('"left" <= points')]


class ClubMovement(BaseModel):
    """So many points of one entry into (+) or out of (−) one lot."""

    entry = ForeignKeyField(ClubEntry, backref="movements", on_delete="RESTRICT")
    lot = ForeignKeyField(ClubLot, backref="movements", on_delete="RESTRICT")
    points = IntegerField(constraints=[Check("points <> 0")])

    class Meta:
        indexes = ((("entry", "lot"), True),)


# Writing. Each function expects the member held (ClubMember.hold), and changes `member.balance` with the row.


def credit(
    member: ClubMember, points: int, kind: str, now, *, key: str, year: int, until: date, about: dict
) -> ClubEntry:
    """Open a lot of `points` that were earned in `year` and are good `until` that day (CLB-2…5).

    A key that is there already changes nothing: its entry is the answer.
    """
    known = entry_of(key)
    if known is not None:
        return known
    entry = _enter(member, kind, points, now, key, about)
    _open(entry, points, year, until)
    return entry


def debit(member: ClubMember, points: int, kind: str, now, *, key: str, about: dict) -> ClubEntry:
    """Take `points`, the oldest first (CLB-5). Raises Blocked, NotEnough.

    A key that is there already changes nothing: its entry is the answer.
    """
    known = entry_of(key)
    if known is not None:
        return known
    if points <= 0:
        raise ValueError(f"{points} points cannot be taken")
    if member.is_blocked:
        raise Blocked
    lots = usable_lots(member, now)
    usable = sum(lot.left for lot in lots)
    if usable < points:
        raise NotEnough(usable)
    entry = _enter(member, kind, -points, now, key, about)
    crash.at("club: entered")
    wanted = points
    for lot in lots:
        taken = min(lot.left, wanted)
        _move(entry, lot, -taken)
        wanted -= taken
        if not wanted:
            break
    return entry


def give_back(entry: ClubEntry, member: ClubMember, now, *, about: dict) -> ClubEntry | None:
    """Undo a debit, once (PAY-9): points return to their lots, or for 30 days to a new one if the last day is over.

    None where the member lost all points since: a change of tariff took these, too (CLB-14).
    """
    key = f"back:{entry.id}"
    known = entry_of(key)
    if known is not None:
        return known
    later = (ClubEntry.member == member) & (ClubEntry.kind == "lost") & (ClubEntry.id > entry.id)
    if ClubEntry.select().where(later).exists():
        return None
    today = local_day(now)
    back = _enter(member, "returned", -entry.points, now, key, about)
    taken = ClubMovement.select(ClubMovement, ClubLot).join(ClubLot).where(ClubMovement.entry == entry)
    for movement in list(taken.order_by(ClubLot.usable_until, ClubLot.id)):
        lot = movement.lot
        if lot.usable_until >= today:
            _move(back, lot, -movement.points)
        else:
            _open(back, -movement.points, lot.year, today + timedelta(days=RETURNED_DAYS))
    return back


def lapse(member: ClubMember, now) -> list[ClubEntry]:
    """End the lots whose last day is over, an entry for each such day (CLB-5). Blocked points lapse, too."""
    today = local_day(now)
    over = ClubLot.select().where(ClubLot.member == member, ClubLot.left > 0, ClubLot.usable_until < today)
    days: dict[date, list[ClubLot]] = {}
    for lot in over.order_by(ClubLot.usable_until, ClubLot.id):
        days.setdefault(lot.usable_until, []).append(lot)
    entries = []
    for day, lots in days.items():
        # A lot lapses once: what comes back afterwards gets a lot of its own.
        key = f"lapsed:{lots[0].id}"
        entries.append(_empty(member, lots, "lapsed", now, key, {"until": day.isoformat()}))
    return entries


def lose(member: ClubMember, now, why: str) -> ClubEntry | None:
    """End all lots, because of `why`; None where there was nothing to lose (CLB-14).

    Points that an order holds cannot come back after it: an entry says so, though it may take none.
    """
    lots = list(ClubLot.select().where(ClubLot.member == member, ClubLot.left > 0).order_by(ClubLot.id))
    if not lots and not ClubEntry.select().where(ClubEntry.member == member, ClubEntry.kind.in_(SPENT)).exists():
        return None
    key = f"lost:{member.id}:{lots[0].id if lots else 0}:{now.timestamp():.6f}"
    return entry_of(key) or _empty(member, lots, "lost", now, key, {"why": why})


def block(member: ClubMember, now, months: list[str]) -> None:
    """No points were earned in `months` ("2026-09"): they are kept, and cannot be used (CLB-7)."""
    if not member.is_blocked:
        _enter(member, "blocked", 0, now, f"blocked:{member.id}:{months[-1]}", {"months": months})
        member.blocked_at = now
        member.save()


def unblock(member: ClubMember, now) -> None:
    """Points were earned again (CLB-7)."""
    if member.is_blocked:
        _enter(member, "unblocked", 0, now, f"unblocked:{member.id}:{member.blocked_at.timestamp():.6f}", {})
        member.blocked_at = None
        member.save()


def _enter(member: ClubMember, kind: str, points: int, now, key: str, about: dict) -> ClubEntry:
    member.balance += points
    ClubMember.update(balance=member.balance).where(ClubMember.id == member.id).execute()
    return ClubEntry.create(
        member=member, kind=kind, points=points, balance=member.balance, at=now, key=key, about=about
    )


def _open(entry: ClubEntry, points: int, year: int, until: date) -> ClubLot:
    lot = ClubLot.create(
        member=entry.member_id, entry=entry, year=year, usable_until=until, points=points, left=points
    )
    ClubMovement.create(entry=entry, lot=lot, points=points)
    return lot


def _move(entry: ClubEntry, lot: ClubLot, points: int) -> None:
    # The row's CHECKs refuse more than there is, and more than there ever was.
    ClubLot.update(left=ClubLot.left + points).where(ClubLot.id == lot.id).execute()
    ClubMovement.create(entry=entry, lot=lot, points=points)


def _empty(member: ClubMember, lots: list[ClubLot], kind: str, now, key: str, about: dict) -> ClubEntry:
    entry = _enter(member, kind, -sum(lot.left for lot in lots), now, key, about)
    for lot in lots:
        _move(entry, lot, -lot.left)
    return entry


# Reading


def entry_of(key: str) -> ClubEntry | None:
    return ClubEntry.get_or_none(ClubEntry.key == key)


def usable_lots(member: ClubMember, now) -> list[ClubLot]:
    """What can be used, in the order in which it is (CLB-5); blocked or not."""
    good = ClubLot.select().where(ClubLot.member == member, ClubLot.left > 0, ClubLot.usable_until >= local_day(now))
    return list(good.order_by(ClubLot.usable_until, ClubLot.id))


def usable_points(member: ClubMember, now) -> int:
    """How many points the member can use now: none while they are blocked (CLB-7)."""
    return 0 if member.is_blocked else sum(lot.left for lot in usable_lots(member, now))


def lapsing(member: ClubMember, now) -> list[tuple[date, int]]:
    """(last day, points), the next first (CLB-15)."""
    days: dict[date, int] = {}
    for lot in usable_lots(member, now):
        days[lot.usable_until] = days.get(lot.usable_until, 0) + lot.left
    return list(days.items())


def audit() -> Iterator[str]:
    """Work everything out anew from the movements; a line for each difference (CLB-16)."""
    moved = dict(
        ClubMovement.select(ClubMovement.lot, fn.SUM(ClubMovement.points)).group_by(ClubMovement.lot).tuples()
    )
    lots: dict[int, int] = {}
    for lot in ClubLot.select(ClubLot.id, ClubLot.member, ClubLot.points, ClubLot.left).iterator():
        lots[lot.member_id] = lots.get(lot.member_id, 0) + lot.left
        said = moved.get(lot.id, 0)
        if said != lot.left:
            yield f"Lot {lot.id} of member {lot.member_id}: {lot.left} left, its movements say {said}."
    by_entry = dict(
        ClubMovement.select(ClubMovement.entry, fn.SUM(ClubMovement.points)).group_by(ClubMovement.entry).tuples()
    )
    running: dict[int, int] = {}
    fields = (ClubEntry.id, ClubEntry.member, ClubEntry.points, ClubEntry.balance)
    for entry in ClubEntry.select(*fields).order_by(ClubEntry.id).iterator():
        running[entry.member_id] = running.get(entry.member_id, 0) + entry.points
        if by_entry.get(entry.id, 0) != entry.points:
            yield f"Entry {entry.id}: {entry.points} points, its movements say {by_entry.get(entry.id, 0)}."
        if running[entry.member_id] != entry.balance:
            yield f"Entry {entry.id}: balance {entry.balance}, the entries say {running[entry.member_id]}."
    for member in ClubMember.select(ClubMember.id, ClubMember.balance).order_by(ClubMember.id).iterator():
        for name, sums in (("lots", lots), ("entries", running)):
            if sums.get(member.id, 0) != member.balance:
                yield f"Member {member.id}: balance {member.balance}, the {name} say {sums.get(member.id, 0)}."
