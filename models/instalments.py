"""Instalments on the bill: interest-free parts that add up to the price (PAY-3). Pure, without a database."""

# What is offered; contracts that the operator made elsewhere may have other numbers of parts.
PARTS = (1, 6, 12, 24)


def split(price: int, parts: int) -> list[int]:
    """`price` in `parts` amounts, minor units: they add up to it, and differ by at most one minor unit (PAY-3).

    The larger ones come first. Raises ValueError for fewer parts than one, and for a price below zero.
    """
    if parts < 1:
        raise ValueError(f"a price has at least one part, not {parts}")
    if price < 0:
        raise ValueError(f"a price is not below zero: {price}")
    each, left = divmod(price, parts)
    return [each + 1] * left + [each] * (parts - left)
