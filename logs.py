"""Structured logs: one JSON line per request and event, with a request id and without personal data."""

import logging
import re
import secrets
import sys
import time

import structlog
from flask import g, request

_GIVEN = re.compile(r"[A-Za-z0-9._-]{8,64}")
# Where PostgreSQL quotes the row that it refused, and peewee the values that it looked for.
_VALUES = re.compile(r"^(DETAIL|CONTEXT|Params): .*$", re.MULTILINE)


def init(app) -> None:
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            without_values,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    app.before_request(begin)
    app.after_request(finish)


def without_values(logger, method, event):
    """A traceback says where and what went wrong, not with whose name and address."""
    if "exception" in event:
        event["exception"] = _VALUES.sub(r"\1: …", event["exception"])
    return event


def begin():
    g.began = time.perf_counter()


def request_id() -> str:
    """The id that ties a page, its log lines and what a shopper reads out on the phone together."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-Id", "")
        g.request_id = given if _GIVEN.fullmatch(given) else secrets.token_hex(8)
    return g.request_id


def finish(response):
    # The endpoint, never the address: addresses carry order numbers and signed links.
    if request.method != "GET" or response.status_code >= 400:
        structlog.get_logger().info(
            "request",
            id=request_id(),
            endpoint=request.endpoint,
            method=request.method,
            status=response.status_code,
            ms=round((time.perf_counter() - g.get("began", time.perf_counter())) * 1000, 1),
        )
        response.headers["X-Request-Id"] = request_id()
    return response
