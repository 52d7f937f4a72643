"""When the billing system spoke of a row last, so that an earlier word does not undo it (docs/bss.md)."""

from datetime import datetime

from peewee import EXCLUDED, CharField

from models.base import BaseModel, MomentField, locked


class BssKnown(BaseModel):
    """The moment of the last pushed change of a row, or of the last extract that told its own; none of other rows."""

    # As in models.bss_push.KINDS, and the row's key there.
    kind = CharField(max_length=20)
    key = CharField(max_length=40)
    at = MomentField()

    class Meta:
        indexes = ((("kind", "key"), True),)

    @classmethod
    def advance(cls, kind: str, key: str, at: datetime) -> bool:
        """Note a change of `at`; false, and nothing is noted, when a later one is known.

        Changes of one row wait here for each other.
        """
        cls.insert(kind=kind, key=key, at=at).on_conflict_ignore().execute()
        row = locked(cls.select().where(cls.kind == kind, cls.key == key)).get()
        if row.at > at:
            return False
        cls.update(at=at).where(cls.id == row.id).execute()
        return True

    @classmethod
    def advance_all(cls, kind: str, keys: list[str], at: datetime) -> None:
        """Note for each row that it was told as of `at`; where a later moment is known, that stays."""
        if keys:
            (
                cls.insert_many([{"kind": kind, "key": key, "at": at} for key in keys])
                .on_conflict(
                    conflict_target=[cls.kind, cls.key], update={cls.at: EXCLUDED.at}, where=cls.at < EXCLUDED.at
                )
                .execute()
            )

    @classmethod
    def later_than(cls, kind: str, keys: list[str], at: datetime) -> set[str]:
        """Of which rows a change after `at` is known."""
        found = cls.select(cls.key).where(cls.kind == kind, cls.key.in_(keys), cls.at > at)
        return {key for (key,) in found.tuples()}
