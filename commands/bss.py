"""`flask bss …`: the copy of the billing system's data (docs/bss.md)."""

import json
import os
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import click
from peewee import DatabaseError

from commands import connected
from models.base import utcnow
from models.bss_columns import moment
from models.bss_event import STATES, BssEvent
from models.bss_import import BadExtract, BssExtract
from models.sheet import Unreadable


@click.group()
def bss():
    """The copy of the billing system's data, and the events that it is told of."""


@bss.command("import")
@click.argument("folder")
@click.option("--skip-bad", is_flag=True, help="Leave bad lines out, take the others.")
@click.option("--made-at", metavar="MOMENT", help="When the files were made: later pushed changes stay.")
def import_(folder, skip_bad, made_at):
    """Take the files in FOLDER into the shop; docs/bss.md describes them."""
    try:
        made_at = made_at and moment(made_at)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--made-at") from None
    try:
        with connected():
            extract = BssExtract(folder)
            with click.progressbar(length=1000, label="Billing data") as bar:
                counts = extract.load(
                    utcnow(),
                    skip_bad=skip_bad,
                    progress=lambda share: bar.update(round(share * 1000) - bar.pos),
                    made_at=made_at,
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


@bss.command()
@click.argument("target", metavar="FILE|-")
@click.option("--since", default=0, metavar="SEQUENCE", help="Only what came after the event of this number.")
def export(target, since):
    """Write events to FILE, or with - to standard output: one JSON text on each line, in the order of their numbers.

    The same again gives the same, and what came meanwhile.
    """
    last = since
    with connected(), _opened(target) as file:
        count = BssEvent.count_since(since)
        with click.progressbar(BssEvent.since(since), count, label="Events", file=sys.stderr) as events:
            for event in events:
                file.write(json.dumps(event.told, ensure_ascii=False).encode() + b"\n")
                last = event.sequence
    click.echo(f"The last event is number {last}." if last else "There are no events.", err=True)


@bss.command()
@click.argument("sequences", type=int, nargs=-1, metavar="[SEQUENCE]...")
@click.option("--failed", "asked", flag_value="failed", help="List those that the endpoint refused.")
@click.option("--retry", "asked", flag_value="retry", help="Send refused ones again: all, or those named.")
@click.option("--skip", "asked", flag_value="skip", help="Give the refused ones that are named up.")
@click.option("--taken", "asked", flag_value="taken", help="Those up to SEQUENCE need not be sent.")
def events(sequences, asked):
    """What became of the events. Without an option: how many are due, sent, refused and skipped.

    The later events of an order wait for a refused one: send it again, or skip it.
    """
    if asked in ("skip", "taken") and not sequences or asked == "taken" and len(sequences) != 1:
        raise click.UsageError(f"--{asked} needs the number of an event.")
    with connected():
        now = utcnow()
        if asked == "failed":
            for event in BssEvent.refused():
                click.echo(f"{event.sequence}  {event.kind}  {event.subject}  {event.trouble}")
        elif asked == "retry":
            click.echo(f"{BssEvent.retry(sequences, now)} events are due again.")
        elif asked == "skip":
            click.echo(f"{BssEvent.skip(sequences, now)} events are skipped.")
        elif asked == "taken":
            click.echo(f"{BssEvent.taken_until(sequences[0], now)} events need not be sent any more.")
        else:
            counts = BssEvent.counts()
            click.echo(", ".join(f"{counts[state]} {state}" for state in STATES) + ".")


@contextmanager
def _opened(target: str):
    """Standard output, or a file of that name, which is there once it is whole; it holds personal data."""
    if target == "-":
        # In UTF-8, whatever the terminal's language is.
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = Path(f"{target}.part")
    try:
        with suppress(FileNotFoundError):
            part.unlink()
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.ClickException(f"{target} cannot be written: {error.strerror}.") from None
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError as error:
        raise click.ClickException(f"{target} cannot be written: {error.strerror}.") from None
    finally:
        with suppress(FileNotFoundError):
            part.unlink()


def _print_bad(folder, counts):
    for name, count in counts.items():
        for bad in count.bad:
            click.echo(f"{Path(folder) / name}:{bad}", err=True)
        if count.bad_count > len(count.bad):
            click.echo(f"and {count.bad_count - len(count.bad):,} more in {name}", err=True)
