"""Our dashboard in the workspace: published once, changed when it differs, found again."""

import json

import pytest
from fakes.databricks import FakeWorkspace, faults
from lakemon_databricks.dashboards import Dashboards
from lakemon_databricks.dashboards.page import page

from lakemon_core.domain.names import TableName
from lakemon_core.profiling.schemas import signals_schema

SIGNALS = TableName("prod", "monitoring", "inference_logs_signals")
PAGE = page(SIGNALS, "model_version", ["accuracy", "roc_auc"], "flights")


@pytest.fixture
def dashboards(signed_in: FakeWorkspace, open_databricks) -> Dashboards:
    signed_in.lake.create_schema("prod.flights")
    return open_databricks()._dashboards


def sent(workspace: FakeWorkspace) -> list[str]:
    calls = [call.request for call in workspace.journal.to("*", "*lakeview*") if call.status < 400]
    return [f"{one.method} {one.path.rpartition('/')[2]}" for one in calls if one.method != "GET"]


def test_it_is_published_and_its_url_known(dashboards, signed_in):
    assert dashboards.url is None
    dashboards.bring_up(PAGE)
    assert sent(signed_in) == ["POST dashboards", "POST published"]
    assert dashboards.url.startswith(f"{signed_in.host}/dashboardsv3/")


def test_the_same_again_sends_nothing(dashboards, signed_in):
    dashboards.bring_up(PAGE)
    before, url = sent(signed_in), dashboards.url
    dashboards.bring_up(PAGE)
    assert (sent(signed_in), dashboards.url) == (before, url)


def test_another_page_changes_the_same_dashboard(dashboards, signed_in):
    dashboards.bring_up(PAGE)
    url = dashboards.url
    dashboards.bring_up(page(SIGNALS, "model_version", ["rmse"], "flights"))
    assert [one.split()[0] for one in sent(signed_in)] == ["POST", "POST", "PATCH", "POST"]
    assert dashboards.url == url


def test_an_answer_that_is_lost_makes_no_second_dashboard(dashboards, signed_in):
    dashboards.client.workspace.mkdirs(dashboards.folder)
    signed_in.faults.on("POST", "/api/2.0/lakeview/dashboards", faults.loses_the_answer(), times=1)
    dashboards.bring_up(PAGE)
    assert len(list(dashboards.client.lakeview.list())) == 1
    assert dashboards.url


def test_every_query_of_the_page_runs(signed_in, open_databricks):
    signed_in.lake.create_schema("prod.monitoring")
    backend = open_databricks()
    backend.tables.append(SIGNALS, signals_schema("model_version").empty_table())
    queries = ["".join(dataset["queryLines"]) for dataset in json.loads(PAGE)["datasets"]]
    assert len(queries) == 4
    for query in queries:
        assert backend.statements.read(query).num_rows == 0


def test_every_field_of_a_widget_comes_from_its_query():
    document = json.loads(PAGE)
    texts = {dataset["name"]: "".join(dataset["queryLines"]) for dataset in document["datasets"]}
    for placed in document["pages"][0]["layout"]:
        query = placed["widget"]["queries"][0]["query"]
        for field in query["fields"]:
            assert field["name"] in texts[query["datasetName"]]
