"""
Lambda on this machine: the Runtime API, execution environments, embedded AWS, PostgreSQL and an X-Ray daemon.
"""

from __future__ import annotations

from lambda_kit._local._aws import EmbeddedAws as EmbeddedAws
from lambda_kit._local._function import FunctionConfiguration as FunctionConfiguration
from lambda_kit._local._local_function import LocalFunction as LocalFunction
from lambda_kit._local._postgres import PostgresServer as PostgresServer
from lambda_kit._local._results import InvokeResult as InvokeResult
from lambda_kit._local._waterfall import waterfall as waterfall
from lambda_kit._local._xray import XRayDaemon as XRayDaemon
