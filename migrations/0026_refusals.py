"""Mailboxes that want no mails of a kind, without their address. Written from the model; its CHECK is added by hand."""

from peewee import *

from models.base import MomentField


def up(migrator, db):
    class Refusal(Model):
        mark = CharField(max_length=64, constraints=[Check("mark <> ''")])
        kind = CharField(max_length=20)
        at = MomentField()

        class Meta:
            database = db
            table_name = "refusal"
            indexes = ((("mark", "kind"), True),)

    db.create_tables([Refusal])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("refusal"))
