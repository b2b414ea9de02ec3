"""
The last line of ``make test``, and what its programs see of the caller's environment.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import targets
from tools.environments import FOLDER, ROOT, Environment, TargetError, milestones, run
from tools.pythons import Interpreter

_HERE = Interpreter((3, 13), "3.13.0", sys.executable)


def _report(folder: Path, **counts: int) -> str:
    path = folder / f"{len(list(folder.iterdir()))}.xml"
    attributes = " ".join(f'{key}="{value}"' for key, value in counts.items())
    path.write_text(f"<testsuites><testsuite {attributes}/></testsuites>", encoding="utf-8")
    return str(path)


def test_the_last_line_adds_up_all_pythons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """
    Counts of several runs become one summary in pytest's words.
    """
    reports = [_report(tmp_path, tests=10, skipped=1, failures=0, errors=0), _report(tmp_path, tests=5)]

    targets.sum_up(reports, [], 61.234)

    assert "========== 14 passed, 1 skipped in 61.23s ==========" == capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(
    ("counts", "summary"),
    [({"tests": 3}, "1 failed, 3 passed"), ({"tests": 3, "failures": 2, "errors": 1}, "2 failed, 1 errors"), ({}, "1 failed")],
    ids=["a checker failed", "tests failed", "pytest did not start"],
)
def test_a_failure_of_any_kind_shows_in_the_last_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], counts: dict[str, int], summary: str
) -> None:
    """
    What failed is named, the last line counts it, and the exit code is 1.
    """
    reports = [_report(tmp_path, **counts) if counts else str(tmp_path / "missing.xml")]

    with pytest.raises(SystemExit) as ended:
        targets.sum_up(reports, ["mypy for Python 3.12: exit code 1"], 1.0)

    lines = capsys.readouterr().out.splitlines()
    assert 1 == ended.value.code
    assert "FAILED mypy for Python 3.12: exit code 1" in lines
    assert f"========== {summary} in 1.00s ==========" == lines[-1]


def test_programs_see_their_environment_first_and_no_stray_settings() -> None:
    """
    Settings of the caller's Python, coverage, AWS account and Lambda do not reach the tests; those of the project's own do.
    """
    caller = {
        "PATH": "/bin",
        "HOME": "/h",
        "AWS_PROFILE": "p",
        "PYTHONPATH": "/p",
        "COVERAGE_PROCESS_CONFIG": "c",
        "LAMBDA_TASK_ROOT": "/t",
        "LAMBDA_KIT_EVENTS": "/e",
        "_HANDLER": "h",
    }

    seen = Environment("test", _HERE).variables(caller, EXTRA="1")

    folder = os.path.join(FOLDER, "test-3.13")
    path = os.path.join(folder, "bin") + ":/bin"
    assert {"PATH": path, "HOME": "/h", "LAMBDA_KIT_EVENTS": "/e", "EXTRA": "1", "VIRTUAL_ENV": folder, "PYTHONUNBUFFERED": "1"} == seen


@pytest.mark.parametrize(
    ("skipped", "required", "title"),
    [
        (0, "", "coverage of all Pythons is at least fail_under of pyproject.toml"),
        (3, "", "coverage of all Pythons, shown only, for 3 tests were skipped"),
        (3, "1", "coverage of all Pythons is at least fail_under of pyproject.toml"),
    ],
    ids=["every test ran", "system packages are missing", "system packages are required"],
)
def test_lines_without_a_test_fail_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], skipped: int, required: str, title: str
) -> None:
    """
    One line without a test is a failure, unless a skipped test may be the reason; the table names the line either way.
    """
    environment = Environment("test", _HERE)
    environment.folder = str(_copy_of_this_environment(tmp_path / "environment"))
    Path(targets.report(environment)).write_text(f'<testsuites><testsuite tests="9" skipped="{skipped}"/></testsuites>', encoding="utf-8")
    monkeypatch.setenv("LAMBDA_KIT_REQUIRE_SYSTEM", required)
    monkeypatch.setattr(targets, "FOLDER", str(tmp_path))
    # An interpreter that defines the errors and raises none.
    assert [] == targets.attempt("measure", environment, [["coverage", "run", "-m", "lambda_kit.errors"]])

    failures = targets.coverage([environment])

    command = f"{environment.python} -m coverage report"
    assert ([] if "shown only" in title else [f"{title}: exit code 2: {command}"]) == failures
    shown = capfd.readouterr().out.splitlines()
    assert f"----- {title}" in shown
    assert any(line.startswith("lambda_kit/errors.py ") for line in shown)


def _copy_of_this_environment(folder: Path) -> Path:
    folder.mkdir()
    for entry in Path(sys.prefix).iterdir():
        (folder / entry.name).symlink_to(entry)
    # The one that the run under way will write is another's.
    (folder / "pytest.xml").unlink(missing_ok=True)
    return folder


def test_a_failing_command_is_named_with_its_exit_code() -> None:
    """
    The error of a target says which command failed and how.
    """
    with pytest.raises(TargetError, match="exit code 3: sh -c exit 3"):
        run(["sh", "-c", "exit 3"])


def test_installing_is_no_long_silence() -> None:
    """
    What pip says about each package becomes a line for fifteen of them, and one for the end.
    """
    said = [
        "Looking in links: x",
        *(f"Collecting p{number}==1\n" for number in range(31)),
        "  Downloading p",
        "Installing collected packages: p",
    ]

    assert ["15 packages fetched", "30 packages fetched", "unpacking 31 packages"] == list(milestones(said))


def test_building_an_environment_says_what_it_does(capfd: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """
    A line for each step, with the name of the environment; one that is up to date says nothing; a failure names the command.
    """
    environment = Environment("run", Interpreter((3, 13), "3.13.0", str(_fake_python(tmp_path / "python"))))
    environment.folder = str(tmp_path / "built")

    environment.prepare()
    told = capfd.readouterr().out.splitlines()
    environment.prepare()

    name = os.path.relpath(environment.folder, ROOT)
    assert [
        f"{name}: making the environment with {environment.interpreter}",
        f"{name}: installing the packages of constraints/run.txt",
        f"{name}: unpacking 1 packages",
        f"{name}: installing the project",
    ] == told
    assert "" == capfd.readouterr().out
    (tmp_path / "fails").touch()
    environment.constraints = __file__
    with pytest.raises(TargetError, match=r"exit code 5: \S+ -m pip install --progress-bar=off"):
        environment.prepare()


def _fake_python(path: Path) -> Path:
    """
    Write a program that makes environments with itself as the interpreter, and whose pip installs nothing.
    """
    path.write_text(
        "#!/bin/sh\n"
        'if [ "$2" = venv ]; then mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; exit; fi\n'
        f'if [ -e "{path.parent}/fails" ]; then exit 5; fi\n'
        'case "$*" in *progress-bar*) echo "Collecting p==1"; echo "Installing collected packages: p";; esac\n'
    )
    path.chmod(0o755)
    return path


def test_a_required_python_that_is_missing_stops_the_run() -> None:
    """
    CI names the versions that must be there, and fails before it builds anything.
    """
    done = subprocess.run(["make", "test", "REQUIRE=3.11 3.99"], cwd=ROOT, capture_output=True, text=True, check=False)

    assert "Pythons found: Python 3." in done.stdout
    assert "error: required here, but not found: Python 3.99\n" in done.stderr.replace("3.11, ", "")
    assert 2 == done.returncode


@pytest.mark.parametrize("name", [name for name, _ in targets.LOCKED])
def test_pins_name_no_address(name: str) -> None:
    """
    Pinned sets have hashes for everything and work with whatever index pip is configured for.
    """
    text = Path(ROOT, name + ".txt").read_text(encoding="utf-8")

    assert "://" not in text
    pinned = [line for line in text.splitlines() if line and not line.startswith((" ", "#"))]
    assert pinned
    assert pinned == [line for line in pinned if "==" in line and line.endswith("\\")]


def test_what_a_checker_prints_can_be_kept_for_later(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """
    Two Pythons are checked at once: each one's output stays together.
    """
    with (tmp_path / "output").open("w+b") as output:
        run([sys.executable, "-c", "import sys; print('one'); print('two', file=sys.stderr)"], output=output)
        output.seek(0)

        assert {b"one", b"two"} == set(output.read().split())

    assert ("", "") == capfd.readouterr()
