"""
What a statement's text says of transactions, for when its answer never came.
"""

from __future__ import annotations

import re

# Blanks and comments, in every dialect there is. Many /* */ are one to the pattern, which would else try every way to divide them.
_LINES = r"(?:\s|--[^\n]*(?:\n|$)|\#[^\n]*(?:\n|$))*"
_BLANK = rf"{_LINES}(?:/\*.*?\*/{_LINES})?"
_STANDARD = r"COMMIT|END|PREPARE\s+TRANSACTION"
# Source: https://dev.mysql.com/doc/refman/8.4/en/implicit-commit.html; a procedure may commit, too.
_OF_MYSQL = (
    r"COMMIT|ALTER|ANALYZE|BEGIN|CACHE|CALL|CHANGE|CHECK|(?:CREATE|DROP)(?!\s+TEMPORARY)|FLUSH|GRANT|INSTALL|LOAD\s+INDEX|LOCK|OPTIMIZE"
    r"|RENAME|REPAIR|RESET|REVOKE|SET\s+PASSWORD|SET\b[^;]*\bAUTOCOMMIT|START|STOP|TRUNCATE|UNINSTALL|UNLOCK|XA"
)


def commits(statement: str | bytes, *, mysql: bool = False) -> bool:
    """
    Tell whether *statement* holds something that may commit the open transaction. When in doubt, it does: a text in quotes may
    look like it.
    """
    text = statement if isinstance(statement, str) else statement.decode("utf-8", "replace")
    return re.search(rf"(?:^|;){_BLANK}(?:{_OF_MYSQL if mysql else _STANDARD})\b", text, re.IGNORECASE | re.DOTALL) is not None
