import os
import shutil
import subprocess
import urllib.request

import pytest
from fakes.fixtures import free_port
from fakes.receiver import Receiver, eventually
from lakemon_alertmanager import AlertmanagerSink

from lakemon_core.testing.sinks import open_sink

__all__ = ["free_port"]

PROGRAM = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
CONFIG = """
route:
  receiver: hook
  group_by: [model, environment]
  group_wait: 200ms
  group_interval: 300ms
  repeat_interval: 4h
receivers:
  - name: hook
    webhook_configs:
      - url: {url}
        send_resolved: true
"""


@pytest.fixture
def receiver():
    with Receiver() as server:
        yield server


@pytest.fixture
def alertmanager(tmp_path, free_port, receiver):
    """The URL of a real Alertmanager that tells `receiver`."""
    if PROGRAM is None:
        assert not os.environ.get("CI"), ".ci/run installs prometheus-alertmanager"
        pytest.skip("no Alertmanager on this machine: apt-get install prometheus-alertmanager")
    config = tmp_path / "alertmanager.yml"
    config.write_text(CONFIG.format(url=receiver.url))
    process = subprocess.Popen(
        [
            PROGRAM,
            f"--config.file={config}",
            f"--storage.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{free_port}",
            "--cluster.listen-address=",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{free_port}"
    try:
        eventually(lambda: process.poll() is None and is_ready(url))
        yield url
    finally:
        process.terminate()
        process.wait(10)


def is_ready(url):
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=1) as answer:
            return answer.status == 200
    except OSError:
        return False


@pytest.fixture
def sink_at(tmp_path):
    def make(url, **settings):
        return open_sink(AlertmanagerSink, {"url": url, "allow_private": True} | settings, tmp_path)

    return make
