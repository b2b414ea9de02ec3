"""
Many values read at once have the type that their conversion makes; encrypted variables are handles; counts are numbers.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, assert_type

from pydantic import BaseModel

from lambda_kit import config_stats, get_parameters, get_parameters_by_path, get_secrets, kms_env
from lambda_kit.testing import override


class Limits(BaseModel):
    most: int


def size(data: bytes) -> int:
    return len(data)


assert_type(get_parameters(["/p"]), dict[str, str])
assert_type(get_parameters(("/p", "/q"), decrypt=False, max_age_s=1, stale_for_s=0, fresh=True), dict[str, str])
assert_type(get_parameters({"/p"}, convert=Decimal), dict[str, Decimal])
assert_type(get_parameters(["/p"], convert=lambda text: text.split(",")), dict[str, list[str]])
assert_type(get_parameters(["/p"], convert=json.loads), dict[str, Any])
assert_type(get_parameters_by_path("/p", recursive=False), dict[str, str])
assert_type(get_secrets(["s"], key="password"), dict[str, str])
assert_type(get_secrets(["s"], convert=Limits), dict[str, Limits])
assert_type(get_secrets(["s"], convert=size), dict[str, int])

key = kms_env("KEY")
assert_type(key(), str)
assert_type(kms_env("KEY", convert=bytes)(), bytes)
assert_type(kms_env("KEY", convert=Limits)(), Limits)
key.invalidate()

assert_type(config_stats().hits, int)
with override({"/p": "1", "s": {"password": "x"}}):
    pass
