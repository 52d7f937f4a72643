"""Contracts in carts and orders: tariff, number and way of payment of each line; what of an order is due at once.

Written by hand: columns that come with their CHECK must be added in SQL, on both databases alike.
"""

from peewee import SqliteDatabase

COLUMNS = (
    (
        "cart_line",
        "payment VARCHAR(12) NOT NULL DEFAULT 'card' CHECK (payment IN ('card', 'first_bill', 'instalments'))",
    ),
    ("cart_line", "parts INTEGER CHECK (parts IS NULL OR parts IN (1, 6, 12, 24))"),
    ("cart_line", "number_id INTEGER REFERENCES number (id) ON DELETE SET NULL"),
    ("order", "due_now INTEGER NOT NULL DEFAULT 0 CHECK (due_now >= 0)"),
    ("order", "signer TEXT NOT NULL DEFAULT ''"),
    ("order_line", "tariff {json}"),
    ("order_line", "msisdn VARCHAR(15) NOT NULL DEFAULT ''"),
    (
        "order_line",
        "payment VARCHAR(12) NOT NULL DEFAULT 'card' CHECK (payment IN ('card', 'first_bill', 'instalments'))",
    ),
    ("order_line", "parts INTEGER CHECK (parts IS NULL OR parts IN (1, 6, 12, 24))"),
    ("order_line", "taken VARCHAR(15)"),
)


def up(migrator, db):
    json = "TEXT" if isinstance(db, SqliteDatabase) else "JSONB"
    for table, column in COLUMNS:
        db.execute_sql(f'ALTER TABLE "{table}" ADD COLUMN {column.format(json=json)}')
    # Until now everything was due at once, by card.
    db.execute_sql('UPDATE "order" SET due_now = total')
    db.execute_sql('ALTER TABLE "order" DROP COLUMN payment_way')
    db.execute_sql("CREATE INDEX cartline_number_id ON cart_line (number_id)")
    db.execute_sql("CREATE UNIQUE INDEX orderline_taken ON order_line (taken)")
    # ELG-5: a number has one Besnik 24 device in a cart.
    db.execute_sql(
        "CREATE UNIQUE INDEX cart_line_number_once ON cart_line (cart_id, number_id) WHERE number_id IS NOT NULL"
    )


def down(migrator, db):
    db.execute_sql("DROP INDEX cart_line_number_once")
    db.execute_sql("DROP INDEX orderline_taken")
    db.execute_sql("DROP INDEX cartline_number_id")
    db.execute_sql(
        "ALTER TABLE \"order\" ADD COLUMN payment_way VARCHAR(12) NOT NULL DEFAULT 'card' "
        "CHECK (payment_way IN ('card'))"
    )
    for table, column in reversed(COLUMNS):
        db.execute_sql(f'ALTER TABLE "{table}" DROP COLUMN {column.split()[0]}')
