"""A server that is killed under load: every answered request is in the table, exactly once."""

import os
import signal
import threading
from collections import Counter

from lakemon_local.lock import holder
from lakemon_local.serving.process import ServerFiles, running

from lakemon_core.domain.errors import ModelError

KILLS = 2
CLIENTS = 6
ANSWERS_BEFORE_A_KILL = 200


def load_until_killed(site) -> list[str]:
    """Sends requests from several clients, kills the server in their midst, returns the ids it answered."""
    answered: list[str] = []
    enough = threading.Event()

    def ask() -> None:
        while True:
            try:
                answer = site.ask()
            except ModelError:
                return
            if answer.status == 200:
                answered.append(answer.request_id)
            if len(answered) >= ANSWERS_BEFORE_A_KILL:
                enough.set()

    clients = [threading.Thread(target=ask) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    enough.wait()
    os.kill(running(site.workspace).pid, signal.SIGKILL)
    for client in clients:
        client.join()
    while holder(ServerFiles(site.workspace).lock) is not None:
        pass
    return answered


def test_every_answered_request_is_in_the_table_once_whenever_the_server_is_killed(site):
    answered: list[str] = []
    for _ in range(KILLS):  # what a killed server left is moved by the next one
        assert site.again().deploy("1").version == "1"
        answered += load_until_killed(site)
        gone = site.again().serving.get(site.endpoint)
        assert (gone.ready, gone.version, gone.payload) == (False, "", site.payload)
    counts = Counter(row["databricks_request_id"] for row in site.logged())  # by this process after the last
    assert len(answered) >= KILLS * ANSWERS_BEFORE_A_KILL
    assert [request for request in answered if counts[request] != 1] == []
    assert set(counts.values()) == {1}
