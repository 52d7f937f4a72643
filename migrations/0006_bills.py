"""Choices of invoices that are paid by card (PRO-7): a payment belongs to an order or to one of them.

Written by hand: SQLite cannot take NOT NULL from a column, nor add a CHECK to a table, so the table of payments is
made anew there, as its manual tells.
"""

from peewee import *

from models.base import MomentField

ONE_PURPOSE = "CHECK ((order_id IS NULL) <> (bill_payment_id IS NULL))"
REFERENCE = "INTEGER REFERENCES bill_payment (id) ON DELETE RESTRICT"


def up(migrator, db):
    class Profile(Model):
        class Meta:
            database = db
            table_name = "profile"

    class Invoice(Model):
        class Meta:
            database = db
            table_name = "invoice"

    class BillPayment(Model):
        number = CharField(unique=True, max_length=20)
        profile = ForeignKeyField(Profile, null=True, on_delete="SET NULL")
        email = CharField(max_length=254)
        language = CharField(max_length=2)
        state = CharField(max_length=20, constraints=[Check("state IN ('awaiting_payment', 'paid', 'lapsed')")])
        total = IntegerField(constraints=[Check("total > 0")])
        begun_at = MomentField()
        payable_until = MomentField(index=True)
        paid_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "bill_payment"
            constraints = [Check("(state = 'paid') = (paid_at IS NOT NULL)")]

    class BillPaymentLine(Model):
        bill_payment = ForeignKeyField(BillPayment, on_delete="CASCADE")
        invoice = ForeignKeyField(Invoice, null=True, on_delete="SET NULL")
        number = CharField(max_length=40)
        amount = IntegerField(constraints=[Check("amount > 0")])
        paid = BooleanField(default=False)

        class Meta:
            database = db
            table_name = "bill_payment_line"
            indexes = ((("bill_payment", "number"), True),)

    db.create_tables([BillPayment, BillPaymentLine])
    if isinstance(db, SqliteDatabase):
        remake(db, '"order_id" INTEGER NOT NULL', '"order_id" INTEGER', f'"bill_payment_id" {REFERENCE}', ONE_PURPOSE)
    else:
        db.execute_sql("ALTER TABLE payment ALTER COLUMN order_id DROP NOT NULL")
        db.execute_sql(f"ALTER TABLE payment ADD COLUMN bill_payment_id {REFERENCE}")
        db.execute_sql(f"ALTER TABLE payment ADD CONSTRAINT payment_one_purpose {ONE_PURPOSE}")
    db.execute_sql("CREATE INDEX payment_bill_payment_id ON payment (bill_payment_id)")
    # A choice of invoices is paid at most once, whatever two messages say at the same moment (PAY-6).
    db.execute_sql(
        "CREATE UNIQUE INDEX payment_of_bills_paid_once ON payment (bill_payment_id) WHERE state = 'paid'"
    )


def down(migrator, db):
    if db.execute_sql("SELECT 1 FROM payment WHERE order_id IS NULL LIMIT 1").fetchone():
        raise RuntimeError("There are payments of invoices, which the former tables cannot hold.")
    db.execute_sql("DROP INDEX payment_of_bills_paid_once")
    db.execute_sql("DROP INDEX payment_bill_payment_id")
    if isinstance(db, SqliteDatabase):
        remake(db, '"order_id" INTEGER', '"order_id" INTEGER NOT NULL')
    else:
        db.execute_sql("ALTER TABLE payment DROP CONSTRAINT payment_one_purpose")
        db.execute_sql("ALTER TABLE payment DROP COLUMN bill_payment_id")
        db.execute_sql("ALTER TABLE payment ALTER COLUMN order_id SET NOT NULL")
    migrator.migrate(migrator.drop_table("bill_payment_line"))
    migrator.migrate(migrator.drop_table("bill_payment"))


def remake(db, old, new, column="", check=""):
    """The table of payments with `old` changed to `new` in its definition; `column` and `check` are added or go."""
    [(definition,)] = db.execute_sql("SELECT sql FROM sqlite_master WHERE name = 'payment'").fetchall()
    indexes = db.execute_sql(
        "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'payment' AND sql IS NOT NULL"
    ).fetchall()
    columns = [name for name in (row.name for row in db.get_columns("payment")) if name != "bill_payment_id"]
    if column:
        before, foreign, after = definition.rpartition(", FOREIGN KEY")
        definition = f"{before}, {column}{foreign}{after}"
        definition = f"{definition.rstrip().removesuffix(')')}, {check})"
    else:
        definition = definition.replace(f', "bill_payment_id" {REFERENCE}', "").replace(f", {ONE_PURPOSE})", ")")
    if old not in definition:
        raise RuntimeError("The table of payments is not as expected.")
    definition = definition.replace(old, new, 1).replace('"payment"', '"payment_new"', 1)
    names = ", ".join(f'"{name}"' for name in columns)
    db.execute_sql(definition)
    db.execute_sql(f"INSERT INTO payment_new ({names}) SELECT {names} FROM payment")
    db.execute_sql("DROP TABLE payment")
    db.execute_sql("ALTER TABLE payment_new RENAME TO payment")
    for (index,) in indexes:
        db.execute_sql(index)
