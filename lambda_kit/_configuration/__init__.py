"""
Parameters, secrets and environment variables: declared as handles, or read at once, through one cache.
"""

from __future__ import annotations

from lambda_kit._configuration._declarations import env, kms_env, parameter, secret
from lambda_kit._configuration._getters import get_parameter, get_secret
from lambda_kit._configuration._many import get_parameters, get_parameters_by_path, get_secrets
from lambda_kit._configuration._stats import ConfigStats, config_stats
from lambda_kit._configuration._stored import StoredValue

__all__ = [
    "ConfigStats",
    "StoredValue",
    "config_stats",
    "env",
    "get_parameter",
    "get_parameters",
    "get_parameters_by_path",
    "get_secret",
    "get_secrets",
    "kms_env",
    "parameter",
    "secret",
]
