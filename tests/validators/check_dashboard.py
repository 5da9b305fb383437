"""The live dashboard against axe, every page with everything unfolded, over the tables of a real run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFIG = """\
model: {name: churn, type: classification, timestamp_col: at, prediction_col: predicted, label_col: churned}
environments:
  dev:
    catalog: main
    schema: shop
    monitoring: {baseline_table: training, alerts: [{metric: feature_drift, threshold: 0.01}]}
"""
PAGES = ["", "models/dev", "models/dev/config", "incidents?state=all", "runs", "tables",
         "tables/dev/main.shop.training", "query", "plugins", "nowhere"]  # fmt: skip
UNFOLD = "document.querySelectorAll('details').forEach((one) => { one.open = true; })"


def lakemon(folder, *arguments):
    command = [str(Path(sys.executable).with_name("lakemon")), *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, env=os.environ)


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """Serves the dashboard of a shop that has drifted."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder, rng, rows = tmp_path_factory.mktemp("shop"), np.random.default_rng(1), 2000
    (folder / "monitoring_config.yml").write_text(CONFIG, encoding="utf-8")
    for name, shift in (("training", 0.0), ("inference_logs", 0.8)):
        amount = rng.normal(shift, 1, rows)
        at = pa.array(
            np.datetime64("2026-03-02T00:00:00", "us") + rng.integers(0, 86_400 * 3, rows) * 1_000_000
        )
        columns = {"amount": amount, "predicted": amount > 0, "churned": amount > rng.normal(0, 1, rows)}
        pq.write_table(pa.table({"at": at, **columns}), folder / f"{name}.parquet")
        assert lakemon(folder, "table", "import", f"main.shop.{name}", f"{name}.parquet").wait(120) == 0
    assert lakemon(folder, "run").wait(300) == 0
    process = lakemon(folder, "ui", "--no-open", "--port", "0")
    yield process.stdout.readline().removeprefix("lakemon ui at ").split(";")[0]
    process.terminate()
    process.wait(20)


@pytest.mark.parametrize("page_of", PAGES)
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 390)])
def test_axe_finds_nothing(page_of, scheme, width, node_modules, chromium, address):
    size = {"width": width, "height": 900}
    page = chromium.context.browser.new_page(color_scheme=scheme, viewport=size, bypass_csp=True)
    page.goto(address + page_of)
    page.wait_for_selector("main:not(:has([aria-busy] .waiting))")
    page.evaluate(UNFOLD)
    page.evaluate((node_modules / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    page.close()
    assert found["passes"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found["violations"]] == []
