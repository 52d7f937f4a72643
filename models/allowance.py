"""So many of something within a time, whoever asks at once: limits that hold between processes (PRO-4)."""

from datetime import timedelta

from peewee import CharField, IntegerField

from models.base import BaseModel, MomentField, ShortLived, db


class Allowance(ShortLived, BaseModel):
    """One place of a key, and since when it is taken.

    A key has as many places as it may be used within the time; a place can be taken again once the time is over. So
    never more than that many uses lie within any stretch of that length, whatever the moment it begins at.
    """

    key = CharField(max_length=120)
    place = IntegerField()
    at = MomentField(index=True)

    class Meta:
        indexes = ((("key", "place"), True),)

    @classmethod
    def take(cls, key: str, *, most: int, within: timedelta, now) -> bool:
        """Take a place of `key`; false when all `most` are taken. It is given back when the transaction fails."""
        with db.atomic():
            for place in range(most):
                # One guarded statement: of two at once the second waits, and finds the place taken.
                taken = (
                    cls.insert(key=key, place=place, at=now)
                    .on_conflict(
                        conflict_target=[cls.key, cls.place], update={cls.at: now}, where=(cls.at <= now - within)
                    )
                    .as_rowcount()
                    .execute()
                )
                if taken:
                    return True
        return False

    @classmethod
    def free_at(cls, key: str, *, most: int, within: timedelta, now):
        """From when on a place of `key` can be taken."""
        places = [at for (at,) in cls.select(cls.at).where(cls.key == key, cls.at > now - within).tuples()]
        return sorted(places)[-most] + within if len(places) >= most else now

    @classmethod
    def past(cls, now):
        return cls.at < now - timedelta(days=1)
