"""People take incidents on and keep some quiet, by command line, over several runs."""


def test_an_acknowledged_incident_is_told_again_only_when_it_gets_worse(project):
    project.day(0, nulls=20)
    assert project.mails() == 1
    done = project.lakemon(
        "alert", "ack", project.incident()["id"][:6], "--author", "ann", "--reason", "on it"
    )
    assert done["acknowledged_by"] == "ann: on it"
    assert done["deliveries"] == [{"sink": "desk", "status": "delivered"}]
    assert project.incident()["status"] == "acknowledged"
    assert project.mails() == 2
    project.load(1, nulls=20)
    project.day(2, nulls=50)
    assert project.mails() == 3
    assert (project.incident()["status"], project.incident()["severity"]) == ("open", "critical")


def test_a_silence_keeps_quiet_until_it_is_ended(project):
    made = project.lakemon("alert", "silence", "--rule", "nulls", "--for", "2 days", "--reason", "backfill")
    ran = project.day(0, nulls=50)
    assert [one["status"] for one in ran["incidents"]] == ["open"]
    assert project.mails() == 0
    assert project.incident()["status"] == "open, silenced"
    assert [one["reason"] for one in project.lakemon("alert", "list")["silences"]] == ["backfill"]
    project.lakemon("alert", "silence", "--end", made["id"])
    assert project.lakemon("alert")["deliveries"][0]["status"] == "delivered"
    assert project.mails() == 1
    assert project.lakemon("alert", "list")["silences"] == []


def test_a_silence_says_what_it_needs(project):
    def refused(*arguments):
        return project.lakemon("alert", "silence", *arguments, code=2)["error"]["code"]

    assert refused("--for", "2 days", "--reason", "x") == "LM127"
    assert refused("--rule", "nulls", "--reason", "x") == "LM127"
    assert refused("--rule", "nulls", "--for", "2 days") == "LM127"
    assert refused("--rule", "nulls", "--until", "2020-01-01", "--reason", "x") == "LM127"
    assert refused("--end", "123456") == "LM126"
    assert refused("abcdef", "--for", "2 days", "--reason", "x") == "LM126"
    assert project.lakemon("alert", "ack", "abcdef", code=2)["error"]["code"] == "LM126"


def test_missing_data_is_told_once_and_so_is_its_end(project):
    project.config(", expect_every: 1 day")
    ran = project.day(0, nulls=0)
    (late,) = ran["incidents"]
    assert late["title"].startswith("no data for ")
    assert project.mails() == 1
    assert project.lakemon("run")["deliveries"] == []
