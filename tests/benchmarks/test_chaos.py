"""
A short chaos run, whole: real faults, real functions, the oracle's verdict.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks import chaos
from benchmarks._chaos import report
from benchmarks._chaos.oracle import ACKNOWLEDGED, Evidence


@pytest.mark.realtime
def test_a_short_run_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """
    Each acknowledged row is there once, no invocation outlives its deadline; and there were faults and writes.
    """
    outcome = chaos.run(4.0, seed=11, workers=2, evidence=tmp_path)

    assert [] == outcome.violations
    journal = [json.loads(line) for line in (tmp_path / "journal.jsonl").read_text(encoding="utf-8").splitlines()]
    assert 20 < sum(entry["outcome"] == ACKNOWLEDGED for entry in journal)
    assert 3 < sum(not struck.missed for struck in outcome.struck)
    page = report.page(outcome)
    assert "**None.**" in page
    assert "seed 11" in page


@pytest.mark.parametrize(("found", "status"), [(["a row is missing"], 1), ([], 0)], ids=["violated", "clean"])
def test_a_violation_ends_with_the_seed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, found: list[str], status: int
) -> None:
    """
    Nothing is written into the documentation then, and the exit code is 1.
    """
    outcome = report.Outcome(
        seconds=1.0,
        seed=42,
        workers=1,
        evidence=Evidence([], {}),
        struck=[],
        unexpected=[],
        environments=[],
        violations=found,
        late_s=0.0,
        secret_calls=0,
        cuts=0,
    )
    monkeypatch.setattr(chaos, "run", lambda *_: outcome)
    monkeypatch.setattr(chaos, "PAGE", tmp_path / "chaos.md")

    if status:
        with pytest.raises(SystemExit, match="1 violations with seed 42"):
            chaos.main(["--seed", "42", "--write"])
    else:
        chaos.main(["--seed", "42", "--write"])

    assert (not status) is (tmp_path / "chaos.md").exists()
    assert all(sentence in capsys.readouterr().out for sentence in found)
