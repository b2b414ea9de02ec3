"""
The subjects of benchmarks/databases.py: how each keeps a connection, set up as its documentation says.

Each is code that leaves behind ``attempt``, one unit of work of an invocation, and ``leave_open``, which writes a row through a
connection that has been given back already, and ends nothing.
"""

from __future__ import annotations

KIT = "lambda_kit"
RAW = "psycopg"
POOL = "psycopg_pool"
POOL_CHECK = "psycopg_pool, `check`"
ALCHEMY = "SQLAlchemy"
ALCHEMY_PING = "SQLAlchemy, `pool_pre_ping`"

PRELUDE = """
import json, os, time
host, port, fixed = os.environ["HOST"], os.environ["PORT"], os.environ.get("PASSWORD")
conninfo = f"host={host} port={port} dbname=postgres"
INSERT = "INSERT INTO rows VALUES (%s)", [os.environ.get("TITLE")]
if fixed is None:
    import boto3
    secrets = boto3.client("secretsmanager")

def login():
    # Given, or read anew for each connect.
    if fixed is not None:
        return {"user": "app", "password": fixed}
    found = json.loads(secrets.get_secret_value(SecretId="orders/db")["SecretString"])
    return {"user": found["username"], "password": found["password"]}
"""

_KIT = """
from awslambdaric.lambda_context import LambdaContext
from lambda_kit import databases, handler, secret_login
def context(seconds):
    arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders"
    return LambdaContext("8f5a", None, None, int((time.time() + seconds) * 1000), arn, None)
db = databases.postgres(conninfo, login=secret_login("orders/db"))
@handler
def work(event, context):
    with db.connection() as connection:
        connection.execute("SELECT 1").fetchone()
def attempt():
    work({}, context(30))
def leave_open():
    with db.connection() as connection:
        pass
    connection.execute(*INSERT)
"""
_RAW = """
import psycopg
connection = None
def attempt():
    global connection
    if connection is None or connection.closed:
        connection = psycopg.connect(conninfo, connect_timeout=5, **login())
    connection.execute("SELECT 1").fetchone()
    connection.commit()
def leave_open():
    connection.execute(*INSERT)
"""
_POOL = """
from psycopg_pool import ConnectionPool
pool = ConnectionPool(conninfo, kwargs=lambda: {"connect_timeout": 5, **login()}, min_size=1, max_size=1, open=True, check=CHECK)
def attempt():
    with pool.connection() as connection:
        connection.execute("SELECT 1").fetchone()
def leave_open():
    with pool.connection() as connection:
        pass
    connection.execute(*INSERT)
"""
_ALCHEMY = """
from sqlalchemy import create_engine, event, text
url = f"postgresql+psycopg://{host}:{port}/postgres"
engine = create_engine(url, connect_args={"connect_timeout": 5}, pool_size=1, max_overflow=0, pool_pre_ping=PING)
@event.listens_for(engine, "do_connect")
def provide(dialect, record, arguments, parameters):
    parameters.update(login())
def attempt():
    with engine.begin() as connection:
        connection.execute(text("SELECT 1")).scalar()
def leave_open():
    with engine.connect() as connection:
        below = connection.connection.driver_connection
    below.execute(*INSERT)
"""

SUBJECTS = {
    KIT: _KIT,
    RAW: _RAW,
    POOL: _POOL.replace("CHECK", "None"),
    POOL_CHECK: _POOL.replace("CHECK", "ConnectionPool.check_connection"),
    ALCHEMY: _ALCHEMY.replace("PING", "False"),
    ALCHEMY_PING: _ALCHEMY.replace("PING", "True"),
}

# Until it works again, as the invocations that follow one another would.
RECOVER = """
import sys
attempt()
if os.environ.get("LEAVE_OPEN"):
    leave_open()
print("warm", flush=True)
sys.stdin.readline()
began_s = time.perf_counter()
while True:
    try:
        attempt()
        break
    except Exception as exc:
        print(type(exc).__name__, flush=True)
        time.sleep(0.05)
print("ok", time.perf_counter() - began_s, flush=True)
# A pool's threads would be waited for.
os._exit(0)
"""
FRESH = """
import psycopg
took_s = []
for _ in range(15):
    began_s = time.perf_counter()
    connection = psycopg.connect(conninfo, connect_timeout=5, **login())
    connection.execute("SELECT 1").fetchone()
    connection.commit()
    took_s.append(time.perf_counter() - began_s)
    connection.close()
print(sorted(took_s)[7])
"""

# For the warm measurements: ``checkout`` returns what a with block takes, ``select`` runs one statement in one.
WARM = {
    KIT: _KIT + "checkout = db.connection\n",
    f"{KIT}, in an invocation": _KIT + "checkout = db.connection\n",
    f"{KIT}, ping each time": _KIT.replace('"orders/db")', '"orders/db"), ping_after_s=0') + "checkout = db.connection\n",
    POOL: SUBJECTS[POOL] + "checkout = pool.connection\n",
    POOL_CHECK: SUBJECTS[POOL_CHECK] + "checkout = pool.connection\n",
    ALCHEMY: SUBJECTS[ALCHEMY] + "checkout = engine.connect\n",
    ALCHEMY_PING: SUBJECTS[ALCHEMY_PING] + "checkout = engine.connect\n",
    RAW: _RAW,
}
IN_INVOCATION = f"{KIT}, in an invocation"
KIT_PING = f"{KIT}, ping each time"
# Times of a checkout and of a SELECT 1 in one, microseconds. The kit's own attempt() has a handler around it.
MEASURE = """
def select():
    with db.connection() as connection:
        connection.execute("SELECT 1").fetchone()
select = select if "db" in globals() else attempt
def empty():
    with checkout():
        pass
def best(call, times):
    call()
    found = []
    for _ in range(30):
        began_s = time.perf_counter()
        for _ in range(times):
            call()
        found.append((time.perf_counter() - began_s) / times * 1e6)
    return min(found)
def measure():
    print(json.dumps([best(empty, 200) if "checkout" in globals() else None, best(select, 20)]), flush=True)
"""
COUNT = """
def measure():
    for _ in range(20 + int(os.environ["TIMES"])):
        with checkout():
            pass
"""
INSIDE = """
measured = measure
def measure():
    @handler
    def inside(event, context):
        measured()
    inside({}, context(900))
"""
