"""Wish lists of guests and profiles. Written from the models; the CHECKs are added by hand."""

from peewee import *

from models.base import MomentField


def up(migrator, db):
    class Profile(Model):
        class Meta:
            database = db
            table_name = "profile"

    class Device(Model):
        class Meta:
            database = db
            table_name = "device"

    class Variant(Model):
        class Meta:
            database = db
            table_name = "variant"

    class WishList(Model):
        token = CharField(null=True, unique=True, max_length=43)
        profile = ForeignKeyField(Profile, null=True, unique=True, on_delete="CASCADE")
        share_token = CharField(null=True, unique=True, max_length=43)
        created_at = MomentField()
        seen_at = MomentField(index=True)

        class Meta:
            database = db
            table_name = "wish_list"
            constraints = [Check("(token IS NULL) <> (profile_id IS NULL)")]

    class WishLine(Model):
        wish_list = ForeignKeyField(WishList, on_delete="CASCADE")
        device = ForeignKeyField(Device, on_delete="CASCADE")
        variant = ForeignKeyField(Variant, null=True, on_delete="SET NULL")
        price_seen = IntegerField(constraints=[Check("price_seen >= 0")])
        added_at = MomentField()

        class Meta:
            database = db
            table_name = "wish_line"
            indexes = ((("wish_list", "device"), True),)

    db.create_tables([WishList, WishLine])


def down(migrator, db):
    for table in ("wish_line", "wish_list"):
        migrator.migrate(migrator.drop_table(table))
