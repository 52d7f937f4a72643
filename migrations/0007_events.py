"""What the billing system pushes, and the events that it is told of.

Generated from the models; the CHECKs, which a generated file leaves out, are added by hand.
"""

from peewee import *

from models.base import MomentField


def up(migrator, db):
    class BssMessage(Model):
        message = CharField(unique=True, max_length=80)
        kind = CharField(max_length=20)
        digest = CharField(max_length=64)
        result = CharField(
            max_length=10,
            default="",
            constraints=[Check("result IN ('', 'added', 'changed', 'unchanged', 'older')")],
        )
        taken_at = MomentField(index=True)

        class Meta:
            database = db
            table_name = "bss_message"

    class BssKnown(Model):
        kind = CharField(max_length=20)
        key = CharField(max_length=40)
        at = MomentField()

        class Meta:
            database = db
            table_name = "bss_known"
            indexes = ((("kind", "key"), True),)

    class BssEvent(Model):
        uuid = CharField(unique=True, max_length=36)
        sequence = IntegerField(null=True, unique=True)
        kind = CharField(max_length=30)
        version = IntegerField(default=1)
        subject = CharField(max_length=40)
        payload = JSONField()
        at = MomentField()
        state = CharField(
            max_length=8, default="due", constraints=[Check("state IN ('due', 'sent', 'refused', 'skipped')")]
        )
        tries = IntegerField(default=0)
        due_at = MomentField()
        sent_at = MomentField(null=True)
        unreachable_at = MomentField(null=True)
        trouble = CharField(max_length=255, default="")

        class Meta:
            database = db
            table_name = "bss_event"
            indexes = ((("state", "due_at"), False), (("subject", "state"), False))

    db.create_tables([BssMessage, BssKnown, BssEvent])


def down(migrator, db):
    for table in ("bss_event", "bss_known", "bss_message"):
        migrator.migrate(migrator.drop_table(table))
