"""Discovery, selection and loading, on real distributions."""

import subprocess
import sys

import pytest

from lakemon_core.domain.errors import PluginError
from lakemon_core.pipeline.plugins import PluginRow, discover

HOOKS = "lakemon.plugins"
SINKS = "lakemon.alert_sinks"

GOOD = """
    from lakemon_core import hookimpl

    class Good:
        @hookimpl
        def lakemon_validate(self, context):
            return []
"""
SINK = """
    from lakemon_core.ports import AlertSink, SinkCheck

    class Pager(AlertSink):
        type = "pager"

        def render(self, notification): ...
        def deliver(self, rendered, attempt): ...
        def check(self):
            return SinkCheck(True, "fine")
"""

BROKEN = {
    "raises ImportError": ("raise ImportError('no such name')", "LM202", "no such name"),
    "has a syntax error": ("def oh no", "LM202", "SyntaxError"),
    "misses a dependency": ("import not_there_at_all", "LM203", "'not_there_at_all'"),
    "crashes at import": ("1 / 0", "LM202", "ZeroDivisionError"),
    "exits at import": ("import sys; sys.exit(7)", "LM202", "SystemExit"),
    "asserts at import": ("assert False, 'never'", "LM202", "AssertionError: never"),
    "lacks the attribute": ("x = 1", "LM202", "has no attribute 'Plugin'"),
    "cannot be made": ("class Plugin:\n    def __init__(self, x): ...", "LM202", "missing 1 required"),
    "recurses at import": ("def f(): f()\nf()", "LM202", "RecursionError"),
    "raises a group": (
        "raise ExceptionGroup('two', [ValueError(), KeyError()])",
        "LM202",
        "ExceptionGroup: two",
    ),
    "says nothing that can be read": (
        "class Mute(Exception):\n    def __str__(self): 1 / 0\nraise Mute",
        "LM202",
        "Mute: its message cannot be read",
    ),
    "fails when it is asked for its API": (
        "class Plugin:\n    @property\n    def lakemon_api(self): raise OSError('late')",
        "LM202",
        "OSError: late",
    ),
    "cannot be looked into": ("class Plugin:\n    def __dir__(self): raise OSError('shut')", "LM208", "shut"),
    "is a function": ("def Plugin(): ...", "LM207", "is a function"),
    "needs another API": ("class Plugin:\n    lakemon_api = 99", "LM204", "needs plugin API 99"),
}


def row(name: str, **options: object) -> PluginRow:
    """The row of one plugin in `plugins list`."""
    (found,) = [row for row in discover(**options).rows() if row.name == name]
    return found


def test_a_plugin_is_found_with_its_distribution_version_hooks_and_api(install):
    install("acme-lakemon", {HOOKS: {"good": "acme:Good"}}, version="2.5", acme=GOOD)
    found = row("good")
    assert (found.kind, found.distribution, found.version) == ("hook plugin", "acme-lakemon", "2.5")
    assert (found.api, found.status, found.hooks, found.error) == (1, "active", ("lakemon_validate",), "")


def test_discovery_imports_nothing(install):
    install("acme-lakemon", {HOOKS: {"good": "acme:Good"}}, acme=GOOD)
    assert "good" in discover().names(HOOKS)
    assert "acme" not in sys.modules


def test_rows_are_sorted_by_group_and_name(install):
    install("zeta", {HOOKS: {"aa": "zeta_module:Good"}}, zeta_module=GOOD)
    install("alpha", {HOOKS: {"bb": "alpha_module:Good"}}, alpha_module=GOOD)
    names = [found.name for found in discover().rows() if found.kind == "hook plugin"]
    assert names == sorted(names)
    assert {"aa", "bb"} <= set(names)


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_is_a_row_and_the_others_run(install, kind):
    source, code, said = BROKEN[kind]
    install("broken-one", {HOOKS: {"bad": "broken_one:Plugin"}}, broken_one=source)
    install("acme-lakemon", {HOOKS: {"good": "acme:Good"}}, acme=GOOD)
    found = row("bad")
    assert found.status == ("incompatible" if code == "LM204" else "failed")
    assert code in found.error
    assert said in found.error
    runner = discover().hooks()
    assert runner.listeners("lakemon_validate")[-1] == "lakemon.plugins:good"
    assert [warning for warning in runner.warnings if code in warning and "broken-one 1.0" in warning]


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_plugin_that_the_config_names_is_an_error(install, kind):
    source, code, said = BROKEN[kind]
    install("broken-one", {HOOKS: {"bad": "broken_one:Plugin"}}, broken_one=source)
    with pytest.raises(PluginError, match=code) as caught:
        discover().hooks(settings={"bad": {}})
    assert said in str(caught.value)
    assert "broken-one 1.0" in caught.value.where
    assert caught.value.cure
    assert caught.value.exit_code == 2


def test_a_module_that_is_not_there_is_told_from_a_missing_dependency(install):
    install("hollow", {HOOKS: {"hollow": "hollow_module:Plugin"}})
    assert "its module 'hollow_module' is not installed; reinstall hollow." in row("hollow").error


def test_a_failing_dependency_inside_the_plugins_package_is_its_own_fault(install, site):
    (site / "packed").mkdir()
    (site / "packed/__init__.py").write_text("from packed import gone\nimport packed.gone")
    install("packed-dist", {HOOKS: {"packed": "packed:Plugin"}})
    assert "LM202" in row("packed").error


def test_ctrl_c_while_a_plugin_is_imported_stops_the_tool(install):
    install("acme-lakemon", {HOOKS: {"slow": "slow_one:Plugin"}}, slow_one="raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        discover().rows()


def test_strict_plugins_raise_their_own_error(install, monkeypatch):
    install("broken-one", {HOOKS: {"bad": "broken_one:Plugin"}}, broken_one="1 / 0")
    monkeypatch.setenv("LAKEMON_STRICT_PLUGINS", "1")
    with pytest.raises(ZeroDivisionError):
        discover().hooks()


def test_two_distributions_with_one_name_are_both_refused(install):
    install("first-one", {SINKS: {"pager": "first_module:Pager"}}, first_module=SINK)
    install("second-one", {SINKS: {"pager": "second_module:Pager"}}, version="3.1", second_module=SINK)
    rows = [found for found in discover().rows() if found.name == "pager"]
    assert [found.status for found in rows] == ["conflict", "conflict"]
    with pytest.raises(PluginError, match="LM205") as caught:
        discover().sink("pager")
    assert "first-one 1.0, second-one 3.1" in str(caught.value)


def test_a_conflict_with_a_built_in_is_no_override(install):
    install("sly-one", {SINKS: {"console": "sly:Pager"}}, sly=SINK)
    with pytest.raises(PluginError, match=r"LM205.*lakemon .*sly-one"):
        discover().sink("console")


def test_a_conflict_ends_when_one_distribution_is_disabled(install):
    install("first-one", {SINKS: {"pager": "first_module:Pager"}}, first_module=SINK)
    install("second-one", {SINKS: {"pager": "second_module:Pager"}}, second_module=SINK)
    for other, module in (("first-one", "second_module"), ("second-one", "first_module")):
        assert discover([other]).sink("pager").__module__ == module


@pytest.mark.parametrize("by", ["config", "no_plugins", "environment", "environment star", "distribution"])
def test_a_disabled_plugin_is_never_imported(install, monkeypatch, by):
    install("acme-lakemon", {HOOKS: {"good": "acme:Good"}}, acme="raise RuntimeError")
    variable = {"environment": "other, good", "environment star": "*"}.get(by, "")
    monkeypatch.setenv("LAKEMON_DISABLE_PLUGINS", variable)
    disabled = {"config": ["good"], "distribution": ["acme-lakemon"]}.get(by, [])
    plugins = discover(disabled, no_plugins=by == "no_plugins")
    runner = plugins.hooks(settings={"good": {"x": 1}})
    assert runner.listeners("lakemon_validate") == ()
    assert not [warning for warning in runner.warnings if "good" in warning]
    assert [found.status for found in plugins.rows() if found.name == "good"] == ["disabled"]
    assert "acme" not in sys.modules


def test_no_plugins_keeps_the_drivers_that_the_config_names(install):
    install("acme-lakemon", {SINKS: {"pager": "acme:Pager"}}, acme=SINK)
    assert discover(no_plugins=True).sink("pager").type == "pager"


def test_a_disabled_driver_that_the_config_names_is_an_error(install):
    install("acme-lakemon", {SINKS: {"pager": "acme:Pager"}}, acme=SINK)
    with pytest.raises(PluginError, match=r"LM206.*it is disabled"):
        discover().without(["pager"]).sink("pager")


def test_without_autoload_only_named_hook_plugins_are_imported(install):
    install(
        "acme-lakemon", {HOOKS: {"good": "acme:Good", "quiet": "quiet_one:Good"}}, acme=GOOD, quiet_one=GOOD
    )
    runner = discover().hooks(settings={"good": {}}, autoload=False)
    assert runner.listeners("lakemon_validate") == ("lakemon.plugins:good",)
    assert "quiet_one" not in sys.modules


def test_a_plugin_that_the_config_names_and_nobody_installed_is_an_error():
    with pytest.raises(PluginError, match=r"LM201 hook plugin 'nobody' is not installed"):
        discover().hooks(settings={"nobody": {}})
    assert discover(no_plugins=True).hooks(settings={"nobody": {}}).warnings == []


def test_an_unknown_driver_is_answered_with_the_nearest_name(install):
    install("acme-lakemon", {SINKS: {"pager": "acme:Pager"}}, acme=SINK)
    with pytest.raises(PluginError, match=r'LM201 .*Did you mean "pager"'):
        discover().sink("pagr")


def test_a_missing_plugin_of_ours_is_answered_with_the_command_that_installs_it():
    from lakemon_core.pipeline.plugins import Plugins

    with pytest.raises(PluginError, match=r'LM201 .*pip install "lakemon\[local\]"'):
        Plugins([]).backend("local")


WRONG_DRIVERS = {
    "has another parent": (
        "class Pager: type = 'pager'",
        "does not derive from lakemon_core.ports.AlertSink",
    ),
    "is no class": ("Pager = 3", "does not derive from"),
    "is unfinished": (
        "from lakemon_core.ports import AlertSink\nclass Pager(AlertSink): type = 'pager'",
        "does not implement check, deliver, render",
    ),
    "says another name": (SINK.replace('"pager"', '"beeper"'), "its `type` is 'beeper'"),
}


@pytest.mark.parametrize("kind", WRONG_DRIVERS)
def test_a_driver_that_does_not_fit_its_group_is_refused(install, kind):
    source, said = WRONG_DRIVERS[kind]
    install("acme-lakemon", {SINKS: {"pager": "acme:Pager"}}, acme=source)
    with pytest.raises(PluginError, match="LM207") as caught:
        discover().sink("pager")
    assert said in str(caught.value)


def test_an_older_driver_is_incompatible_before_it_is_unfinished(install):
    source = "from lakemon_core.ports import AlertSink\nclass Pager(AlertSink): lakemon_api = 0"
    install("acme-lakemon", {SINKS: {"pager": "acme:Pager"}}, acme=source)
    assert row("pager").status == "incompatible"


METADATA = {
    "entry points without a target": ("entry_points.txt", b"[lakemon.plugins]\ngood\n"),
    "entry points in another encoding": ("entry_points.txt", b"[lakemon.plugins]\ngr\xfc\xdf = x\n"),
    "no METADATA": ("METADATA", None),
}


@pytest.mark.parametrize("kind", METADATA)
def test_metadata_that_cannot_be_read_is_a_row(install, kind):
    info = install("acme-lakemon", {HOOKS: {"good": "acme:Good"}}, acme=GOOD)
    file, text = METADATA[kind]
    (info / file).unlink() if text is None else (info / file).write_bytes(text)
    (found,) = [row for row in discover().rows() if "LM209" in row.error]
    assert found.status == "failed"
    assert "acme_lakemon" in found.distribution
    assert "metadata cannot be read" in found.error


@pytest.mark.parametrize(
    ("name", "target", "said"),
    [("Good Name", "acme:Good", "lower-case"), ("good", "not a target", "is not module:attribute")],
)
def test_entry_points_of_a_wrong_form_are_rows(install, name, target, said):
    install("acme-lakemon", {HOOKS: {name: target}}, acme=GOOD)
    assert said in row(name).error


def test_a_distribution_that_lies_on_the_path_twice_counts_once(install, site, tmp_path, monkeypatch):
    install("acme-lakemon", {HOOKS: {"good": "acme:Good"}}, version="1.0", acme=GOOD)
    newer = tmp_path / "newer"
    newer.mkdir()
    info = newer / "acme_lakemon-2.0.dist-info"
    (site / "acme_lakemon-1.0.dist-info").rename(info)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: Acme.Lakemon\nVersion: 2.0\n")
    install("acme-lakemon", {HOOKS: {"good": "acme:Good"}}, version="1.0")
    monkeypatch.syspath_prepend(str(newer))
    assert row("good").version == "2.0"


def test_a_new_entry_point_is_seen_at_once(install):
    assert "late" not in discover().names(HOOKS)
    install("acme-lakemon", {HOOKS: {"late": "acme:Good"}}, acme=GOOD)
    assert "late" in discover().names(HOOKS)


def test_stevedore_writes_no_cache(tmp_path):
    code = "from lakemon_core.pipeline.plugins import discover; discover().rows()"
    environment = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    assert not (tmp_path / "cache").exists()
