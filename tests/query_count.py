"""How many queries a page may ask the database (the budgets of docs/performance.md)."""

from contextlib import contextmanager

from playhouse.test_utils import count_queries

# A test runs in a transaction of its own, which turns each transaction of the shop into these.
_OF_THE_TEST = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT", "BEGIN", "COMMIT")


@contextmanager
def assert_query_count(most: int):
    """Fails, naming the queries, when the block asks more than `most`; savepoints are not counted.

    Yields a list that holds the SQL of each query once the block is left.
    """
    asked: list[str] = []
    with count_queries() as counter:
        yield asked
    texts = [record.msg[0] for record in counter.get_queries()]
    asked.extend(sql for sql in texts if not sql.startswith(_OF_THE_TEST))
    assert len(asked) <= most, f"{len(asked)} queries instead of at most {most}:\n" + "\n".join(asked)
