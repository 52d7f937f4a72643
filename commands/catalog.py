"""`flask catalog …`: the operator's price list and tariffs (CAT-7)."""

from contextlib import contextmanager
from pathlib import Path

import click
from peewee import DatabaseError

from commands import connected
from models.base import utcnow
from models.price_list import SHOWN, BadLines, PriceList, TariffList, load_tariffs
from models.sheet import Unreadable


@click.group()
def catalog():
    """The price list and the tariffs."""


@catalog.command("import")
@click.argument("file")
@click.option("--skip-bad", is_flag=True, help="Leave devices with a bad line as they are, take the others.")
@click.option("--complete", is_flag=True, help="Take devices that FILE does not name off the shelf.")
@click.option("--tariffs", metavar="FILE", help="Take this list of tariffs first, in the same transaction.")
def import_(file, skip_bad, complete, tariffs):
    """Take the price list FILE into the catalogue; docs/catalogue.md describes it."""
    with _told_clearly():
        price_list = PriceList(file, TariffList(tariffs) if tariffs else None)
        with click.progressbar(length=1000, label="Price list") as bar:
            report = price_list.load(
                utcnow(),
                skip_bad=skip_bad,
                complete=complete,
                progress=lambda share: bar.update(round(share * 1000) - bar.pos),
            )
    _print_bad(file, report.bad, report.bad_count)
    if report.complete_refused:
        click.echo("Lines were skipped, so no device was taken off the shelf.", err=True)
    told = f"{report.added} devices added, {report.changed} changed, {report.unchanged} unchanged"
    told += f", {report.variants} variants written"
    if complete and not report.complete_refused:
        told += f", {report.delisted} taken off the shelf"
    if tariffs:
        told += f", {report.tariffs} tariffs new or changed"
    if report.skipped_lines:
        told += f", {report.skipped_devices} devices skipped ({report.skipped_lines} lines)"
    click.echo(told + ".")


@catalog.command()
@click.argument("file")
def tariffs(file):
    """Take the list of tariffs FILE."""
    with _told_clearly():
        changed = load_tariffs(file)
    click.echo(f"{changed} tariffs new or changed." if changed else "The tariffs are up to date.")


@catalog.command()
@click.argument("count", type=click.IntRange(1, 1_000_000))
@click.argument("file")
def synthetic(count, file):
    """Write a price list of COUNT invented devices to FILE, with prices for the shop's tariffs."""
    from benchmarks.synthetic import write
    from models.catalogue import Tariff

    with _told_clearly():
        codes = [code for (code,) in Tariff.select(Tariff.code).order_by(Tariff.position, Tariff.code).tuples()]
        try:
            with click.progressbar(length=count, label="Devices") as bar:
                rows = write(count, Path(file), codes, lambda written: bar.update(written - bar.pos))
        except OSError as error:
            raise click.ClickException(f"{file} cannot be written: {error.strerror}.") from None
    click.echo(f"{count} devices in {rows} rows: {file}")


@contextmanager
def _told_clearly():
    """The database open; what a person at the keyboard can do something about is a message, no traceback."""
    try:
        with connected():
            yield
    except Unreadable as error:
        raise click.ClickException(str(error)) from None
    except BadLines as error:
        _print_bad(error.file, error.first, error.count)
        raise click.ClickException("Nothing was changed.") from None
    except DatabaseError as error:
        raise click.ClickException(f"Nothing was changed. The database says: {error}") from None


def _print_bad(file, first, count):
    for bad in first[:SHOWN]:
        click.echo(f"{file}:{bad}", err=True)
    if count > SHOWN:
        click.echo(f"and {count - SHOWN:,} more", err=True)
