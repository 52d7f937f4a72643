"""What the shop knows of number holders, brought together for the rules of eligibility (ELG-1…6)."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from peewee import JOIN

import config
from models import eligibility
from models.calendar import local_day
from models.cart import Chosen
from models.contract import Contract
from models.eligibility import DebtPayment, OpenOrder, Reason, Standing, Wanted, check
from models.invoice import Invoice
from models.number import Number
from models.order import Order, OrderLine
from models.subscriber import Holder, Subscriber


def standings(holder_ids: Iterable[int], now) -> dict[int, Standing]:
    """The standing of each holder, over all of the holder's subscriber codes and numbers; two queries."""
    ids = sorted(set(holder_ids))
    if not ids:
        return {}
    # A payment before this makes nobody wait any more (ELG-2).
    since = now - timedelta(hours=max(config.DEBT_WAIT_HOURS, config.DEBT_WAIT_ONLINE_HOURS))
    billed = (
        Subscriber.select(Subscriber, Holder, Invoice)
        .join_from(Subscriber, Holder)
        .join_from(
            Subscriber,
            Invoice,
            JOIN.LEFT_OUTER,
            on=(Invoice.subscriber == Subscriber.id) & (Invoice.paid_at.is_null() | (Invoice.paid_at >= since)),
            attr="invoice",
        )
        .where(Subscriber.holder.in_(ids))
        .order_by(Subscriber.id)
    )
    codes, unpaid, paid, holders = defaultdict(dict), defaultdict(list), defaultdict(list), {}
    for row in billed:
        holders[row.holder_id] = row.holder
        codes[row.holder_id][row.id] = row
        invoice = getattr(row, "invoice", None)
        if invoice is None or invoice.id is None:
            continue
        if not invoice.is_paid:
            unpaid[row.holder_id].append(
                eligibility.Invoice(row.code, invoice.number, invoice.amount, invoice.due_on)
            )
        elif invoice.was_debt:
            paid[row.holder_id].append(DebtPayment(invoice.paid_at, invoice.paid_online))
    contracts, open_orders = _bound(ids, now)
    return {
        number: Standing(
            subscriber_since=min(row.since for row in codes[number].values()),
            has_history=any(row.has_history for row in codes[number].values()),
            segment=holder.segment,
            unpaid=tuple(unpaid[number]),
            debt_payments=tuple(paid[number]),
            contracts=tuple(contracts[number]),
            open_orders=tuple(open_orders[number]),
        )
        for number, holder in holders.items()
    }


def _bound(holder_ids, now):
    """The running contracts and the open orders of the holders' numbers, by holder; one query."""
    contracts, open_orders = defaultdict(list), defaultdict(list)
    rows = (
        Number.select(Number.id, Number.msisdn, Subscriber.holder, Contract, OrderLine.id, Order.number)
        .join_from(Number, Subscriber)
        .join_from(
            Number,
            Contract,
            JOIN.LEFT_OUTER,
            on=(Contract.number == Number.id) & ~Contract.ended & (Contract.ends_on >= local_day(now)),
            attr="contract",
        )
        .join_from(Number, OrderLine, JOIN.LEFT_OUTER, on=(OrderLine.taken == Number.msisdn), attr="taken")
        .join_from(OrderLine, Order, JOIN.LEFT_OUTER)
        .where(Subscriber.holder.in_(holder_ids))
        .order_by(Number.id)
    )
    for row in rows:
        holder = row.subscriber.holder_id
        contract = getattr(row, "contract", None)
        if contract is not None and contract.id:
            contracts[holder].append(
                eligibility.Contract(
                    number=row.msisdn,
                    ends_on=contract.ends_on,
                    total=contract.price,
                    paid=contract.paid,
                    instalments=contract.instalments if contract.has_instalments else 0,
                )
            )
        taken = getattr(row, "taken", None)
        if taken is not None and taken.id:
            open_orders[holder].append(OpenOrder(number=row.msisdn, order=taken.order.number))
    return contracts, open_orders


def reasons_against(
    chosen: Chosen,
    numbers: list[Number],
    lines: list[Chosen],
    now,
    *,
    number: Number | None = None,
    payment: str | None = None,
    known: dict[int, Standing] | None = None,
) -> list[Reason]:
    """All reasons against the contract of a line of the cart, in the order of the rules (ELG-1…5).

    `numbers` are the profile's own, with their holders; `lines` the whole cart. A Besnik 24 device is checked for
    `number`, or else the one it has; a new number for every holder behind the profile, for it is theirs to be billed.
    A guest, and a profile without a number, is nobody the operator knows: nothing to be checked. `payment`: another
    way than the line's. `known`: standings that were read already; without them two queries.
    """
    if chosen.contract_type == "besnik24":
        own = number or chosen.line.number
        concerned = [one for one in numbers if own is not None and one.id == own.id]
    else:
        concerned = numbers
    if known is None:
        known = standings([one.holder.id for one in concerned], now)
    elsewhere = frozenset(
        other.line.number.msisdn for other in lines if other.line.number_id and other.id != chosen.id
    )
    msisdn = concerned[0].msisdn if concerned and chosen.contract_type == "besnik24" else None
    reasons: list[Reason] = []
    for holder in dict.fromkeys(one.holder.id for one in concerned):
        standing = known[holder]
        if elsewhere:
            standing = replace(standing, in_cart=elsewhere)
        wanted = Wanted(chosen.contract_type, msisdn, payment or chosen.line.payment)
        reasons += [reason for reason in check(standing, wanted, now) if reason not in reasons]
    return reasons
