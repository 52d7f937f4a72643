"""Which ways to pay each line of an order has (PAY-1), as the rule's own table. Pure, without a database."""

CARD = "card"
# Points beside a card payment; there is no payment with points alone (PAY-4).
POINTS = "points"
FIRST_BILL = "first_bill"
INSTALMENTS = "instalments"

# What is charged to the operator's bill, not to a card.
ON_BILL = frozenset({FIRST_BILL, INSTALMENTS})

# What is bought: a device's contract type, or what has none.
ACCESSORY = "accessory"
PREPAID_SIM = "prepaid_sim"

_NO_WAY = ()
_CARD = (CARD,)
_CARD_POINTS = (CARD, POINTS)
_CARD_POINTS_BILL = (CARD, POINTS, FIRST_BILL)
_ALL = (CARD, POINTS, FIRST_BILL, INSTALMENTS)

# fmt: off
_WAYS = {
    #               guest     logged in, no number    logged in, own number
    "device_only": (_CARD,    _CARD,                  _CARD_POINTS),
    ACCESSORY:     (_CARD,    _CARD,                  _CARD_POINTS),
    PREPAID_SIM:   (_CARD,    _CARD,                  _CARD),
    "new_number":  (_CARD,    _CARD,                  _CARD_POINTS_BILL),
    "besnik24":    (_NO_WAY,  _NO_WAY,                _ALL),
}
# fmt: on


def ways(contract_type: str, logged_in: bool, own_number: bool) -> tuple[str, ...]:
    """The ways to pay, in the order in which they are offered; empty where it cannot be bought so (PAY-1, PAY-2).

    `contract_type` is `device_only`, `new_number`, `besnik24`, `accessory` or `prepaid_sim`, else KeyError.
    `own_number`: the profile has a number that was added to it (PRO-5); a guest's are not asked for.
    """
    guest, without_number, with_number = _WAYS[contract_type]
    if not logged_in:
        return guest
    return with_number if own_number else without_number
