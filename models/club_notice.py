"""That points are about to lapse, told once for each time ahead (CLB-6)."""

import time
from collections.abc import Callable, Iterator
from datetime import date, timedelta

from peewee import CharField, Check, DateField, ForeignKeyField, IntegerField, fn

import crash
from models.base import BaseModel, MomentField, Unfinished, db
from models.calendar import end_of_day, is_daytime, local_day
from models.club_ledger import BATCH, OPEN, ClubLot
from models.club_member import ClubMember
from models.club_rate import Rates
from models.club_reach import reach
from models.outbox import Mail
from models.sms import Sms


class ClubNotice(BaseModel):
    """One notice to one member of one last day."""

    member = ForeignKeyField(ClubMember, on_delete="RESTRICT")
    usable_until = DateField()
    # Which of the two it is.
    step = CharField(max_length=5, constraints=[Check("step IN ('first', 'last')")])
    points = IntegerField(constraints=[Check("points > 0")])
    at = MomentField()

    class Meta:
        indexes = ((("member", "usable_until", "step"), True),)

    @classmethod
    def tell_all_due(cls, now, progress: Callable[[int], None] | None = None, within: float = 10) -> int:
        """Tell members which points lapse soon, by SMS and mail; returns how many notices.

        After days off only what is still true is told: of two notices that are due the later one, and nothing of a
        day that is over. It may be killed between its transactions, and may run twice. After
        `within` seconds it leaves the rest to the next time: Unfinished.
        """
        if not is_daytime(now):
            return 0
        total, began = 0, time.monotonic()
        for step, day in cls._days(now):
            last = 0
            while due := cls._due(step, day, last):
                last = due[-1][0]
                total += cls._tell(step, day, dict(due), now)
                if progress is not None:
                    progress(total)
                if time.monotonic() - began >= within:
                    return Unfinished(total)
        return total

    @classmethod
    def _days(cls, now) -> Iterator[tuple[str, date]]:
        """(notice, last day) of the lots of which it is time to speak."""
        today = local_day(now)
        rates = Rates(today)
        first, last = rates["notice", "first"], rates["notice", "last"]
        ahead = today + timedelta(days=max(first, last))
        days = ClubLot.select(ClubLot.usable_until).where(OPEN, ClubLot.usable_until.between(today, ahead))
        for (day,) in days.distinct().order_by(ClubLot.usable_until).tuples():
            left = (day - today).days
            if last and left <= last:
                yield "last", day
            elif first and left <= first:
                yield "first", day

    @classmethod
    def _due(cls, step: str, day: date, after: int) -> list[tuple[int, int]]:
        """(member's id, points) of some hundred members after the one with that id."""
        told = cls.select().where(cls.member == ClubLot.member, cls.usable_until == day, cls.step == step)
        due = (
            ClubLot.select(ClubLot.member, fn.SUM(ClubLot.left))
            .where(OPEN, ClubLot.usable_until == day, ClubLot.member > after, ~fn.EXISTS(told))
            .group_by(ClubLot.member)
            .order_by(ClubLot.member)
            .limit(BATCH)
        )
        return list(due.tuples())

    @classmethod
    def _tell(cls, step: str, day: date, points: dict[int, int], now) -> int:
        with db.atomic():
            # Held, so that what is told is not being spent at this moment, and two workers take turns.
            # Whose service became somebody else's is no member any more: the new holder hears nothing of it.
            held = [member.id for member in ClubMember.hold_all(points, now)]
            lots = ClubLot.select(ClubLot.member, fn.SUM(ClubLot.left)).where(
                OPEN, ClubLot.usable_until == day, ClubLot.member.in_(held)
            )
            points = dict(lots.group_by(ClubLot.member).tuples())
            told = cls.select(cls.member).where(
                cls.member.in_(list(points)), cls.usable_until == day, cls.step == step
            )
            for (id,) in told.tuples():
                del points[id]
            if not points:
                return 0
            rows = [
                {"member": id, "usable_until": day, "step": step, "points": sum_, "at": now}
                for id, sum_ in points.items()
            ]
            cls.insert_many(rows).execute()
            crash.at("club: notices written")
            members = ClubMember.with_service_and_profile().where(ClubMember.id.in_(list(points)))
            members = list(members.order_by(ClubMember.id))
            ways = reach(members)
            messages, mails = [], []
            for member in members:
                way = ways[member.id]
                data = {"member": member.id, "points": points[member.id], "until": day.isoformat()}
                key = f"points_lapse:{member.id}:{day}:{step}"
                common = {"key": key, "language": member.language, "data": data}
                if way.msisdn:
                    messages.append({"recipient": way.msisdn, "until": end_of_day(day), **common})
                if way.profile is not None:
                    mails.append({"recipient": way.profile.email, "profile": way.profile.id, **common})
            Sms.write_all("points_lapse", messages, now)
            Mail.write_all("points_lapse", mails, now)
        return len(points)
