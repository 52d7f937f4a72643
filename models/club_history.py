"""The history of a member's points, page by page (CLB-15)."""

from datetime import UTC, datetime

from peewee import fn

from models.calendar import ZONE
from models.club_ledger import BACK, EARNED, GONE, SPENT, ClubEntry
from models.club_member import ClubMember

PER_PAGE = 20
# What a member filters by. What comes back stands beside what was spent.
GROUPS = {"earned": EARNED, "spent": SPENT + BACK, "gone": GONE}


class History:
    """A page of a member's entries, newest first: all, or those of a group and of a year in the shop's time.

    Three queries, however many entries there are. A page beyond the last one is the last one.
    """

    def __init__(self, member: ClubMember, group: str = "", year: int | None = None, page: int = 1):
        self.member, self.group = member, group if group in GROUPS else ""
        mine = ClubEntry.member == member
        first, last = ClubEntry.select(fn.MIN(ClubEntry.at), fn.MAX(ClubEntry.at)).where(mine).scalar(as_tuple=True)
        self.years = list(range(_year(last), _year(first) - 1, -1)) if first else []
        self.year = year if year in self.years else None
        wanted = mine
        if self.group:
            wanted &= ClubEntry.kind.in_(GROUPS[self.group])
        if self.year:
            wanted &= (ClubEntry.at >= _start(self.year)) & (ClubEntry.at < _start(self.year + 1))
        self.total = ClubEntry.select().where(wanted).count()
        self.pages = max(1, -(-self.total // PER_PAGE))
        self.page = min(max(1, page), self.pages)
        # In the order in which they were written: the balance after each follows from the one before.
        rows = ClubEntry.select().where(wanted).order_by(ClubEntry.id.desc())
        self.entries = list(rows.paginate(self.page, PER_PAGE))


def latest(member: ClubMember, count: int) -> list[ClubEntry]:
    """The last entries; one query."""
    return list(ClubEntry.select().where(ClubEntry.member == member).order_by(ClubEntry.id.desc()).limit(count))


def why_blocked(member: ClubMember) -> list[str]:
    """The months ("2026-09") without earning for which the member is blocked (CLB-7); one query."""
    entry = (
        ClubEntry.select()
        .where(ClubEntry.member == member, ClubEntry.kind == "blocked")
        .order_by(ClubEntry.id.desc())
        .first()
    )
    return entry.about.get("months", []) if entry else []


def _year(moment) -> int:
    # MIN and MAX of a field keep its type on PostgreSQL, and are text on SQLite.
    moment = ClubEntry.at.python_value(moment)
    return moment.astimezone(ZONE).year


def _start(year: int) -> datetime:
    return datetime(year, 1, 1, tzinfo=ZONE).astimezone(UTC)
