"""The delivery calendar: Monday to Saturday without public holidays (DLV-2). Pure functions of a date."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from holidays import country_holidays

import config

ZONE = ZoneInfo(config.TIMEZONE)

# In between nobody is woken by what can wait: what came due at night is told in the morning, in the shop's zone.
HOURS = range(9, 20)

# Hours of the day in Skopje in which the courier comes, from and to.
WINDOWS = ((9, 12), (12, 15), (15, 18))
# What a shopper may wish for, as forms and tables carry it: "9-12"; "" for no wish.
WISHES = tuple(f"{starts}-{ends}" for starts, ends in WINDOWS)


def wish_hours(wish: str) -> str:
    """The hours of a wish as people read them: "9–12"."""
    return wish.replace("-", "–")


@lru_cache(maxsize=16)
def public_holidays(year: int) -> frozenset[date]:
    return frozenset(country_holidays(config.COUNTRY, years=year))


def local_day(moment: datetime) -> date:
    """The day it is in the shop's country at `moment` (LOC-3)."""
    return moment.astimezone(ZONE).date()


def is_daytime(moment: datetime) -> bool:
    """Whether people may be told at `moment` what can wait (CLB-6)."""
    return moment.astimezone(ZONE).hour in HOURS


def end_of_day(day: date) -> datetime:
    """The moment at which `day` is over in the shop's country (LOC-3)."""
    return datetime.combine(day + timedelta(days=1), datetime.min.time(), ZONE).astimezone(UTC)


def is_delivery_day(day: date) -> bool:
    return day.weekday() != 6 and day not in public_holidays(day.year)


def delivery_day_after(day: date, count: int) -> date:
    """The `count`th delivery day after `day`; the day itself does not count (DLV-2)."""
    while count > 0:
        day += timedelta(days=1)
        if is_delivery_day(day):
            count -= 1
    return day


def promised_day(ordered_at: datetime) -> date:
    """By when an order of that moment is delivered (DLV-2)."""
    return delivery_day_after(local_day(ordered_at), config.DELIVERY_DAYS)


def seconds_left_today(now: datetime) -> int:
    """Seconds until the local day ends: so long a page that names a date stays true."""
    tomorrow = datetime.combine(local_day(now) + timedelta(days=1), datetime.min.time(), ZONE)
    return max(1, int((tomorrow.astimezone(UTC) - now).total_seconds()))
