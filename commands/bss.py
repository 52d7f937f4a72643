"""`flask bss …`: the copy of the billing system's data (docs/bss.md)."""

from contextlib import contextmanager
from pathlib import Path

import click
from peewee import DatabaseError

from models.base import db, utcnow
from models.bss_import import BadExtract, BssExtract
from models.sheet import Unreadable


@click.group()
def bss():
    """The copy of the billing system's data."""


@bss.command("import")
@click.argument("folder")
@click.option("--skip-bad", is_flag=True, help="Leave bad lines out, take the others.")
def import_(folder, skip_bad):
    """Take the files in FOLDER into the shop; docs/bss.md describes them."""
    try:
        with _connected():
            extract = BssExtract(folder)
            with click.progressbar(length=1000, label="Billing data") as bar:
                counts = extract.load(
                    utcnow(), skip_bad=skip_bad, progress=lambda share: bar.update(round(share * 1000) - bar.pos)
                )
    except Unreadable as error:
        raise click.ClickException(str(error)) from None
    except BadExtract as error:
        _print_bad(folder, error.counts)
        raise click.ClickException("Nothing was changed.") from None
    except DatabaseError as error:
        # Its further lines would quote the row.
        raise click.ClickException(
            f"Nothing was changed. The database says: {str(error).partition(chr(10))[0]}"
        ) from None
    _print_bad(folder, counts)
    for name, count in counts.items():
        told = f"{name}: {count.added} added, {count.changed} changed, {count.unchanged} unchanged"
        click.echo(told + (f", {count.skipped} skipped." if count.skipped else "."))


@contextmanager
def _connected():
    opened = db.connect(reuse_if_open=True)
    try:
        yield
    finally:
        if opened:
            db.close()


def _print_bad(folder, counts):
    for name, count in counts.items():
        for bad in count.bad:
            click.echo(f"{Path(folder) / name}:{bad}", err=True)
        if count.bad_count > len(count.bad):
            click.echo(f"and {count.bad_count - len(count.bad):,} more in {name}", err=True)
