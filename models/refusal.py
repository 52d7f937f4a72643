"""Mailboxes that want no mails of a kind, remembered without their address (PRV-2, PRV-3)."""

from peewee import CharField, Check

from models.base import BaseModel, MomentField
from models.mark import mark_of


class Refusal(BaseModel):
    """That a mailbox is not asked again, once the words that said so are gone (models/consent.py).

    Whoever stops the mails stops them for good, and the proof of a consent goes after its years, or with the profile.
    The row is written just before, and stays: it only ever keeps a mail from being written.
    """

    mark = CharField(max_length=64, constraints=[Check("mark <> ''")])
    kind = CharField(max_length=20)
    at = MomentField()

    class Meta:
        indexes = ((("mark", "kind"), True),)

    @classmethod
    def keep(cls, email: str, kind: str, now) -> None:
        """Twice is once; the first moment stays."""
        (
            cls.insert(mark=mark_of(email), kind=kind, at=now)
            # SQLite's OR IGNORE would also swallow a row that a CHECK refuses.
            .on_conflict(conflict_target=[cls.mark, cls.kind], update={cls.kind: cls.kind})
            .execute()
        )

    @classmethod
    def holds(cls, email: str, kind: str) -> bool:
        return cls.select().where(cls.mark == mark_of(email), cls.kind == kind).exists()
