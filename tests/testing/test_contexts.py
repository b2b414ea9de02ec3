"""
FakeContext: what Lambda's runtime client hands to a function.
"""

from __future__ import annotations

import pytest
from awslambdaric.lambda_context import LambdaContext as RealContext

from lambda_kit import Invocation
from lambda_kit.testing import FakeContext


def test_it_has_everything_that_the_real_one_has(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Attributes and methods are those of the runtime client's own class, with values of the same types.
    """
    for name in ("NAME", "VERSION", "MEMORY_SIZE"):
        monkeypatch.setenv(f"AWS_LAMBDA_FUNCTION_{name}", "128")
    monkeypatch.setenv("AWS_LAMBDA_LOG_GROUP_NAME", "g")
    monkeypatch.setenv("AWS_LAMBDA_LOG_STREAM_NAME", "s")
    real = RealContext("id", None, None, 2_000_000_000_000, "arn:aws:lambda:eu-central-1:123456789012:function:f", None)
    fake = FakeContext()
    names = [name for name in dir(real) if not name.startswith("_")]

    assert [] == [name for name in names if not hasattr(fake, name)]
    # identity is an object of the same two attributes.
    assert [] == [
        name
        for name in names
        if name != "identity" and type(getattr(fake, name)) is not type(getattr(real, name)) and not callable(getattr(fake, name))
    ]
    assert (None, None) == (fake.identity.cognito_identity_id, fake.identity.cognito_identity_pool_id)
    assert type(real.get_remaining_time_in_millis()) is type(fake.get_remaining_time_in_millis())


def test_remaining_time_counts_down_to_zero() -> None:
    """
    The time left begins with the timeout and is never negative.
    """
    context = FakeContext(timeout_s=2.0)
    before = context.get_remaining_time_in_millis()

    assert 0 < before <= 2000
    context.use_up(all_but_s=0.5)
    assert 0 < context.get_remaining_time_in_millis() <= 500
    context.use_up()
    assert 0 == context.get_remaining_time_in_millis()


def test_each_one_is_another_invocation() -> None:
    """
    Request ids differ.
    """
    assert FakeContext().aws_request_id != FakeContext().aws_request_id


def test_an_invocation_can_be_read_from_it() -> None:
    """
    The kit reads region, account, qualifier, memory and tenant from it as from the real one.
    """
    context = FakeContext(
        memory_mb=256, function_name="orders", qualifier="live", region="eu-west-1", account_id="210987654321", tenant_id="t"
    )
    invocation = Invocation.from_context(context)

    assert ("eu-west-1", "210987654321", "live", 256, "t") == (
        invocation.region,
        invocation.account_id,
        invocation.qualifier,
        invocation.memory_mb,
        invocation.tenant_id,
    )
    assert "arn:aws:lambda:eu-west-1:210987654321:function:orders:live" == invocation.function_arn
    assert "/aws/lambda/orders" == context.log_group_name


def test_log_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """
    What is logged through the context can be seen; there are no W3C headers.
    """
    context = FakeContext()
    context.log("hello")

    assert "hello\n" == capsys.readouterr().out
    assert {} == context.w3c()
