"""
What the checkers must refuse of databases and logins.
"""

from __future__ import annotations

from psycopg import Connection

from lambda_kit import databases, password_login, rds_iam_login, secret, secret_login
from lambda_kit.databases import Credentials, Database, Login

orders = databases.postgres(login=secret_login("orders/db"))

not_a_connection: Database[str] = orders  # type: ignore[assignment]
databases.postgres("host=db", secret_login("orders/db"))  # type: ignore[call-arg]
databases.postgres("host=db", login="orders/db")  # type: ignore[arg-type]
databases.postgres("host=db", login=secret("orders/db"))  # type: ignore[arg-type]
databases.postgres("host=db", max_connection=1)  # type: ignore[call-arg]
databases.postgres("host=db", ping_after=1.0)  # type: ignore[call-arg]
databases.postgre("host=db")  # type: ignore[attr-defined]
orders.execute("SELECT 1")  # type: ignore[attr-defined]
orders.connection().execute("SELECT 1")  # type: ignore[attr-defined]
orders.run(lambda connection: connection.exec("SELECT 1"))  # type: ignore[attr-defined]
orders.run(lambda connection: connection, True)  # type: ignore[call-arg]
secret_login("orders/db", True)  # type: ignore[call-arg]
password_login("app", "s3cret")  # type: ignore[arg-type]


databases.mysql("host", None)  # type: ignore[call-arg]
databases.mysql(login=secret("orders/db"))  # type: ignore[arg-type]
databases.redis("redis://h", on_connect=print)  # type: ignore[call-arg]
databases.redis("redis://h").run(lambda client: client.nonsense())  # type: ignore[attr-defined]
databases.reconnecting(lambda: None, lambda *_: True, lambda _: None, print)  # type: ignore[arg-type, misc]
rds_iam_login("app")  # type: ignore[call-arg]


def no_credentials(_: Credentials | None) -> str:
    return "app"


wrong: Login = no_credentials  # type: ignore[assignment]


def needs_another(connection: Connection[dict[str, object]]) -> None: ...


orders.run(needs_another)  # type: ignore[arg-type]
