"""The second factor of who works here: apps, recovery codes and work sessions. Written from the models."""

from peewee import *

from models.base import MomentField


def up(migrator, db):
    class Profile(Model):
        class Meta:
            database = db
            table_name = "profile"

    class SecondFactor(Model):
        profile = ForeignKeyField(Profile, unique=True, on_delete="CASCADE")
        nonce = CharField(max_length=32)
        last_step = IntegerField(default=0, constraints=[Check("last_step >= 0")])
        since = MomentField()

        class Meta:
            database = db
            table_name = "second_factor"

    class RecoveryCode(Model):
        factor = ForeignKeyField(SecondFactor, on_delete="CASCADE")
        digest = CharField(max_length=64)
        used_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "recovery_code"
            indexes = ((("factor", "digest"), True),)

    class WorkSession(Model):
        profile = ForeignKeyField(Profile, on_delete="CASCADE")
        key = CharField(max_length=64, unique=True)
        session_number = IntegerField()
        began_at = MomentField(index=True)
        seen_at = MomentField()

        class Meta:
            database = db
            table_name = "work_session"

    db.create_tables([SecondFactor, RecoveryCode, WorkSession])


def down(migrator, db):
    for table in ("work_session", "recovery_code", "second_factor"):
        migrator.migrate(migrator.drop_table(table))
