"""Addresses that a profile keeps; the card of a gift and the hours that a shopper wishes for.

Written from the models; the CHECKs are added by hand.
"""

from peewee import *

from models.base import MomentField

GIFT_NOTE = "gift_note VARCHAR(200) NOT NULL DEFAULT ''"
WISH = "wish VARCHAR(5) NOT NULL DEFAULT '' CHECK (wish IN ('', '9-12', '12-15', '15-18'))"
# Columns that come with their CHECK must be added in SQL.
COLUMNS = (("checkout", GIFT_NOTE), ("checkout", WISH), ("order", GIFT_NOTE), ("order", WISH))


def up(migrator, db):
    class Profile(Model):
        class Meta:
            database = db
            table_name = "profile"

    class SavedAddress(Model):
        profile = ForeignKeyField(Profile, on_delete="CASCADE")
        label = CharField(max_length=40, default="")
        street = CharField(max_length=120)
        postal_code = CharField(max_length=4)
        municipality = CharField(max_length=10)
        is_default = BooleanField(default=False)
        digest = CharField(max_length=64)
        saved_at = MomentField()

        class Meta:
            database = db
            table_name = "saved_address"
            indexes = ((("profile", "digest"), True),)
            constraints = [Check("street <> '' AND postal_code <> '' AND municipality <> ''")]

    db.create_tables([SavedAddress])
    # One of a profile's is the first choice.
    db.execute_sql("CREATE UNIQUE INDEX saved_address_default_once ON saved_address (profile_id) WHERE is_default")
    for table, column in COLUMNS:
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN {column}')


def down(migrator, db):
    for table, column in reversed(COLUMNS):
        db.execute_sql(f'ALTER TABLE "{table}" DROP COLUMN {column.split()[0]}')
    migrator.migrate(migrator.drop_table("saved_address"))
