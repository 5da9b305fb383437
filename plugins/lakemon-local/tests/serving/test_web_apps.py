"""Pages of other distributions on the model server: the dashboard under /ui/, and one that is broken."""

import http.client
from urllib.parse import urlsplit

import pytest
from lakemon_local.serving.model_server import LocalModelServer

CONFIG = "environments: {dev: {catalog: main, schema: shop}}\nmodel: {name: churn, type: classification}\n"


class Quiet:
    """Progress that nobody looks at."""

    def update(self, what: str, done: int | None = None, total: int | None = None) -> None:
        pass


def get(server, path, **headers):
    """Returns status, headers and text of one request."""
    place = urlsplit(server.client().server.url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
    connection.request("GET", path, headers={"Host": place.netloc} | headers)
    answer = connection.getresponse()
    found = answer.status, dict(answer.getheaders()), answer.read().decode()
    connection.close()
    return found


@pytest.fixture
def guarded(tmp_path, monkeypatch):
    """A server with a token and a config, where a distribution with broken pages is installed."""
    broken = tmp_path / "site" / "broken_pages-1.0.dist-info"
    broken.mkdir(parents=True)
    (broken / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-pages\nVersion: 1.0\n")
    (broken / "entry_points.txt").write_text("[lakemon.web_apps]\nbroken = nowhere.to_be_found:app\n")
    monkeypatch.setenv("PYTHONPATH", str(broken.parent))
    config = tmp_path / "elsewhere" / "churn.yml"
    config.parent.mkdir()
    config.write_text(CONFIG, encoding="utf-8")
    server = LocalModelServer(tmp_path / ".lakemon", token="a-token", config=config)
    server.ensure(0, Quiet())
    yield server
    server.stop()


def test_the_dashboard_asks_for_the_token_and_broken_pages_stop_nothing(guarded):
    status, _, text = get(guarded, "/ui/")
    assert status == 401
    assert "LM192" in text
    status, headers, _ = get(guarded, "/ui/incidents?token=a-token")
    assert (status, headers["location"]) == (303, "/ui/incidents")
    assert "Path=/ui;" in headers["set-cookie"]
    cookie = {"Cookie": headers["set-cookie"].split(";")[0]}
    status, headers, text = get(guarded, "/ui/", **cookie)
    assert status == 200
    assert 'href="/ui/models/dev"' in text
    assert "script-src 'self'" in headers["content-security-policy"]
    assert "churn" in get(guarded, "/ui/cards/dev", **cookie)[2]
    assert get(guarded, "/api/2.0/serving-endpoints", **cookie)[0] == 401
    assert get(guarded, "/uix/", **cookie)[0] == 401
    status, _, text = get(guarded, "/broken/")
    assert status == 500
    assert "nowhere.to_be_found:app do not work: ModuleNotFoundError" in text
    assert get(guarded, "/health")[0] == 200


def test_a_server_for_this_machine_shows_the_dashboard_to_it_alone(live):
    assert get(live.server, "/ui")[1]["location"].endswith("/ui/")
    assert get(live.server, "/ui/")[0] == 200
    assert get(live.server, "/ui/", Host="evil.example")[0] == 403
    assert get(live.server, "/ui/", Origin="https://evil.example")[0] == 403
    assert 'href="/ui/"' in get(live.server, "/")[2]
    assert get(live.server, "/ui/tables")[0] == 200
