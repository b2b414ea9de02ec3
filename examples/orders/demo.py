"""
The order service through a bad day: cold and warm, its database killed, its password rotated, a body that is no order.

Run it with `make demo`. Everything is real but AWS, which is embedded: Lambda's own runtime client, PostgreSQL, the HTTP
requests between them. Nothing is left running.
"""

from __future__ import annotations

import json
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lambda_kit._local import EmbeddedAws, LocalFunction, PostgresServer, XRayDaemon, waterfall

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Sequence

    from lambda_kit._local import InvokeResult

HERE = Path(__file__).resolve().parent
ROLE = DATABASE = "orders"
# Where nobody says how wide a line may be; and what a trace takes beside names and bars.
WIDE, FIGURES = 140, 32


@dataclass(frozen=True, slots=True)
class Step:
    """
    What one invocation came to.
    """

    title: str
    result: InvokeResult
    calls: Counter[str]
    spans: Sequence[dict[str, Any]]

    @property
    def status(self) -> str:
        """
        The HTTP status, or how many records of a batch failed.
        """
        answer = self.result.payload
        if not self.result.ok:
            return f"{self.result.status}: {(self.result.error or {}).get('errorType')}"
        if "batchItemFailures" in answer:
            return f"{len(answer['batchItemFailures'])} failed"
        return str(answer["statusCode"])

    @property
    def connects(self) -> int:
        """
        How many connections to PostgreSQL were made.
        """
        return len(self._attempts(failed=False))

    @property
    def recovered(self) -> str:
        """
        What went wrong on the way and was put right, told from the spans and the calls.
        """
        if self.result.cold or not self.connects:
            return ""
        if self._attempts(failed=True) and self.calls["secretsmanager:GetSecretValue"]:
            return "password refused, secret reread"
        return "dead connection noticed"

    def _attempts(self, *, failed: bool) -> list[dict[str, Any]]:
        return [span for span in self.spans if span["name"] == "connect" and bool(span.get("fault") or span.get("error")) is failed]


class Day:
    """
    The order service's surroundings, and what happened so far.
    """

    def __init__(self, resources: ExitStack, say: Callable[[str], None]) -> None:
        self.say = say
        say("starting PostgreSQL")
        self.postgres = resources.enter_context(PostgresServer.start())
        say("starting the embedded AWS")
        self.aws = resources.enter_context(EmbeddedAws.start(HERE / "aws.toml"))
        self.xray = resources.enter_context(XRayDaemon())
        self._resources = resources
        self.steps: list[Step] = []
        self.postgres.create_role(ROLE, "first password")
        self.postgres.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}")
        self.postgres.execute(f"SET ROLE {ROLE}; {(HERE / 'schema.sql').read_text()}", dbname=DATABASE)
        self._secret = self.aws.client("secretsmanager").create_secret(Name="orders/db", SecretString=self._login("first password"))

    def function(self, handler: str) -> LocalFunction:
        """
        Return one of the service's functions, as template.yaml configures it.
        """
        queue_url = self.aws.client("sqs").get_queue_url(QueueName="orders")["QueueUrl"]
        return self._resources.enter_context(
            LocalFunction(
                handler,
                task_root=HERE.parent,
                function_name=handler.rpartition(".")[2],
                timeout_s=10.0,
                memory_mb=512,
                environ={**self.aws.environ, "ORDERS_QUEUE_URL": queue_url},
                xray=self.xray,
            )
        )

    def invoke(self, title: str, function: LocalFunction, event: object) -> InvokeResult:
        """
        Invoke and note down what happened.
        """
        self.say(f"invoking: {title}")
        self.aws.forget_calls()
        self.xray.clear()
        result = function.invoke(event)
        self.steps.append(Step(title, result, self.aws.forget_calls(), self.xray.documents()))
        return result

    def rotate_password(self) -> None:
        """
        Give the role a new password, write it to the secret, and end the connections that the old one opened.
        """
        self.say("rotating the password, and ending the connections")
        self.postgres.set_password(ROLE, "second password")
        self.aws.client("secretsmanager").put_secret_value(SecretId=self._secret["ARN"], SecretString=self._login("second password"))
        self.postgres.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [ROLE])

    def restart_postgres(self) -> None:
        """
        End the server as a crash would, and start it again.
        """
        self.say("killing PostgreSQL, and starting it again")
        self.postgres.kill()
        self.postgres.restart()

    def messages(self) -> list[str]:
        """
        Take the orders announced so far from the queue.
        """
        queue = self.aws.client("sqs")
        url = queue.get_queue_url(QueueName="orders")["QueueUrl"]
        taken: list[str] = []
        while found := queue.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            taken += [message["Body"] for message in found]
        return taken

    def _login(self, password: str) -> str:
        return json.dumps(self.postgres.secret(dbname=DATABASE, user=ROLE, password=password))


def batch(bodies: Sequence[str]) -> dict[str, Any]:
    """
    Return an SQS event of *bodies*.
    """
    return {
        "Records": [
            {
                "messageId": f"00000000-0000-4000-8000-{number:012d}",
                "receiptHandle": "handle",
                "body": body,
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1795253400000",
                    "SenderId": "AIDAEXAMPLE",
                    "ApproximateFirstReceiveTimestamp": "1795253400001",
                },
                "messageAttributes": {},
                "md5OfBody": "",
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:123456789012:orders",
                "awsRegion": "us-east-1",
            }
            for number, body in enumerate(bodies, start=1)
        ]
    }


def live(day: Day) -> None:
    """
    Let the day happen.
    """
    event = json.loads((HERE / "event.json").read_text())
    api = day.function("orders.handler.api")
    day.invoke("first order", api, event)
    day.invoke("another", api, event)
    day.invoke("another", api, event)
    day.restart_postgres()
    day.invoke("PostgreSQL killed and restarted", api, event)
    day.rotate_password()
    day.invoke("password rotated, logins ended", api, event)
    day.invoke("a body that is no order", api, {**event, "body": '{"sku": "teapot", "quantity": "many"}'})
    worker = day.function("orders.handler.worker")
    day.invoke("worker: a batch, one bad record", worker, batch([*day.messages(), '{"order": 1}']))


def table(steps: Sequence[Step]) -> Table:
    """
    Return what happened as a table.
    """
    shown = Table(title="The order service through a bad day", box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    shown.caption = "INIT and the invocation in ms"
    for heading in ("what, and how it recovered", "answer"):
        shown.add_column(heading)
    for heading in ("INIT", "ms", "logins"):
        shown.add_column(heading, justify="right")
    shown.add_column("AWS calls")
    for step in steps:
        what = f"{step.title}\n  {step.recovered}" if step.recovered else step.title
        init_ms = f"{step.result.init_ms:.0f}" if step.result.init_ms is not None else ""
        calls = [f"{name.partition(':')[2]}{f' x{count}' if count > 1 else ''}" for name, count in sorted(step.calls.items())]
        figures = (init_ms, f"{step.result.duration_ms:.0f}", str(step.connects))
        shown.add_row(*map(escape, (what, step.status, *figures, "\n".join(calls))))
    return shown


def problems(steps: Sequence[Step], confirmed: int) -> list[str]:
    """
    Compare what happened with what should have.
    """
    expected = ["201", "201", "201", "201", "201", "400", "1 failed"]
    found = [step.status for step in steps]
    wrong = [] if found == expected else [f"expected {expected}, got {found}"]
    if confirmed != expected.count("201"):
        wrong.append(f"expected {expected.count('201')} confirmed orders in the database, found {confirmed}")
    return wrong


def main() -> int:
    """
    Live the day, print it, and return 0 when everything came out as it should.
    """
    console = Console(width=None if sys.stdout.isatty() else WIDE)
    with ExitStack() as resources:
        day = Day(resources, lambda what: console.print(what, highlight=False, markup=False))
        live(day)
        confirmed = day.postgres.execute("SELECT count(*) FROM orders WHERE confirmed", dbname=DATABASE)[0][0]
    console.print()
    console.print(table(day.steps))
    for number in (0, 4):
        console.print(f"\n{day.steps[number].title}:", highlight=False)
        console.print(
            waterfall(day.steps[number].spans, width=min(console.width, WIDE) - FIGURES), highlight=False, markup=False, soft_wrap=True
        )
    console.print(f"\nthe malformed body was answered:\n{day.steps[5].result.payload['body']}", highlight=False, markup=False)
    console.print(f"\n{confirmed} orders are confirmed in the database.", highlight=False)
    wrong = problems(day.steps, confirmed)
    for line in wrong:
        console.print(f"wrong: {line}", style="red", markup=False)
    if wrong:
        console.print("\n".join(line for step in day.steps for line in step.result.log), markup=False)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
