"""Which role may take an order from which state to which: the one table of ORD-4."""

# Who works at the desk, and who at the door. An admin may what either may.
_DESK = frozenset({"agent", "admin"})
_WAREHOUSE = frozenset({"warehouse", "admin"})
_SHOP = frozenset({"bank", "system"})
_SHOPPER = frozenset({"shopper"})

# (from, to) → the roles that may. What is not here is no step at all; a trigger refuses it, too (migration 0013).
MAY = {
    ("awaiting_payment", "confirmed"): _SHOP,
    ("awaiting_payment", "lapsed"): _SHOP,
    ("awaiting_payment", "cancelled"): _SHOPPER | _DESK,
    ("confirmed", "packed"): _WAREHOUSE,
    ("confirmed", "cancelled"): _SHOPPER | _DESK,
    ("packed", "with_courier"): _WAREHOUSE,
    # Back to confirmed when its colour changes: it is packed anew (AFT-1).
    ("packed", "confirmed"): _SHOPPER | _DESK,
    ("packed", "cancelled"): _SHOPPER | _DESK,
    ("with_courier", "delivered"): _WAREHOUSE,
    ("with_courier", "delivery_failed"): _WAREHOUSE,
    # From dispatch on the desk alone cancels (AFT-2).
    ("with_courier", "cancelled"): _DESK,
    ("delivery_failed", "with_courier"): _WAREHOUSE,
    # The worker, when nobody arranged a new time (DLV-5); the warehouse, when it is certain before.
    ("delivery_failed", "returned"): _WAREHOUSE | {"system"},
    ("delivery_failed", "cancelled"): _DESK,
    # A withdrawal that was accepted (AFT-3), and pieces that came back.
    ("delivered", "returned"): _DESK | _WAREHOUSE,
    # The money came late, and its pieces are still there (PAY-8).
    ("lapsed", "confirmed"): _SHOP,
}


def may(role: str, before: str, after: str) -> bool:
    """Whether `role` may take an order from `before` to `after` (ORD-4)."""
    return role in MAY.get((before, after), ())
