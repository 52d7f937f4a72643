"""Shops that editors keep at the desk. Written from the models."""

from peewee import *


def up(migrator, db):
    class ShopRow(Model):
        municipality = CharField(max_length=12)
        postal_code = CharField(max_length=4)
        street_sq = CharField(max_length=120)
        street_mk = CharField(max_length=120)
        street_en = CharField(max_length=120)
        weekdays = CharField(max_length=11, default="")
        saturday = CharField(max_length=11, default="")
        sunday = CharField(max_length=11, default="")
        phone = CharField(max_length=30, default="")
        listed = BooleanField(default=True)

        class Meta:
            database = db
            table_name = "shop_row"

    db.create_tables([ShopRow])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("shop_row"))
