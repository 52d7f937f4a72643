"""Postal codes as long as other countries have them. SQLite keeps what it is given, whatever the column says."""

from peewee import SqliteDatabase

COLUMNS = (("checkout", "place"), *((table, "postal_code") for table in ("checkout", "order", "saved_address", "shop_row")))


def up(migrator, db):
    widen(db, 10)


def down(migrator, db):
    widen(db, 4)


def widen(db, length):
    if isinstance(db, SqliteDatabase):
        return
    for table, column in COLUMNS:
        db.execute_sql(f'ALTER TABLE "{table}" ALTER COLUMN {column} TYPE VARCHAR({length})')
