"""Dashboards, alerts, destinations, jobs and secrets of the fake."""

import json

import pytest
from databricks.sdk.service import jobs, settings, sql
from databricks.sdk.service.dashboards import Dashboard

CONTENT = json.dumps({"datasets": [{"name": "d"}], "pages": [{"name": "p", "layout": []}]})
STRAY = json.dumps(
    {"pages": [{"layout": [{"widget": {"queries": [{"query": {"datasetName": "nope"}}]}}]}], "datasets": []}
)


def test_a_dashboard_is_made_changed_published_and_trashed(fake, client):
    client.workspace.mkdirs("/Workspace/Shared/flights")
    made = client.lakeview.create(
        Dashboard(
            display_name="Flights", parent_path="/Workspace/Shared/flights", serialized_dashboard=CONTENT
        )
    )
    changed = client.lakeview.update(made.dashboard_id, Dashboard(display_name="Delays", etag=made.etag))
    published = client.lakeview.publish(made.dashboard_id, warehouse_id=fake.warehouse_id)
    client.lakeview.trash(made.dashboard_id)

    assert made.path == "/Shared/flights/Flights.lvdash.json"
    assert changed.etag != made.etag
    assert published.display_name == "Delays"
    assert list(client.lakeview.list()) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"display_name": ""}, "display_name"),
        ({"parent_path": "/Shared/nope"}, "doesn't exist"),
        ({"display_name": "Taken"}, "already exists"),
        ({"serialized_dashboard": "{"}, "no JSON"),
        ({"serialized_dashboard": STRAY}, "not in datasets"),
        ({"warehouse_id": "nope"}, "does not exist"),
    ],
)
def test_a_dashboard_the_service_refuses(client, refusal, given, told):
    client.lakeview.create(Dashboard(display_name="Taken", parent_path="/Shared"))

    said = refusal(
        lambda: client.lakeview.create(
            Dashboard(**{"display_name": "New", "parent_path": "/Shared", **given})
        )
    )

    assert told in said


def test_a_dashboard_somebody_else_changed_is_not_overwritten(client, refusal):
    made = client.lakeview.create(Dashboard(display_name="d", parent_path="/Shared"))

    assert refusal(lambda: client.lakeview.update(made.dashboard_id, Dashboard(etag="old"))).startswith(
        "Aborted"
    )
    assert "not published" in refusal(lambda: client.lakeview.get_published(made.dashboard_id))
    assert "warehouse is required" in refusal(lambda: client.lakeview.publish(made.dashboard_id))
    assert "Unable to find" in refusal(lambda: client.lakeview.get("nope"))


def alert(fake, **more) -> sql.AlertV2:
    given = {
        "display_name": "drift",
        "query_text": "SELECT 1 AS n",
        "warehouse_id": fake.warehouse_id,
        "evaluation": sql.AlertV2Evaluation(
            source=sql.AlertV2OperandColumn(name="n"), comparison_operator=sql.ComparisonOperator.GREATER_THAN
        ),
        "schedule": sql.CronSchedule(quartz_cron_schedule="0 0 * * * ?", timezone_id="UTC"),
    }
    return sql.AlertV2(**{**given, **more})


def test_an_alert_is_made_changed_and_trashed(fake, client, refusal):
    made = client.alerts_v2.create_alert(alert(fake))
    changed = client.alerts_v2.update_alert(made.id, alert(fake, display_name="psi"), "display_name")
    listed = [found.display_name for found in client.alerts_v2.list_alerts()]
    client.alerts_v2.trash_alert(made.id)

    assert (changed.display_name, listed) == ("psi", ["psi"])
    assert "does not exist" in refusal(lambda: client.alerts_v2.get_alert(made.id))
    assert refusal(lambda: client.alerts_v2.trash_alert("nope")).startswith("NotFound")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"query_text": None}, "query_text"),
        ({"warehouse_id": "nope"}, "does not exist"),
        ({"schedule": sql.CronSchedule(timezone_id="UTC", quartz_cron_schedule="")}, "quartz_cron_schedule"),
        (
            {
                "evaluation": sql.AlertV2Evaluation(
                    source=sql.AlertV2OperandColumn(name="n"),
                    comparison_operator=sql.ComparisonOperator.EQUAL,
                    notification=sql.AlertV2Notification(
                        subscriptions=[sql.AlertV2Subscription(destination_id="x")]
                    ),
                )
            },
            "destination x does not exist",
        ),
    ],
)
def test_an_alert_the_service_refuses(fake, client, refusal, given, told):
    assert told in refusal(lambda: client.alerts_v2.create_alert(alert(fake, **given)))


def test_a_destination_keeps_its_secret_and_is_for_admins(fake, client, refusal):
    config = settings.Config(slack=settings.SlackConfig(url="https://hooks.example.com/secret"))
    made = client.notification_destinations.create(display_name="ops", config=config)
    seen = client.notification_destinations.get(made.id)
    bob = fake.client(token=fake.identity.new_token("bob@example.com"))

    assert (seen.config.slack.url, seen.config.slack.url_set) == (None, True)
    assert seen.destination_type == settings.DestinationType.SLACK
    assert refusal(lambda: list(bob.notification_destinations.list())).startswith("PermissionDenied")
    assert "already exists" in refusal(
        lambda: client.notification_destinations.create(display_name="ops", config=config)
    )


def test_a_token_starts_a_job_once_and_the_clock_ends_it(fake, client):
    fake.jobs.run_seconds, fake.jobs.results = 600, ["FAILED"]
    job = client.jobs.create(name="refresh", tasks=[jobs.Task(task_key="a")])
    first, again = (client.jobs.run_now(job.job_id, idempotency_token="today").run_id for _ in range(2))
    early = client.jobs.get_run(first).state
    fake.clock.advance(601)

    assert first == again
    assert early.life_cycle_state == jobs.RunLifeCycleState.RUNNING
    assert client.jobs.get_run(first).state.result_state == jobs.RunResultState.FAILED
    assert [found.job_id for found in client.jobs.list(name="REFRESH")] == [job.job_id]


def test_unknown_jobs_long_tokens_and_double_tasks_are_refused(client, refusal):
    job = client.jobs.create(name="refresh")
    twice = [jobs.Task(task_key="a"), jobs.Task(task_key="a")]

    assert "does not exist" in refusal(lambda: client.jobs.get(1))
    assert "64" in refusal(lambda: client.jobs.run_now(job.job_id, idempotency_token="x" * 65))
    assert "task_key" in refusal(lambda: client.jobs.create(tasks=twice))


def test_a_secret_comes_back_in_base64_and_an_unknown_one_is_refused(fake, client, refusal):
    fake.secrets.put("slack", "webhook", "s3cret")

    assert client.secrets.get_secret("slack", "webhook").value == "czNjcmV0"
    assert "RESOURCE_DOES_NOT_EXIST" in refusal(lambda: client.secrets.get_secret("slack", "nope"))
    assert "RESOURCE_DOES_NOT_EXIST" in refusal(lambda: client.secrets.get_secret("nope", "webhook"))
