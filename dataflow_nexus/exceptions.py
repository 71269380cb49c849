"""One exception tree with a stable ``code``; channels translate it and never add to it.

A message that reaches a caller names what is wrong in the caller's own words. It must never hold SQL, a traceback,
a secret or a connection string.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Final

from django.core.exceptions import ImproperlyConfigured

TOO_DEEP: Final = "too_deep"
"""The ``code`` of a field error that alone makes its error one about a limit."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong with one parameter.

    ``field`` is the dotted path of the parameter as the caller spelled it, ``code`` a machine-readable reason
    (``unknown``, ``type``, ``required``, ``null``, ``max_length``, …), ``message`` a sentence for people.
    """

    field: str
    code: str
    message: str


class ConfigurationError(ImproperlyConfigured):
    """The developer's own settings or declarations cannot work. Raised while configuring, never for a request."""


class UnknownArgumentError(ConfigurationError, TypeError):
    """A constructor was given an argument that it does not have: for Python a ``TypeError``, for commands a mistake in
    the application that they tell without a traceback."""


class NexusError(Exception):
    """Base of every error that a channel shows. ``code`` is stable (docs/errors.md)."""

    code: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"

    def __init__(self, detail: str, errors: Iterable[FieldError] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors: tuple[FieldError, ...] = tuple(errors)


class Invalid(NexusError):
    """A parameter, field, filter or value is wrong. Every wrong thing found is listed in ``errors``."""

    code = "invalid"
    title = "Invalid parameters"

    @classmethod
    def field(cls, field: str, code: str, message: str) -> Invalid:
        """The common case: exactly one thing is wrong."""
        return cls(message, [FieldError(field, code, message)])


class Malformed(NexusError):
    """Not JSON, not UTF-8."""

    code = "malformed"
    title = "Malformed request"


class UnsupportedMediaType(Malformed):
    """A content type that the operation does not read (REST 415)."""


class Unauthenticated(NexusError):
    code = "unauthenticated"
    title = "Authentication required"


class PermissionDenied(NexusError):
    """The model is visible to the principal; this operation or this writable field is not."""

    code = "permission_denied"
    title = "Permission denied"


class NotFound(NexusError):
    """No such row, node or model, or one that the principal may not see: the two are never told apart."""

    code = "not_found"
    title = "Not found"


class MethodNotAllowed(NexusError):
    code = "method_not_allowed"
    title = "Method not allowed"

    def __init__(self, detail: str, allowed: Iterable[str] = ()) -> None:
        super().__init__(detail)
        self.allowed = tuple(allowed)


class NotAcceptable(NexusError):
    code = "not_acceptable"
    title = "Not acceptable"


class Conflict(NexusError):
    """Unique or foreign-key violation, or a concurrent change."""

    code = "conflict"
    title = "Conflict"


class ConcurrentChange(Conflict):
    """The database gave this transaction up for another one. No row of it is to blame, and all of it may be retried."""


class KeysUsedUp(Conflict):
    """The database can make no more keys for a table. No row is to blame, and SQLite has given up the transaction."""


class LimitExceeded(NexusError):
    """A limit on body, rows, depth or affected rows was passed; nothing was changed."""

    code = "limit_exceeded"
    title = "Limit exceeded"

    @classmethod
    def depth(cls, field: str, message: str) -> LimitExceeded:
        """One parameter is nested deeper than it may be."""
        return cls(message, [FieldError(field, TOO_DEEP, message)])

    @classmethod
    def size(cls, field: str, message: str) -> LimitExceeded:
        """One parameter holds more than it may."""
        return cls(message, [FieldError(field, "too_large", message)])


class TableNotFound(NexusError):
    """The model's table is missing in the database."""

    code = "table_not_found"
    title = "Table not found"


class Unavailable(NexusError):
    """The database cannot be reached. Nothing is half-done."""

    code = "unavailable"
    title = "Service unavailable"


class DeadlineExceeded(Unavailable):
    """The database was too slow: the operation was cancelled at its deadline (REST 504)."""


class Internal(NexusError):
    """Our own defect. The detail says nothing but the request id; the log has the rest."""
