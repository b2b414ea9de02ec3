"""
The errors: one tree, facts as attributes, whole after a pickle.
"""

from __future__ import annotations

import builtins
import copy
import inspect
import pickle
import re
from typing import Any

import pytest

from lambda_kit import errors

_FACTS: dict[str, dict[str, Any]] = {
    "MissingDependencyError": {"package": "boto3", "extra": "aws"},
    "EventError": {"source": "sqs", "field": "Records.0.body", "details": ({"field": "qty", "message": "too small"},)},
    "BatchError": {"errors": {"m-1": errors.EventError("bad", source="sqs")}},
    "ParameterError": {"name": "/orders/price"},
    "ParameterNotFoundError": {"name": "/orders/price"},
    "ParameterAccessError": {"name": "/orders/price"},
    "ParameterValueError": {"name": "/orders/price"},
    "ParameterUnavailableError": {"name": "/orders/price"},
    "DeadlineError": {"remaining_s": 0.25},
    "ServiceError": {"code": "ThrottlingException", "reason": "Rate exceeded", "status": 400, "region": "eu-west-1"},
}
_ALL: list[type[errors.LambdaKitError]] = [getattr(errors, name) for name in errors.__all__]
every_error = pytest.mark.parametrize("kind", _ALL, ids=lambda kind: kind.__name__)


def _make(kind: type[errors.LambdaKitError]) -> errors.LambdaKitError:
    return kind("what happened", **_FACTS.get(kind.__name__, {}))


def _comparable(value: object) -> object:
    return repr(value) if isinstance(value, BaseException) else value


def _facts(error: BaseException) -> dict[str, object]:
    facts = dict(vars(error))
    return {name: {k: _comparable(v) for k, v in fact.items()} if isinstance(fact, dict) else fact for name, fact in facts.items()}


def _tree() -> dict[str, tuple[str, str]]:
    """
    Read ``{error: (kit parent, builtin parent)}`` off the drawing in the module's docstring.
    """
    found: dict[str, tuple[str, str]] = {}
    parents: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        drawn = re.match(r"^    ([│ ├└─]*)([A-Z]\w+Error)(?: \((\w+)\))?", line)
        if drawn:
            depth = len(drawn[1]) // 3
            del parents[depth:]
            found[drawn[2]] = (parents[-1] if parents else "", drawn[3] or "")
            parents.append(drawn[2])
    return found


def test_module_offers_what_it_draws() -> None:
    """
    The drawing, ``__all__`` and the classes name the same errors.
    """
    defined = {name for name, value in vars(errors).items() if inspect.isclass(value)}

    assert set(errors.__all__) == defined
    assert set(errors.__all__) == set(_tree())


@pytest.mark.parametrize(("name", "parents"), _tree().items(), ids=_tree())
def test_errors_inherit_as_drawn(name: str, parents: tuple[str, str]) -> None:
    """
    Each error is a kind of its parent in the drawing and of the builtin in brackets.
    """
    kit, builtin = parents
    kind = getattr(errors, name)

    assert issubclass(kind, getattr(errors, kit) if kit else Exception)
    assert issubclass(kind, getattr(builtins, builtin) if builtin else Exception)


@every_error
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_error_survives_pickle(kind: type[errors.LambdaKitError], protocol: int) -> None:
    """
    Type, message and facts come out of a pickle as they went in.
    """
    error = _make(kind)

    again = pickle.loads(pickle.dumps(error, protocol))  # noqa: S301  # its own pickle

    assert (kind, "what happened", error.args) == (type(again), str(again), again.args)
    assert _facts(error) == _facts(again)
    assert set(_FACTS.get(kind.__name__, {})) <= set(_facts(again))


@every_error
def test_error_survives_copy(kind: type[errors.LambdaKitError]) -> None:
    """
    A copy has the same facts.
    """
    error = _make(kind)

    assert _facts(error) == _facts(copy.copy(error))


@every_error
def test_error_can_be_raised_bare(kind: type[errors.LambdaKitError]) -> None:
    """
    Every argument has a default.
    """
    error = kind()

    assert "" == str(error)


@every_error
def test_error_takes_no_fact_it_does_not_keep(kind: type[errors.LambdaKitError]) -> None:
    """
    A fact that is no attribute of the error is refused instead of lost.
    """
    with pytest.raises(TypeError):
        kind("what happened", no_such_fact=1)  # type: ignore[call-arg]  # what the test is about


@every_error
def test_only_what_may_pass_is_retryable(kind: type[errors.LambdaKitError]) -> None:
    """
    The retryable errors are the ones where nothing needs to be changed.
    """
    retryable = {errors.BatchError, errors.ParameterUnavailableError, errors.ConnectTimeoutError, errors.DeadlineError}

    assert (kind in retryable) is kind().retryable


def test_missing_dependency_is_a_whole_import_error() -> None:
    """
    Code that catches ImportError finds its fields filled.
    """
    error = errors.MissingDependencyError("not installed", package="boto3", extra="aws")

    assert ("not installed", "boto3", "boto3") == (error.msg, error.name, error.package)
    assert errors.MissingDependencyError("not installed").name is None


def test_batch_error_keeps_its_own_errors() -> None:
    """
    What the caller does to its mapping later does not change the error.
    """
    failures: dict[str, BaseException] = {"m-1": ValueError("bad")}
    error = errors.BatchError("all failed", errors=failures)

    failures.clear()

    assert ["m-1"] == list(error.errors)


def test_cause_is_kept() -> None:
    """
    An error raised from another one leads back to it.
    """
    cause = KeyError("x")

    with pytest.raises(errors.ParameterNotFoundError) as caught:
        raise errors.ParameterNotFoundError("no parameter 'x'", name="x") from cause

    assert cause is caught.value.__cause__


def test_service_error_reads_like_botocores() -> None:
    """
    Code that looks for botocore's code and status finds them; without an answer the call may be repeated.
    """
    refused = errors.ServiceError("denied", code="AccessDenied", reason="not you", status=400)

    assert "AccessDenied" == refused.response["Error"]["Code"]
    assert 400 == refused.response["ResponseMetadata"]["HTTPStatusCode"]
    assert not refused.retryable
    assert errors.ServiceError("timed out").retryable
