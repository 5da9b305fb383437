"""Run it with the plugin installed: `pip install -e . && pytest`."""

import pyarrow as pa
from lakemon_hello import Hello

from lakemon_core.testing import HookPluginContract


class TestHelloHoldsTheContract(HookPluginContract):
    name = "hello"


def test_the_host_lists_the_plugin(run_lakemon):
    plugins = run_lakemon("plugins", "list", "--output", "json").assert_ok().document["plugins"]
    (hello,) = [plugin for plugin in plugins if plugin["name"] == "hello"]
    assert (hello["distribution"], hello["status"]) == ("lakemon-hello", "active")
    assert hello["hooks"] == ["lakemon_validate"]


def test_values_above_the_limit_stop_the_run(lakemon_host):
    lakemon_host.use(Hello(), {"column": "distance", "limit": 5000})
    (outcome,) = lakemon_host.call("lakemon_validate", rows=pa.table({"distance": [100, 9000, None]}))
    (finding,) = outcome.value
    assert finding.title == "1 rows have distance above 5000"


def test_values_below_the_limit_pass(lakemon_host):
    lakemon_host.use(Hello(), {"column": "distance", "limit": 5000})
    (outcome,) = lakemon_host.call("lakemon_validate", rows=pa.table({"distance": [100]}))
    assert outcome.value == ()
