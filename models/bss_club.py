"""What the billing system and the network tell of the club, message by message: top-ups, a number's month, services.

They are things that happened, not rows of a copy: each counts once, by what it names itself, whatever came before or
after it (CLB-3, CLB-4, CLB-11).
"""

from models import bss_columns as columns
from models.bss_import import Count, File, Row
from models.club_member import ClubMember, FixedService, NotMember
from models.club_month import ClubMonth, ClubTopup, Differs, NotOver
from models.club_service import ClubService
from models.number import Number

TOLD_OTHERWISE = "was told otherwise before, and stays so"


class _Happening(File):
    """One kind of thing that happened; each message has all its fields."""

    is_state = False

    def __init__(self, now):
        super().__init__(now)
        self._now = now

    @classmethod
    def kind(cls):
        return cls.name

    def complete(self, values):
        return {**{name: blank for name, (_, blank) in self.columns.items() if blank is not ...}, **values}

    def write(self, batch: list[Row], count: Count) -> None:
        for row in batch:
            try:
                result = self.take(row.values)
            except ValueError as error:
                row.problem = error.args
            else:
                setattr(count, result, getattr(count, result) + 1)

    def take(self, values: dict) -> str:
        """Returns "added" or "unchanged"; raises ValueError(column, reason)."""
        raise NotImplementedError


class Topups(_Happening):
    """A fixed service was topped up (CLB-4)."""

    name, key, columns = "topup", "reference", columns.TOPUPS

    def take(self, values):
        fixed = FixedService.get_or_none(FixedService.code == values["service"])
        if fixed is None:
            raise ValueError("service", "is no fixed service of the shop")
        if values["topped_up_at"] > self._now:
            raise ValueError("topped_up_at", "is in the future")
        known = ClubTopup.select().where(ClubTopup.reference == values["reference"]).exists()
        try:
            ClubTopup.take(values["reference"], fixed, values["topped_up_at"], self._now, values["package"])
        except Differs:
            raise ValueError("reference", TOLD_OTHERWISE) from None
        return "unchanged" if known else "added"


class Spendings(_Happening):
    """What a number spent in a month that is over (CLB-3)."""

    name, key, columns = "spending", "msisdn", columns.SPENDINGS

    def take(self, values):
        number = Number.of_msisdn(values["msisdn"])
        if number is None:
            raise ValueError("msisdn", "is no number of the shop")
        member = ClubMember.of_msisdn(values["msisdn"])
        if member is None:
            return "unchanged"
        month = values["month"]
        known = ClubMonth.select().where(ClubMonth.member == member, ClubMonth.month == month).exists()
        try:
            made = ClubMonth.take(member.id, month, values["amount"], self._now)
        except NotOver:
            raise ValueError("month", "is not over") from None
        except Differs:
            raise ValueError("amount", TOLD_OTHERWISE) from None
        except NotMember:
            return "unchanged"
        return "unchanged" if known or made is None else "added"


class ClubServices(_Happening):
    """The network's answer to the event club_service_ordered (CLB-11, CLB-12)."""

    name, key, columns = "club_service", "service", columns.CLUB_SERVICES

    def take(self, values):
        service = ClubService.of_uuid(values["service"])
        if service is None:
            raise ValueError("service", "is none that the shop ordered")
        try:
            changed = (service.confirm if values["result"] == "active" else service.refuse)(self._now)
        except NotMember:
            # The number is somebody else's by now, and what the club gave it went with the membership.
            return "unchanged"
        if changed:
            return "changed"
        was = ClubService.get_by_id(service.id)
        if (was.state == "refused") != (values["result"] == "refused") and was.state in ("active", "refused"):
            raise ValueError("result", TOLD_OTHERWISE)
        return "unchanged"


HAPPENINGS = (Topups, Spendings, ClubServices)
