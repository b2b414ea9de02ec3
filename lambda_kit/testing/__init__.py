"""
What tests of functions need: contexts, events, a PostgreSQL of one's own, and a pytest plugin.
"""

from __future__ import annotations

from lambda_kit._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_kit._local._postgres import PostgresServer as PostgresServer
    from lambda_kit.testing._contexts import FakeContext as FakeContext
    from lambda_kit.testing._events import LambdaEvents as LambdaEvents
    from lambda_kit.testing._override import override as override
    from lambda_kit.testing._purity import assert_pure as assert_pure

__all__ = ["FakeContext", "LambdaEvents", "PostgresServer", "assert_pure", "override"]

if not TYPE_CHECKING:  # a checker would take a module with __getattr__ to have any name
    # Lazily, because pytest imports the plugin, and so this package, in every run of an environment that has the kit.
    __getattr__, __dir__ = attach(
        __name__,
        {
            "FakeContext": "lambda_kit.testing._contexts",
            "LambdaEvents": "lambda_kit.testing._events",
            "PostgresServer": "lambda_kit._local._postgres",
            "assert_pure": "lambda_kit.testing._purity",
            "override": "lambda_kit.testing._override",
        },
    )
