"""The newest orders with a key that begins so, along an index, however many have it."""


def up(migrator, db):
    db.execute_sql("CREATE INDEX order_key_newest ON order_key (substr(key, 1, 3), order_id, key)")


def down(migrator, db):
    db.execute_sql("DROP INDEX order_key_newest")
