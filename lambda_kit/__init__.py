"""
AWS Lambda handler best practice: clients, configuration and database connections bound to the environment's life.

Names are imported on first use: ``import lambda_kit`` loads no third-party package and none of the kit's rooms.
"""

from __future__ import annotations

from lambda_kit._lazy import attach

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_kit import databases as databases
    from lambda_kit import errors as errors
    from lambda_kit import events as events
    from lambda_kit import tracing as tracing
    from lambda_kit._clients import assuming_role as assuming_role
    from lambda_kit._clients import client as client
    from lambda_kit._clients import resource as resource
    from lambda_kit._configuration import config_stats as config_stats
    from lambda_kit._configuration import env as env
    from lambda_kit._configuration import get_parameter as get_parameter
    from lambda_kit._configuration import get_parameters as get_parameters
    from lambda_kit._configuration import get_parameters_by_path as get_parameters_by_path
    from lambda_kit._configuration import get_secret as get_secret
    from lambda_kit._configuration import get_secrets as get_secrets
    from lambda_kit._configuration import kms_env as kms_env
    from lambda_kit._configuration import parameter as parameter
    from lambda_kit._configuration import secret as secret
    from lambda_kit._deps import Deps as Deps
    from lambda_kit._handlers import Handler as Handler
    from lambda_kit._handlers import handler as handler
    from lambda_kit._handles import Handle as Handle
    from lambda_kit._handles import lazy as lazy
    from lambda_kit._handles import preload as preload
    from lambda_kit._handles import use as use
    from lambda_kit._http import HttpRequest as HttpRequest
    from lambda_kit._invocation import Invocation as Invocation
    from lambda_kit._invocation import LambdaContext as LambdaContext
    from lambda_kit._invocation import invocation as invocation
    from lambda_kit._invocation import on_invocation_end as on_invocation_end
    from lambda_kit._invocation import per_invocation as per_invocation
    from lambda_kit._invocation import scratch_dir as scratch_dir
    from lambda_kit._logins import password_login as password_login
    from lambda_kit._logins import rds_iam_login as rds_iam_login
    from lambda_kit._logins import secret_login as secret_login
    from lambda_kit._parallel import parallel_map as parallel_map
    from lambda_kit._responses import Reject as Reject
    from lambda_kit._responses import Response as Response
    from lambda_kit._responses import Retry as Retry
    from lambda_kit._runtime import Environment as Environment
    from lambda_kit._runtime import after_restore as after_restore
    from lambda_kit._runtime import before_snapshot as before_snapshot
    from lambda_kit._runtime import environment as environment
    from lambda_kit._runtime import on_shutdown as on_shutdown

__all__ = [
    "Deps",
    "Environment",
    "Handle",
    "Handler",
    "HttpRequest",
    "Invocation",
    "LambdaContext",
    "Reject",
    "Response",
    "Retry",
    "after_restore",
    "assuming_role",
    "before_snapshot",
    "client",
    "config_stats",
    "databases",
    "env",
    "environment",
    "errors",
    "events",
    "get_parameter",
    "get_parameters",
    "get_parameters_by_path",
    "get_secret",
    "get_secrets",
    "handler",
    "invocation",
    "kms_env",
    "lazy",
    "on_invocation_end",
    "on_shutdown",
    "parallel_map",
    "parameter",
    "password_login",
    "per_invocation",
    "preload",
    "rds_iam_login",
    "resource",
    "scratch_dir",
    "secret",
    "secret_login",
    "tracing",
    "use",
]

if not TYPE_CHECKING:  # a checker would take a module with __getattr__ to have any name
    __getattr__, __dir__ = attach(
        __name__,
        {
            "Deps": "lambda_kit._deps",
            "Environment": "lambda_kit._runtime",
            "Handle": "lambda_kit._handles",
            "Handler": "lambda_kit._handlers",
            "HttpRequest": "lambda_kit._http",
            "Invocation": "lambda_kit._invocation",
            "LambdaContext": "lambda_kit._invocation",
            "Reject": "lambda_kit._responses",
            "Response": "lambda_kit._responses",
            "Retry": "lambda_kit._responses",
            "after_restore": "lambda_kit._runtime",
            "assuming_role": "lambda_kit._clients",
            "before_snapshot": "lambda_kit._runtime",
            "client": "lambda_kit._clients",
            "config_stats": "lambda_kit._configuration",
            "databases": "lambda_kit.databases",
            "env": "lambda_kit._configuration",
            "environment": "lambda_kit._runtime",
            "errors": "lambda_kit.errors",
            "events": "lambda_kit.events",
            "get_parameter": "lambda_kit._configuration",
            "get_parameters": "lambda_kit._configuration",
            "get_parameters_by_path": "lambda_kit._configuration",
            "get_secret": "lambda_kit._configuration",
            "get_secrets": "lambda_kit._configuration",
            "handler": "lambda_kit._handlers",
            "invocation": "lambda_kit._invocation",
            "kms_env": "lambda_kit._configuration",
            "lazy": "lambda_kit._handles",
            "on_invocation_end": "lambda_kit._invocation",
            "on_shutdown": "lambda_kit._runtime",
            "parallel_map": "lambda_kit._parallel",
            "parameter": "lambda_kit._configuration",
            "password_login": "lambda_kit._logins",
            "per_invocation": "lambda_kit._invocation",
            "preload": "lambda_kit._handles",
            "rds_iam_login": "lambda_kit._logins",
            "resource": "lambda_kit._clients",
            "scratch_dir": "lambda_kit._invocation",
            "secret": "lambda_kit._configuration",
            "secret_login": "lambda_kit._logins",
            "tracing": "lambda_kit.tracing",
            "use": "lambda_kit._handles",
        },
    )
