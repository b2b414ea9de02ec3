"""
Every exception the kit raises, drawn as one tree.

    LambdaKitError
    ├─ ConfigurationError (ValueError)          fix your set-up
    │  └─ MissingDependencyError (ImportError)  says which extra to install
    ├─ EventError (ValueError)                  the event does not fit: HTTP 400, or a rejected record
    ├─ BatchError                               every record of a batch failed
    ├─ ParameterError
    │  ├─ ParameterNotFoundError (LookupError)
    │  ├─ ParameterAccessError (PermissionError)
    │  ├─ ParameterValueError (ValueError)
    │  └─ ParameterUnavailableError             retryable
    ├─ DatabaseError
    │  ├─ LoginError (PermissionError)
    │  ├─ ConnectTimeoutError (TimeoutError)    retryable
    │  ├─ ConnectionLostError (ConnectionError)
    │  └─ CommitUnknownError
    ├─ DeadlineError (TimeoutError)
    ├─ ServiceError                             AWS refused a call of the kit's own, or did not answer
    └─ LayerError

Facts are attributes, not only prose; every error survives ``pickle``; none carries a secret value.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BatchError",
    "CommitUnknownError",
    "ConfigurationError",
    "ConnectTimeoutError",
    "ConnectionLostError",
    "DatabaseError",
    "DeadlineError",
    "EventError",
    "LambdaKitError",
    "LayerError",
    "LoginError",
    "MissingDependencyError",
    "ParameterAccessError",
    "ParameterError",
    "ParameterNotFoundError",
    "ParameterUnavailableError",
    "ParameterValueError",
    "ServiceError",
]


class LambdaKitError(Exception):
    """
    Be the root of all errors of the kit.

    Attributes:
        retryable: The same call may succeed later with nothing changed by you.
    """

    retryable: bool = False

    def __init__(self, message: str = "") -> None:
        super().__init__(message)


class ConfigurationError(LambdaKitError, ValueError):
    """
    Say that the set-up is wrong: a declaration, an environment variable, a wiring line.

    Retrying does not help; the message names what to change.
    """


class MissingDependencyError(ConfigurationError, ImportError):
    """
    Say that an optional package is not installed, and which extra brings it.

    Attributes:
        package: The import name that was not found; ``name``, as ``ImportError`` calls it, is the same.
        extra: The extra of ``aws-lambda-kit`` that installs it; empty when none does.
    """

    def __init__(self, message: str = "", *, package: str = "", extra: str = "") -> None:
        super().__init__(message)
        # ValueError comes first among the bases and does not pass these on to ImportError.
        self.msg = message
        self.name = package or None
        self.package = package
        self.extra = extra


class EventError(LambdaKitError, ValueError):
    """
    Say that an event, or one record of it, does not have the shape that was asked for.

    Attributes:
        source: The event source as the kit names it, such as ``"sqs"``; empty when unknown.
        field: Dotted path of the first offending field, such as ``"Records.0.body"``; empty when there is none.
        details: One mapping per offence: ``{"field": "qty", "message": "..."}``; never the offending value,
            but for HTTP what a validator of yours says, which goes into the answer to the client and nowhere else.
    """

    def __init__(self, message: str = "", *, source: str = "", field: str = "", details: tuple[Mapping[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.source = source
        self.field = field
        self.details = tuple(dict(offence) for offence in details)


class BatchError(LambdaKitError):
    """
    Say that every record of a batch failed, so that the event source delivers all of it again.

    Attributes:
        errors: The failure of each record, by record id: ``{message_id: exception}``.
    """

    retryable = True

    def __init__(self, message: str = "", *, errors: Mapping[str, BaseException] | None = None) -> None:
        super().__init__(message)
        self.errors: dict[str, BaseException] = dict(errors or {})


class ParameterError(LambdaKitError):
    """
    Say that a parameter, a secret or an environment variable could not be read.

    Attributes:
        name: What was asked for, as it was asked for.
    """

    def __init__(self, message: str = "", *, name: str = "") -> None:
        super().__init__(message)
        self.name = name


class ParameterNotFoundError(ParameterError, LookupError):
    """
    Say that nothing of that name, version or stage exists where it was looked for.
    """


class ParameterAccessError(ParameterError, PermissionError):
    """
    Say that the function's role may not read or decrypt it. A stale value is never served instead.
    """


class ParameterValueError(ParameterError, ValueError):
    """
    Say that the stored text could not be turned into the value asked for. The text is not part of the message.
    """


class ParameterUnavailableError(ParameterError):
    """
    Say that the service did not answer in time, or throttled, and no value young enough was at hand.
    """

    retryable = True


class DatabaseError(LambdaKitError):
    """
    Say that the database could not be used. The driver's own error is the cause.
    """


class LoginError(DatabaseError, PermissionError):
    """
    Say that the server refused every credential the login offered.
    """


class ConnectTimeoutError(DatabaseError, TimeoutError):
    """
    Say that no connection could be made within the time there was.
    """

    retryable = True


class ConnectionLostError(DatabaseError, ConnectionError):
    """
    Say that the connection died while it was checked out. What was not committed did not happen.

    Attributes:
        in_doubt: A statement outside of a transaction was under way, with ``autocommit`` or on a database without
            transactions: it may have happened.
    """

    def __init__(self, message: str = "", *, in_doubt: bool = False) -> None:
        super().__init__(message)
        self.in_doubt = in_doubt


class CommitUnknownError(DatabaseError):
    """
    Say that the connection died during COMMIT, the kit's or your own: the transaction may or may not have happened. Never
    retried by the kit.
    """


class DeadlineError(LambdaKitError, TimeoutError):
    """
    Say that the invocation has too little time left to begin, or to go on with, what was asked.

    Attributes:
        remaining_s: Seconds that were left when the kit gave up; ``None`` when not known.
        in_doubt: What was given up is a statement outside of a transaction, with ``autocommit`` or on a database without
            transactions: it may have happened.
    """

    retryable = True

    def __init__(self, message: str = "", *, remaining_s: float | None = None, in_doubt: bool = False) -> None:
        super().__init__(message)
        self.remaining_s = remaining_s
        self.in_doubt = in_doubt


class ServiceError(LambdaKitError):
    """
    Say that an AWS service refused a call of the kit's own, or did not answer it. It is the cause of a :class:`ParameterError`
    where no SDK was used; where boto3 was, botocore's error is.

    Attributes:
        code: The service's name for the error, such as ``"ThrottlingException"``; empty when there was no answer.
        reason: The service's message, or what went wrong on the way there and back.
        status: HTTP status; 0 when there was no answer.
        region: Where it was asked.
    """

    def __init__(self, message: str = "", *, code: str = "", reason: str = "", status: int = 0, region: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.status = status
        self.region = region
        self.retryable = not code and bool(message)

    @property
    def response(self) -> dict[str, dict[str, object]]:
        """
        Return the answer in the shape of botocore's ``ClientError.response``, for code that reads that.
        """
        return {"Error": {"Code": self.code, "Message": self.reason}, "ResponseMetadata": {"HTTPStatusCode": self.status}}


class LayerError(LambdaKitError):
    """
    Say that a layer could not be built, and which package or setting is to blame.
    """
