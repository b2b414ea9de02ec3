"""
What the checkers must refuse of reading many values.
"""

from __future__ import annotations

from lambda_kit import config_stats, get_parameters, get_parameters_by_path, get_secrets, kms_env
from lambda_kit.testing import override

wrong_values: dict[str, int] = get_parameters(["/p"])  # type: ignore[assignment]
get_parameters([3])  # type: ignore[list-item]
get_parameters(["/p"], key="member")  # type: ignore[call-overload]
get_parameters_by_path(["/p"])  # type: ignore[arg-type]
get_secrets(["s"], version_stage="AWSPREVIOUS")  # type: ignore[call-overload]
kms_env("KEY", default="")  # type: ignore[call-overload]
config_stats().hitz  # type: ignore[attr-defined]
override(["/p"])  # type: ignore[arg-type]
