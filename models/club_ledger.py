"""The club's ledger: entries that are never changed, and the lots that they move points in and out of (CLB-16).

An entry is one thing that happened to a member's points, with the balance after it. Its movements say which lots gave
or took: a lot is what was earned at one time, with its year and its last day (CLB-5). Entries and movements are only
ever added; triggers of the database refuse everything else. `audit` works the rest out anew from them.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from peewee import (
    JOIN,
    SQL,
    Case,
    CharField,
    Check,
    DateField,
    ForeignKeyField,
    IntegerField,
    JSONField,
    chunked,
    fn,
)

import crash
from models.base import BaseModel, MomentField, Unfinished, db, locked
from models.calendar import local_day
from models.club_member import ClubMember
from models.club_rate import Rates

EARNED = ("welcome", "month", "topup")
SPENT = ("units", "bundle", "voucher", "gift", "order")
GONE = ("lapsed", "lost")
BACK = ("returned",)
# They move nothing, and stand in the history.
MARKS = ("blocked", "unblocked")
KINDS = (*EARNED, *SPENT, *GONE, *BACK, *MARKS)
# Members in one transaction of a run over all of them.
BATCH = 500


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
    at = MomentField(index=True)
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
        indexes = ((("member", "usable_until"), False),)
        constraints = [Check('"left" <= points')]


# Written out: with a parameter in it a database does not see that the index of open lots fits.
OPEN = SQL('"left" > 0')
# What is due is found among the open lots alone, however long the history grows.
ClubLot.add_index(ClubLot.index(ClubLot.usable_until, ClubLot.member, where=OPEN, name="club_lot_open"))


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


@dataclass(frozen=True, slots=True)
class Credit:
    """Points for one of many members; as in `credit`."""

    member: ClubMember
    points: int
    key: str
    about: dict


def credit_all(credits: list[Credit], kind: str, now, *, year: int, until: date) -> dict[int, int]:
    """As `credit`, for some hundred members that are held, each once, in a few statements.

    Returns member's id → entry's id. Whoever calls it has seen that no key is there: one that is raises
    IntegrityError, and nothing of the transaction stays.
    """
    if not credits:
        return {}
    rows = []
    for one in credits:
        one.member.balance += one.points
        rows.append(_row(one.member, kind, one.points, now, one.key, one.about))
    ids = _insert_entries(rows)
    lots = [
        {"member": one.member.id, "entry": ids[one.key], "year": year, "usable_until": until}
        | {"points": one.points, "left": one.points}
        for one in credits
    ]
    ClubLot.insert_many(lots).execute()
    opened = dict(ClubLot.select(ClubLot.entry, ClubLot.id).where(ClubLot.entry.in_(list(ids.values()))).tuples())
    moved = [{"entry": ids[one.key], "lot": opened[ids[one.key]], "points": one.points} for one in credits]
    ClubMovement.insert_many(moved).execute()
    _keep_balances([one.member for one in credits])
    return {one.member.id: ids[one.key] for one in credits}


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


def give_back(entry: ClubEntry, member: ClubMember, now, *, about: dict, extend: bool = True) -> ClubEntry | None:
    """Undo a debit, once (PAY-9): points return to their lots, or for 30 days to a new one if the last day is over.

    Without `extend` that day stays: points that are over return and lapse at once, as they would have (CLB-5).
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
        # What lapsed a moment ago, by a clock that is a little ahead, has lapsed, too.
        if lot.usable_until >= today and not _has_lapsed(lot):
            _move(back, lot, -movement.points)
        else:
            until = today + timedelta(days=Rates(today)["days", "returned"]) if extend else lot.usable_until
            _open(back, -movement.points, lot.year, until)
    if not extend:
        lapse(member, now)
    return back


def lapse(member: ClubMember, now) -> None:
    """End the lots whose last day is over, an entry for each such day (CLB-5). Blocked points lapse, too."""
    lapse_all([member], now)


def lapse_all(members: list[ClubMember], now) -> int:
    """As `lapse`, for some hundred members that are held, in a few statements; returns of how many points lapsed."""
    by_id = {member.id: member for member in members}
    over = ClubLot.select().where(ClubLot.member.in_(list(by_id)), OPEN, ClubLot.usable_until < local_day(now))
    days: dict[tuple[int, date], list[ClubLot]] = {}
    for lot in over.order_by(ClubLot.member, ClubLot.usable_until, ClubLot.id):
        days.setdefault((lot.member_id, lot.usable_until), []).append(lot)
    if not days:
        return 0
    rows, keys = [], {}
    for (member_id, day), lots in days.items():
        member, points = by_id[member_id], sum(lot.left for lot in lots)
        member.balance -= points
        key = keys[member_id, day] = _lapse_key(lots)
        rows.append(_row(member, "lapsed", -points, now, key, {"until": day.isoformat()}))
    ids = _insert_entries(rows)
    crash.at("club: lapsing")
    moved = [
        {"entry": ids[keys[of]], "lot": lot.id, "points": -lot.left} for of, lots in days.items() for lot in lots
    ]
    for part in _parts(moved):
        ClubLot.update(left=0).where(ClubLot.id.in_([row["lot"] for row in part])).execute()
        ClubMovement.insert_many(part).execute()
    members = list({member_id: by_id[member_id] for member_id, _ in days}.values())
    _keep_balances(members)
    return len(members)


def lapse_all_due(now, progress: Callable[[int], None] | None = None, within: float = 10) -> int:
    """End all lots whose last day is over, some hundred members in a transaction; returns of how many members.

    It catches up after days off, may be killed in between, and may run twice (CLB-5). After `within` seconds it
    leaves the rest to the next time, for the worker has payments to see to: Unfinished.
    """
    total, began = 0, time.monotonic()
    # Neither distinct nor in an order: SQLite would go through the whole history for that.
    due = ClubLot.select(ClubLot.member).where(OPEN, ClubLot.usable_until < local_day(now)).limit(BATCH)
    while ids := {id for (id,) in due.tuples()}:
        with db.atomic():
            held = locked(ClubMember.select().where(ClubMember.id.in_(list(ids))).order_by(ClubMember.id))
            total += lapse_all(list(held), now)
        if progress is not None:
            progress(total)
        if time.monotonic() - began >= within:
            return Unfinished(total)
    return total


def lose(member: ClubMember, now, why: str) -> ClubEntry | None:
    """End all lots, because of `why`; None where there was nothing to lose (CLB-14).

    Points that an order holds cannot come back after it: an entry says so, though it may take none.
    """
    lots = list(ClubLot.select().where(ClubLot.member == member, ClubLot.left > 0).order_by(ClubLot.id))
    if not lots and not ClubEntry.select().where(ClubEntry.member == member, ClubEntry.kind.in_(SPENT)).exists():
        return None
    key = f"lost:{member.id}:{lots[0].id if lots else 0}:{now.timestamp():.6f}"
    known = entry_of(key)
    if known is not None:
        return known
    entry = _enter(member, "lost", -sum(lot.left for lot in lots), now, key, {"why": why})
    for lot in lots:
        _move(entry, lot, -lot.left)
    return entry


def block(member: ClubMember, now, months: list[str]) -> None:
    """No points were earned in `months` ("2026-09"): they are kept, and cannot be used (CLB-7)."""
    block_all({member: months}, now)


def block_all(idle: dict[ClubMember, list[str]], now) -> None:
    """As `block`, for some hundred members that are held, in a few statements."""
    idle = {member: months for member, months in idle.items() if not member.is_blocked}
    if idle:
        _mark_all({member: {"months": months} for member, months in idle.items()}, "blocked", now, now)


def unblock(member: ClubMember, now) -> None:
    """Points were earned again (CLB-7)."""
    unblock_all([member], now)


def unblock_all(members: list[ClubMember], now) -> None:
    """As `unblock`, for some hundred members that are held, in a few statements."""
    members = [member for member in members if member.is_blocked]
    if members:
        _mark_all({member: {} for member in members}, "unblocked", now, None)


def _mark_all(about: dict[ClubMember, dict], kind: str, now, blocked_at) -> None:
    # The entry before it tells one mark from the next.
    last = ClubEntry.select(ClubEntry.member, fn.MAX(ClubEntry.id)).where(ClubEntry.member.in_(list(about)))
    last = dict(last.group_by(ClubEntry.member).tuples())
    rows = []
    for member, told in about.items():
        rows.append(_row(member, kind, 0, now, f"{kind}:{member.id}:{last.get(member.id, 0)}", told))
        member.blocked_at = blocked_at
    for part in _parts(rows):
        ClubEntry.insert_many(part).execute()
        ids = [row["member"] for row in part]
        ClubMember.update(blocked_at=blocked_at).where(ClubMember.id.in_(ids)).execute()


def _lapse_key(lots: list[ClubLot]) -> str:
    # A lot lapses once: what comes back afterwards gets a lot of its own.
    return f"lapsed:{lots[0].id}"


def _has_lapsed(lot: ClubLot) -> bool:
    gone = ClubMovement.select().join(ClubEntry).where(ClubMovement.lot == lot, ClubEntry.kind == "lapsed")
    return gone.exists()


def _row(member: ClubMember, kind: str, points: int, now, key: str, about: dict) -> dict:
    """An entry's row; the member's balance is the one after it."""
    return {
        "member": member.id,
        "kind": kind,
        "points": points,
        "balance": member.balance,
        "at": now,
        "key": key,
        "about": about,
    }


def _insert_entries(rows: list[dict]) -> dict[str, int]:
    """Key → the id of its entry, in the order of `rows`."""
    ids: dict[str, int] = {}
    for part in _parts(rows):
        ClubEntry.insert_many(part).execute()
        keys = [row["key"] for row in part]
        ids.update(ClubEntry.select(ClubEntry.key, ClubEntry.id).where(ClubEntry.key.in_(keys)).tuples())
    return ids


def _keep_balances(members: list[ClubMember]) -> None:
    for part in _parts(members):
        balances = Case(ClubMember.id, [(member.id, member.balance) for member in part])
        ClubMember.update(balance=balances).where(ClubMember.id.in_([member.id for member in part])).execute()


def _parts(rows: list) -> Iterator[list]:
    """Statements have a limit of parameters."""
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


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


# Reading


def given_back(entry: ClubEntry) -> ClubEntry | None:
    """The entry that undid this debit."""
    return entry_of(f"back:{entry.id}")


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


def audit(progress: Callable[[int], None] | None = None) -> Iterator[str]:
    """Work everything out anew from what was written; a line for each difference (CLB-16).

    Members are looked at some hundred at a time, with all that ever happened to them, while nothing happens to these:
    the shop may be open. `progress` is told the last one's id. Each entry is done again in its order: what it moved,
    that no lot gave more than it had or after its last day, that the oldest gave first, and that a month gave the
    points of its rate.
    """
    last = 0
    while ids := [
        id
        for (id,) in ClubMember.select(ClubMember.id)
        .where(ClubMember.id > last)
        .order_by(ClubMember.id)
        .limit(BATCH)
        .tuples()
    ]:
        last = ids[-1]
        with db.atomic():
            # Each change holds its member: what is read by one statement after the other is of one moment.
            list(
                locked(
                    ClubMember.select(ClubMember.id).where(ClubMember.id.in_(ids)).order_by(ClubMember.id)
                ).tuples()
            )
            found = [*_audit(ids), *_audit_months(ids)]
        yield from found
        if progress is not None:
            progress(last)


def _audit(ids: list[int]) -> Iterator[str]:
    lots = {lot.id: lot for lot in ClubLot.select().where(ClubLot.member.in_(ids)).order_by(ClubLot.id)}
    entries: dict[int, list[ClubEntry]] = {}
    written = list(ClubEntry.select().where(ClubEntry.member.in_(ids)).order_by(ClubEntry.id))
    for entry in written:
        entries.setdefault(entry.member_id, []).append(entry)
    movements: dict[int, list[ClubMovement]] = {}
    # By their entries, not by a join: after a month's credit PostgreSQL believes for a while that there are none, and
    # would go through all for each.
    for some in chunked((entry.id for entry in written), 2 * BATCH):
        for movement in ClubMovement.select().where(ClubMovement.entry.in_(list(some))):
            movements.setdefault(movement.entry_id, []).append(movement)
    of_member: dict[int, list[ClubLot]] = {}
    for lot in lots.values():
        of_member.setdefault(lot.member_id, []).append(lot)
    for member in ClubMember.select().where(ClubMember.id.in_(ids)).order_by(ClubMember.id):
        mine = {lot.id: 0 for lot in of_member.get(member.id, ())}
        balance, blocked = 0, False
        for entry in entries.get(member.id, ()):
            balance += entry.points
            yield from _audit_entry(entry, balance, movements.get(entry.id, []), lots, mine)
            if entry.kind in MARKS:
                blocked = entry.kind == "blocked"
            elif blocked and entry.kind in SPENT:
                yield f"Entry {entry.id}: spends blocked points."
        for id, left in mine.items():
            if left != lots[id].left:
                yield f"Lot {id} of member {member.id}: {lots[id].left} left, its movements say {left}."
        for name, said in (("lots", sum(lots[id].left for id in mine)), ("entries", balance)):
            if said != member.balance:
                yield f"Member {member.id}: balance {member.balance}, the {name} say {said}."
        if blocked != member.is_blocked and member.ended_at is None:
            yield f"Member {member.id}: is {'' if member.is_blocked else 'not '}blocked, the entries say otherwise."


def _audit_entry(
    entry: ClubEntry, balance: int, movements: list[ClubMovement], lots: dict[int, ClubLot], left: dict[int, int]
) -> Iterator[str]:
    """`left`: what is left of the member's lots before the entry; it is brought up to date."""
    name, moved = f"Entry {entry.id}", sum(movement.points for movement in movements)
    if moved != entry.points:
        yield f"{name}: {entry.points} points, its movements say {moved}."
    if balance != entry.balance:
        yield f"{name}: balance {entry.balance}, the entries say {balance}."
    day, gave = local_day(entry.at), []
    for movement in movements:
        if movement.lot_id not in left:
            yield f"{name}: moves points of lot {movement.lot_id}, which is another member's."
            continue
        lot = lots[movement.lot_id]
        left[lot.id] += movement.points
        if not 0 <= left[lot.id] <= lot.points:
            yield f"{name}: leaves {left[lot.id]} of the {lot.points} points of lot {lot.id}."
        if entry.kind in SPENT and lot.usable_until < day:
            yield f"{name}: spends points of lot {lot.id} after their last day."
        if entry.kind == "lapsed" and lot.usable_until >= day:
            yield f"{name}: ends points of lot {lot.id} before their last day is over."
        gave.append((lot.usable_until, lot.id))
    if entry.kind in SPENT and gave:
        older = [
            id
            for id, points in left.items()
            if points and lots[id].entry_id < entry.id and lots[id].usable_until >= day
            if (lots[id].usable_until, id) < max(gave)
        ]
        if older:
            yield f"{name}: spends points of lot {max(gave)[1]}, though lot {older[0]} is older."


def _audit_months(ids: list[int]) -> Iterator[str]:
    from models.club_month import ClubMonth, last_day

    rates: dict[str, Rates] = {}
    for row in (
        ClubMonth.select(ClubMonth, ClubEntry).join(ClubEntry, JOIN.LEFT_OUTER).where(ClubMonth.member.in_(ids))
    ):
        if row.month not in rates:
            rates[row.month] = Rates(last_day(row.month))
        points = 0 if row.entry_id is None else row.entry.points
        if points != rates[row.month].for_spent(row.spent):
            yield f"Month {row.month} of member {row.member_id}: {points} points, {row.spent} spent."
