"""The audit trail, cancellations, and pieces on their way back.

Written from the models; the triggers that keep the trail as it was written are added by hand.
"""

from peewee import *

from models.base import MomentField

# What is written there stays as it is.
APPEND_ONLY = ("audit_entry",)


def up(migrator, db):
    class Order(Model):
        class Meta:
            database = db
            table_name = "order"

    class AuditEntry(Model):
        at = MomentField(index=True)
        role = CharField(max_length=10, index=True)
        who = CharField(max_length=254, default="", index=True)
        what = CharField(max_length=40, index=True)
        order = ForeignKeyField(Order, null=True, on_delete="RESTRICT")
        subject = CharField(max_length=160, default="", index=True)
        before = JSONField(default=dict)
        after = JSONField(default=dict)
        why = TextField(default="")

        class Meta:
            database = db
            table_name = "audit_entry"

    class Cancellation(Model):
        order = ForeignKeyField(Order, unique=True, on_delete="RESTRICT")
        at = MomentField()
        role = CharField(max_length=10)
        why = TextField(default="")

        class Meta:
            database = db
            table_name = "cancellation"

    class StockReturn(Model):
        order = ForeignKeyField(Order, unique=True, on_delete="RESTRICT")
        expected_since = MomentField()
        arrived_at = MomentField(null=True)
        sellable = BooleanField(null=True)
        who = CharField(max_length=254, default="")

        class Meta:
            database = db
            table_name = "stock_return"

    db.create_tables([AuditEntry, Cancellation, StockReturn])
    db.execute_sql("ALTER TABLE order_event ADD COLUMN who VARCHAR(254) NOT NULL DEFAULT ''")
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
    db.execute_sql("ALTER TABLE order_event DROP COLUMN who")
    for table in ("stock_return", "cancellation", "audit_entry"):
        migrator.migrate(migrator.drop_table(table))
