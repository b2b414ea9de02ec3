"""
The pytest plugin: fixtures that a project gets with the kit.
"""

from __future__ import annotations

import pytest

from tests import fresh_process

pytest_plugins = ["pytester"]

# By hand and without any other plugin, so that it makes no difference whether the kit is installed.
_OPTIONS = ("-p", "lambda_kit.testing.plugin")


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyprojecttoml('[tool.pytest.ini_options]\naddopts = ["--strict-markers"]\nfilterwarnings = ["error"]\n')
    return pytester


def test_context_is_of_the_function_that_the_marker_describes(project: pytest.Pytester) -> None:
    """
    Without a marker there are defaults; the nearest marker says otherwise.
    """
    project.makepyfile(
        """
        import pytest

        def test_defaults(lambda_context):
            assert 2500 < lambda_context.get_remaining_time_in_millis() <= 3000
            assert ("test-function", "128", None) == (
                lambda_context.function_name, lambda_context.memory_limit_in_mb, lambda_context.tenant_id
            )

        @pytest.mark.lambda_function(timeout=60, memory=512, name="orders", tenant_id="t1")
        def test_marked(lambda_context):
            assert 59_000 < lambda_context.get_remaining_time_in_millis() <= 60_000
            assert ("orders", "512", "t1") == (
                lambda_context.function_name, lambda_context.memory_limit_in_mb, lambda_context.tenant_id
            )
        """
    )

    project.runpytest_inprocess(*_OPTIONS).assert_outcomes(passed=2)


@pytest.mark.parametrize("arguments", ["3", "memory_mb=3"])
def test_a_wrong_marker_is_an_error(project: pytest.Pytester, arguments: str) -> None:
    """
    A misspelt argument is not passed over.
    """
    project.makepyfile(
        f"""
        import pytest

        @pytest.mark.lambda_function({arguments})
        def test_marked(lambda_context): ...
        """
    )

    result = project.runpytest_inprocess(*_OPTIONS)

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*lambda_function takes timeout, memory, name, tenant_id: got *"])


def test_a_handler_is_tested_with_event_and_context(project: pytest.Pytester) -> None:
    """
    The two fixtures are all that a unit test of a handler needs.
    """
    project.makepyfile(
        """
        from lambda_kit import handler

        def test_api(lambda_events, lambda_context):
            api = handler.http(lambda request: request.json())(lambda order: {"sku": order["sku"]})

            answer = api(lambda_events.api_v2("POST", "/orders", json={"sku": "a"}), lambda_context)

            assert (200, '{"sku":"a"}') == (answer["statusCode"], answer["body"])

        def test_worker(lambda_events, lambda_context):
            worker = handler.sqs(lambda record: record.body)(lambda body: None)

            assert {"batchItemFailures": []} == worker(lambda_events.sqs("a"), lambda_context)
        """
    )

    project.runpytest_inprocess(*_OPTIONS).assert_outcomes(passed=2)


def test_environ_is_a_functions_and_is_taken_back(project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Nothing of the developer's own account is seen; the kit is cold before and after; the old environment comes back.
    """
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_REGION", "xx-real-1")
    project.makepyfile(
        """
        import os
        import pytest
        from lambda_kit import env, environment, lazy
        from lambda_kit._runtime import begin_invocation

        built = []
        handle = lazy(lambda: built.append(1))

        def test_first(lambda_environ, tmp_path):
            assert "eu-central-1" == os.environ["AWS_REGION"]
            assert "AWS_PROFILE" not in os.environ
            assert str(tmp_path) == os.environ["TMPDIR"]
            assert "test-function" == os.environ["AWS_LAMBDA_FUNCTION_NAME"]
            lambda_environ.setenv("TABLE", "orders")
            assert "orders" == env("TABLE")()
            handle()
            begin_invocation()
            assert 1 == environment().invocations

        @pytest.mark.lambda_function(name="other", memory=256)
        def test_second(lambda_environ):
            assert ("other", "256") == (os.environ["AWS_LAMBDA_FUNCTION_NAME"], os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"])
            assert "TABLE" not in os.environ
            assert 0 == environment().invocations
            handle()
            assert 2 == len(built)

        def test_without():
            assert ("production", "xx-real-1") == (os.environ["AWS_PROFILE"], os.environ["AWS_REGION"])
        """
    )

    project.runpytest_inprocess(*_OPTIONS).assert_outcomes(passed=3)


def test_the_marker_is_explained(project: pytest.Pytester) -> None:
    """
    pytest --markers shows what it takes.
    """
    project.runpytest_inprocess("--markers", *_OPTIONS).stdout.fnmatch_lines(["@pytest.mark.lambda_function(timeout=3.0, memory=128*"])


def test_loading_the_plugin_imports_pytest_only() -> None:
    """
    The plugin is loaded in every test run of an environment that has the kit; it must not cost one.
    """
    code = """
        import json, sys
        import pytest
        before = set(sys.modules)
        import lambda_kit.testing.plugin
        print(json.dumps(sorted(name for name in set(sys.modules) - before if not name.startswith("lambda_kit"))))
        print(json.dumps(sorted(name for name in sys.modules if name.startswith("lambda_kit"))))
    """

    assert ["lambda_kit", "lambda_kit._lazy", "lambda_kit.testing", "lambda_kit.testing.plugin"] == fresh_process.result(code)
