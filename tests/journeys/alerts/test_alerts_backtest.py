"""Two days of history are replayed and explained, by command line."""

import subprocess
import sys


def test_a_history_is_replayed_swept_compared_and_explained(project):
    project.day(0, nulls=5)
    project.day(1, nulls=50)
    (project.folder / "known.csv").write_text("start,end,rule\n2026-01-06,2026-01-07,nulls\n")
    told = project.lakemon("backtest", "--rule", "nulls", "--sweep", "0.02,0.3,0.9", "--known", "known.csv")
    (alert,) = told["alerts"]
    assert (alert["rule"], alert["column"], alert["told_at"][:10]) == ("nulls", "amount", "2026-01-07")
    assert told["total"] == {
        "alerts": 1, "right": 1, "precision": 1.0, "known": 1, "found": 1, "recall": 1.0,
    }  # fmt: skip
    assert [(row["threshold"], row["alerts"]) for row in told["sweep"]] == [(0.02, 1), (0.3, 1), (0.9, 0)]
    shown = subprocess.run(
        [sys.executable, "-m", "lakemon_core", "backtest"],
        cwd=project.folder, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert shown.returncode == 0, shown.stderr
    assert "1 alerts; name known incidents with --known" in shown.stdout
    incident = project.incident()
    told = project.lakemon("explain", incident["id"][:8])
    assert told["title"] == "null rate of amount 0.5 > 0.3"
    assert [(row["verdict"], row["value"], row["n"]) for row in told["windows"]] == [
        ("ok", 0.05, 100),
        ("breached", 0.5, 100),
    ]
    assert project.lakemon("explain", "nothing", code=2)["error"]["code"] == "LM126"
