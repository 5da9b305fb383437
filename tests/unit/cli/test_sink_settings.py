"""Settings of plugins that are wrong, as a person sees them."""

CONFIG = """\
model: {name: a, type: classification, timestamp_col: ts, positive_class: [1]}
environments: {dev: {catalog: c, schema: s}}
sinks:
  one: {type: slack, channel: "#ml"}
  two: {type: webhook, url: "${env:HOOK}"}
  three: {type: file, folders: x}
"""


def test_what_is_wrong_with_several_plugins_is_told_at_once(lakemon, folder):
    (folder / "monitoring_config.yml").write_text(CONFIG)
    told = lakemon("plan")
    assert told.code == 2
    lines = told.stderr.splitlines()
    for number, name in ((4, "sinks.one"), (5, "sinks.two"), (6, "sinks.three")):
        assert any(f"monitoring_config.yml:{number}:" in line and name in line for line in lines), told.stderr
    assert "monitoring_config.yml:1:" in lines[0]
