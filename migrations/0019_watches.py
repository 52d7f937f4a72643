"""Who wants a mail when a variant is back or costs less, and how far the worker has looked. Written from the models."""

from peewee import *

from models.base import MomentField

ACTIVE = "WHERE state = 'active'"
INDEXES = {
    "watch_guest_once": f"UNIQUE INDEX watch_guest_once ON watch (variant_id, kind, email) {ACTIVE}",
    "watch_profile_once": f"UNIQUE INDEX watch_profile_once ON watch (variant_id, kind, profile_id) {ACTIVE}",
    "watch_fresh": f"INDEX watch_fresh ON watch (id) {ACTIVE} AND fresh",
}


def up(migrator, db):
    class Variant(Model):
        class Meta:
            database = db
            table_name = "variant"

    class Profile(Model):
        class Meta:
            database = db
            table_name = "profile"

    class Watch(Model):
        code = CharField(unique=True, max_length=24)
        kind = CharField(max_length=5, constraints=[Check("kind IN ('stock', 'price')")])
        variant = ForeignKeyField(Variant, on_delete="CASCADE")
        email = CharField(null=True, max_length=254, index=True)
        profile = ForeignKeyField(Profile, null=True, on_delete="CASCADE")
        language = CharField(max_length=2)
        segment = CharField(max_length=10, default="all", constraints=[Check("segment IN ('all', 'private')")])
        price = IntegerField(null=True, constraints=[Check("price IS NULL OR price > 0")])
        state = CharField(max_length=8, constraints=[Check("state IN ('waiting', 'active', 'told', 'stopped')")])
        fresh = BooleanField(default=False)
        created_at = MomentField()
        expires_at = MomentField(index=True)

        class Meta:
            database = db
            table_name = "watch"
            constraints = [
                Check("(profile_id IS NULL) <> (email IS NULL)"),
                Check("(kind = 'price') = (price IS NOT NULL)"),
                Check("state <> 'waiting' OR email IS NOT NULL"),
                Check("expires_at > created_at"),
            ]

    class WatchMark(Model):
        version = IntegerField(default=0)
        upto = IntegerField(null=True)
        after = IntegerField(default=0)

        class Meta:
            database = db
            table_name = "watch_mark"

    db.create_tables([Watch, WatchMark])
    for index in INDEXES.values():
        db.execute_sql(f"CREATE {index}")


def down(migrator, db):
    for name in INDEXES:
        db.execute_sql(f"DROP INDEX {name}")
    migrator.migrate(migrator.drop_table("watch_mark"), migrator.drop_table("watch"))
