"""When each device's listing was last worked out: the date that search engines are told. Written from the models."""

from peewee import *

from models.base import MomentField


def up(migrator, db):
    migrator.migrate(migrator.add_column("listing", "changed_at", MomentField(null=True)))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("listing", "changed_at"))
