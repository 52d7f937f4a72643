"""`flask privacy …`: what the shop keeps about a person, and for how long (PRV-3, PRV-5)."""

import json
import sys

import click

from commands import connected
from models.base import utcnow


@click.group()
def privacy():
    """What the shop keeps about people."""


@privacy.command()
@click.argument("person")
@click.option("--authority", required=True, help="who asks for it")
@click.option("--reference", required=True, help="the number of the request")
@click.option("--ground", required=True, help="the law that the request stands on")
def export(person, authority, reference, ground):
    """Write all data of PERSON (an e-mail, a phone number or an order number) as JSON, for an authority.

    That it was done, for whom and why, is written to the audit trail first; where that is not possible, nothing is
    given.
    """
    from models.actor import SYSTEM
    from models.person_data import NobodyFound, disclose

    with connected():
        try:
            found = disclose(person, by=SYSTEM, authority=authority, reference=reference, ground=ground, now=utcnow())
        except NobodyFound as error:
            raise click.ClickException(f"Nothing is known of {person}.") from error
    json.dump(found, sys.stdout, ensure_ascii=False, indent=2)
    click.echo()
    count = sum(len(rows) for rows in found["tables"].values())
    click.echo(f"{count} rows of {len(found['tables'])} tables; recorded in the audit trail.", err=True)


@privacy.command()
@click.option("--dry-run", is_flag=True, help="only say what would go")
def retention(dry_run):
    """Delete what is past its period, kind by kind; the worker does the same once a day.

    The periods are settings (docs/settings.md); what stays of a kind is in docs/privacy.md. It may be stopped at any
    time, and run beside the worker. A kind that fails stops no other; it is named at the end, and the log says why.
    """
    from models.attachment import Attachment
    from models.retention import RULES, due, try_to_retain

    with connected():
        now = utcnow()
        if dry_run:
            click.echo(f"{'kind':<24}{'would go':>10}  oldest")
            for rule, count, oldest in due(now):
                click.echo(f"{rule.name:<24}{count:>10}  {oldest.isoformat(timespec='minutes') if oldest else '–'}")
            return
        click.echo(f"{'kind':<24}{'gone':>10}")
        failed = []
        for rule in RULES:
            retained = try_to_retain(rule, now)
            if retained is None:
                failed.append(rule.name)
            click.echo(f"{rule.name:<24}{'failed' if retained is None else retained.count:>10}")
        # The files whose rows went.
        click.echo(f"{'files':<24}{Attachment.sweep(now):>10}")
    if failed:
        raise click.ClickException(f"{', '.join(failed)} failed.")


@privacy.command()
@click.option("--days", default=30, show_default=True, help="how many days back")
@click.option("--all", "everything", is_flag=True, help="also the kinds that are through, and of which nothing went")
def report(days, everything):
    """What the retention job deleted: day, kind, how many rows, and whether it came through."""
    from models.calendar import local_day
    from models.retention import RetentionRun

    with connected():
        rows = RetentionRun.latest(days, local_day(utcnow()))
    click.echo(f"{'day':<12}{'kind':<24}{'gone':>10}  through")
    for row in rows:
        if row.count or not row.ended_at or everything:
            click.echo(f"{row.day.isoformat():<12}{row.kind:<24}{row.count:>10}  {'yes' if row.ended_at else 'no'}")
