"""
Database connections bound to the life of the execution environment: always there, never stale, never shared.
"""

from __future__ import annotations

from lambda_kit.databases._credentials import Credentials as Credentials
from lambda_kit.databases._credentials import Login as Login
from lambda_kit.databases._database import Database as Database
from lambda_kit.databases._driver import Verdict as Verdict
from lambda_kit.databases._mysql import mysql as mysql
from lambda_kit.databases._postgres import postgres as postgres
from lambda_kit.databases._reconnecting import reconnecting as reconnecting
from lambda_kit.databases._redis import redis as redis
from lambda_kit.databases._stats import Stats as Stats

__all__ = ["Credentials", "Database", "Login", "Stats", "Verdict", "mysql", "postgres", "reconnecting", "redis"]
