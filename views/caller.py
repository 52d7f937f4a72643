"""Where a request comes from, as limits count it."""

from ipaddress import ip_address, ip_network

from flask import request


def network() -> str:
    """The caller's address; of IPv6 its /64, for one household has that many addresses."""
    text = request.remote_addr or ""
    try:
        address = ip_address(text)
    except ValueError:
        return text[:64]
    return text if address.version == 4 else str(ip_network(f"{address}/64", strict=False))


def is_local() -> bool:
    """Whether the caller is this machine: a person at it, or a proxy that tells nothing of who is behind it."""
    try:
        return ip_address(request.remote_addr or "127.0.0.1").is_loopback
    except ValueError:
        return False


def is_within(networks) -> bool:
    """Whether the caller's address is in one of `networks`, as an allow-list names them."""
    try:
        address = ip_address(request.remote_addr or "")
    except ValueError:
        return False
    # A socket for both families shows an IPv4 caller so.
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in networks)
