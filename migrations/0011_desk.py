"""What the desk finds orders by, who was identified for which, and notes.

Written from the models; CHECKs and the triggers that keep notes as they were written are added by hand. Orders that are
there get their keys.
"""

from peewee import *

from models.base import MomentField
from models.order_key import keys_of

APPEND_ONLY = ("order_note",)
BATCH = 500


def up(migrator, db):
    sqlite = isinstance(db, SqliteDatabase)

    class Order(Model):
        class Meta:
            database = db
            table_name = "order"

    class OrderKey(Model):
        key = CharField(max_length=80, collation=None if sqlite else '"C"')
        order = ForeignKeyField(Order, on_delete="CASCADE", index=False)

        class Meta:
            database = db
            table_name = "order_key"
            primary_key = CompositeKey("key", "order")
            without_rowid = sqlite
            indexes = ((("order", "key"), False),)

    class Identification(Model):
        order = ForeignKeyField(Order, on_delete="RESTRICT")
        at = MomentField()
        role = CharField(max_length=10)
        who = CharField(max_length=254)
        compared = CharField(max_length=10, constraints=[Check("compared IN ('id_number', 'sim', 'contact')")])
        matched = BooleanField()
        ended_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "identification"
            indexes = ((("order", "who", "at"), False),)

    class OrderNote(Model):
        order = ForeignKeyField(Order, on_delete="RESTRICT")
        key = CharField(unique=True, max_length=32)
        at = MomentField()
        role = CharField(max_length=10)
        who = CharField(max_length=254)
        text = TextField()

        class Meta:
            database = db
            table_name = "order_note"

    db.create_tables([OrderKey, Identification, OrderNote])
    db.execute_sql('CREATE INDEX order_state_newest ON "order" (state, id)')
    db.execute_sql('CREATE INDEX order_state_promised ON "order" (state, promised_on)')
    for table in APPEND_ONLY:
        for change in ("UPDATE", "DELETE", "TRUNCATE"):
            name = f"{table}_keeps_{change.lower()}"
            if not sqlite:
                each = "STATEMENT" if change == "TRUNCATE" else "ROW"
                db.execute_sql(
                    f"CREATE TRIGGER {name} BEFORE {change} ON {table} FOR EACH {each} EXECUTE FUNCTION refuse_change()"
                )
            elif change != "TRUNCATE":
                db.execute_sql(
                    f"CREATE TRIGGER {name} BEFORE {change} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
                )
    fill(db, OrderKey)


def fill(db, OrderKey):
    """The keys of all orders, batch by batch."""
    last = 0
    while True:
        orders = db.execute_sql(
            "SELECT id, number, email, phone, first_name, last_name, recipient, signer "
            f'FROM "order" WHERE id > {last} ORDER BY id LIMIT {BATCH}'
        ).fetchall()
        if not orders:
            return
        first, last = orders[0][0], orders[-1][0]
        ordered = {}
        for order, msisdn in db.execute_sql(
            f"SELECT order_id, msisdn FROM order_line WHERE order_id BETWEEN {first} AND {last} AND msisdn <> ''"
        ).fetchall():
            ordered.setdefault(order, set()).add(msisdn)
        rows = [
            {"key": key, "order": id}
            for id, number, email, phone, given, family, recipient, signer in orders
            for key in keys_of(
                number, email, {phone, *ordered.get(id, ())}, {f"{given} {family}", recipient, signer}
            )
        ]
        for start in range(0, len(rows), 5000):
            OrderKey.insert_many(rows[start : start + 5000]).execute()


def down(migrator, db):
    db.execute_sql("DROP INDEX order_state_newest")
    db.execute_sql("DROP INDEX order_state_promised")
    for table in ("order_note", "identification", "order_key"):
        migrator.migrate(migrator.drop_table(table))
