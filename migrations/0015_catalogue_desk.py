"""Drafts of devices, stock movements, and price lists that were uploaded.

Written from the models; CHECKs and the triggers that keep movements as they were written are added by hand.
"""

from peewee import *

from models.base import MomentField

REASONS = ("delivery", "count", "damage", "correction", "other")
STATES = ("waiting", "bad", "checked", "confirmed", "done", "failed", "cancelled")
# What is written there stays as it is.
APPEND_ONLY = ("stock_movement",)


def up(migrator, db):
    class Device(Model):
        class Meta:
            database = db
            table_name = "device"

    class DeviceDraft(Model):
        slug = CharField(unique=True, max_length=120)
        device = ForeignKeyField(Device, null=True, unique=True, on_delete="CASCADE")
        base = JSONField(null=True)
        sheet = JSONField()
        begun_at = MomentField()
        changed_at = MomentField()
        who = CharField(max_length=254)

        class Meta:
            database = db
            table_name = "device_draft"

    class StockMovement(Model):
        key = CharField(unique=True, max_length=40)
        at = MomentField()
        what = CharField(max_length=140, index=True)
        change = IntegerField(constraints=[Check("change <> 0")])
        reason = CharField(max_length=12, constraints=[Check(f"reason IN {REASONS!r}")])
        note = CharField(max_length=200, default="")
        stock = IntegerField(constraints=[Check("stock >= 0")])
        role = CharField(max_length=10)
        who = CharField(max_length=254)

        class Meta:
            database = db
            table_name = "stock_movement"

    class PriceListJob(Model):
        token = CharField(unique=True, max_length=32)
        name = CharField(max_length=120)
        size = IntegerField()
        digest = CharField(max_length=64)
        skip_bad = BooleanField(default=False)
        complete = BooleanField(default=False)
        state = CharField(max_length=10, constraints=[Check(f"state IN {STATES!r}")], index=True)
        begun_at = MomentField(index=True)
        changed_at = MomentField()
        who = CharField(max_length=254)
        role = CharField(max_length=10)
        counts = JSONField(default=dict)
        bad = JSONField(default=list)
        bad_count = IntegerField(default=0)
        recounted = BooleanField(default=False)

        class Meta:
            database = db
            table_name = "price_list_job"

    db.create_tables([DeviceDraft, StockMovement, PriceListJob])
    for table in APPEND_ONLY:
        for change in ("UPDATE", "DELETE", "TRUNCATE"):
            name = f"{table}_keeps_{change.lower()}"
            if not isinstance(db, SqliteDatabase):
                each = "STATEMENT" if change == "TRUNCATE" else "ROW"
                db.execute_sql(
                    f"CREATE TRIGGER {name} BEFORE {change} ON {table} FOR EACH {each} EXECUTE FUNCTION refuse_change()"
                )
            elif change != "TRUNCATE":
                db.execute_sql(
                    f"CREATE TRIGGER {name} BEFORE {change} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )


def down(migrator, db):
    for table in ("price_list_job", "stock_movement", "device_draft"):
        migrator.migrate(migrator.drop_table(table))
