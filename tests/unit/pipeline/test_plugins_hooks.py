"""The hook runner: order, isolation, deadlines, answers."""

import contextvars
import math
import threading

import pytest

from lakemon_core import hookimpl
from lakemon_core.domain.errors import PluginError
from lakemon_core.domain.rule import Signal
from lakemon_core.domain.run import Finding, HookStatus, Severity, Stage
from lakemon_core.hookspecs import (
    HOOKS,
    AlertContext,
    AnalyzeContext,
    DeployContext,
    MonitorContext,
    StageContext,
    ValidateContext,
)
from lakemon_core.pipeline.hooks import MOST_ANSWERS, HookRunner
from lakemon_core.pipeline.plugins import discover

CONTEXTS = {
    "lakemon_deploy": DeployContext,
    "lakemon_validate": ValidateContext,
    "lakemon_monitor": MonitorContext,
    "lakemon_analyze": AnalyzeContext,
    "lakemon_alert": AlertContext,
    "lakemon_before_stage": StageContext,
    "lakemon_after_stage": StageContext,
    "lakemon_on_stage_error": StageContext,
    "lakemon_report_panels": AnalyzeContext,
}
STAGES = ("lakemon_deploy", "lakemon_validate", "lakemon_monitor", "lakemon_analyze", "lakemon_alert")
FINDING = Finding("x", Stage.VALIDATE, Severity.INFO, "all is well")


def context_of(hook):
    """The context of a hook; what it holds plays no part here."""
    if hook == "lakemon_metrics":
        return None
    return CONTEXTS[hook](
        run_id="r", monitor=None, backend=None, model_type=None, roles=None, clock=None, progress=None
    )


def listener(hook, work):
    """A plugin with one hook."""

    def implementation(self, context):
        return work(context)

    return type("Listener", (), {hook: hookimpl(implementation, specname=hook)})()


def runner_of(hook, **works):
    """A runner with one hook plugin for each work, named by its keyword."""
    runner = HookRunner()
    for name, work in works.items():
        runner.add(listener(hook, work), f"lakemon.plugins:{name}", {})
    return runner


def call(hook, deadline=30.0, **works):
    """The outcomes of one call, by plugin."""
    outcomes = runner_of(hook, **works).call(hook, context_of(hook), deadline=deadline)
    return {outcome.plugin.partition(":")[2]: outcome for outcome in outcomes}


def raising(error):
    def work(_):
        raise error

    return work


def test_the_answer_is_a_tuple_of_what_the_hook_promises():
    outcome = call("lakemon_validate", a=lambda _: [FINDING])["a"]
    assert outcome.status is HookStatus.OK
    assert outcome.value == (FINDING,)
    assert outcome.hook == "lakemon_validate"
    assert outcome.error == ""


def test_none_and_generators_are_answers():
    assert call("lakemon_validate", a=lambda _: None)["a"].value == ()
    assert call("lakemon_validate", a=lambda _: (finding for finding in [FINDING]))["a"].value == (FINDING,)


def test_chosen_drivers_come_first_then_hook_plugins_by_name():
    runner = runner_of("lakemon_validate", zebra=lambda _: None, ant=lambda _: None)
    runner.register(listener("lakemon_validate", lambda _: None), "lakemon.model_types:tree")
    runner.register(listener("lakemon_validate", lambda _: None), "lakemon.backends:cloud")
    outcomes = runner.call("lakemon_validate", context_of("lakemon_validate"), deadline=30)
    order = (
        "lakemon.model_types:tree",
        "lakemon.backends:cloud",
        "lakemon.plugins:ant",
        "lakemon.plugins:zebra",
    )
    assert tuple(outcome.plugin for outcome in outcomes) == order
    assert runner.listeners("lakemon_validate") == order


def test_a_driver_without_hooks_is_welcome():
    runner = HookRunner()
    runner.register(object(), "lakemon.backends:plain")
    assert runner.call("lakemon_alert", context_of("lakemon_alert"), deadline=1) == []


def test_a_driver_that_cannot_be_hashed_is_welcome():
    runner = HookRunner()
    plugin = listener("lakemon_alert", lambda _: None)
    type(plugin).__hash__ = None
    runner.register(plugin, "lakemon.backends:odd")
    (outcome,) = runner.call("lakemon_alert", context_of("lakemon_alert"), deadline=30)
    assert outcome.status is HookStatus.OK


ERRORS = [
    ValueError("bad"), SystemExit(0), KeyboardInterrupt(), RecursionError("deep"),
    ExceptionGroup("many", [ValueError("one")]),
]  # fmt: skip


@pytest.mark.parametrize("hook", STAGES)
@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_plugin_that_raises_hurts_nobody_else(hook, error):
    outcomes = call(hook, a=lambda _: None, b=raising(error), c=lambda _: None)
    assert [outcomes[name].status for name in "abc"] == [HookStatus.OK, HookStatus.FAILED, HookStatus.OK]
    assert outcomes["b"].error.startswith(type(error).__name__)
    assert "\n" not in outcomes["b"].error


@pytest.mark.parametrize("hook", STAGES)
def test_a_plugin_that_hangs_is_left_behind_and_skipped_afterwards(hook):
    release = threading.Event()
    runner = runner_of(hook, a=lambda _: release.wait(60) and None, b=lambda _: None)
    first = runner.call(hook, context_of(hook), deadline=1.0)
    second = runner.call(hook, context_of(hook), deadline=30)
    release.set()
    assert [outcome.status for outcome in first] == [HookStatus.TIMEOUT, HookStatus.OK]
    assert first[0].error == "no answer within 1 s"
    assert [outcome.status for outcome in second] == [HookStatus.SKIPPED, HookStatus.OK]
    assert "earlier in this run" in second[0].error


def test_an_answer_that_never_ends_is_cut_off():
    def endless(_):
        while True:
            yield FINDING

    outcome = call("lakemon_validate", a=endless)["a"]
    assert outcome.status is HookStatus.FAILED
    assert str(MOST_ANSWERS) in outcome.error


def signal(value):
    return Signal(None, "1 day", "*", None, None, ":table", "x.y", "x.y", None, value, 1, "x")


WRONG = [
    ("lakemon_validate", {"a": 1}, "list of Finding or None, not dict"),
    ("lakemon_validate", "fine", "not str"),
    ("lakemon_validate", 7, "not int"),
    ("lakemon_deploy", True, "not bool"),
    ("lakemon_analyze", ["fine"], "one element is a str"),
    ("lakemon_monitor", [FINDING], "list of Signal or None; one element is a Finding"),
    ("lakemon_monitor", [signal(math.nan)], "use None and say the reason"),
    ("lakemon_monitor", [signal(math.inf)], "signal 'x.y' is inf"),
    ("lakemon_report_panels", [{"id": 1}], "list of PanelSpec"),
]


@pytest.mark.parametrize(("hook", "answer", "said"), WRONG)
def test_a_wrong_answer_is_refused_with_what_was_expected(hook, answer, said):
    outcome = call(hook, a=lambda _: answer)["a"]
    assert outcome.status is HookStatus.FAILED
    assert hook in outcome.error or "signal" in outcome.error
    assert said in outcome.error
    assert outcome.value is None


@pytest.mark.parametrize("hook", ["lakemon_alert", "lakemon_before_stage", "lakemon_after_stage"])
def test_answers_of_observers_are_ignored(hook):
    outcome = call(hook, a=lambda _: "anything")["a"]
    assert (outcome.status, outcome.value) == (HookStatus.OK, None)


def test_each_plugin_gets_its_own_settings_and_cannot_change_them():
    seen = {}

    def work(name):
        def look(context):
            seen[name] = dict(context.settings)
            context.settings["limit"] = 2

        return look

    runner = HookRunner()
    runner.add(listener("lakemon_alert", work("a")), "lakemon.plugins:a", {"limit": 1})
    runner.add(listener("lakemon_alert", work("b")), "lakemon.plugins:b", {})
    outcomes = runner.call("lakemon_alert", context_of("lakemon_alert"), deadline=30)
    assert seen == {"a": {"limit": 1}, "b": {}}
    assert all("TypeError" in outcome.error for outcome in outcomes)


def test_metrics_are_declared_without_a_context():
    class Plugin:
        @hookimpl
        def lakemon_metrics(self):
            return []

    runner = HookRunner()
    runner.add(Plugin(), "lakemon.plugins:a", {})
    assert runner.call("lakemon_metrics", None, deadline=30)[0].value == ()


def test_context_variables_of_the_caller_reach_the_plugin():
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("set")
    seen = []
    call("lakemon_alert", a=lambda _: seen.append(variable.get()))
    assert seen == ["set"]


def test_every_outcome_is_told_to_the_tracer():
    told = []
    runner = HookRunner(told.append)
    runner.add(listener("lakemon_alert", raising(ValueError("x"))), "lakemon.plugins:a", {})
    assert runner.call("lakemon_alert", context_of("lakemon_alert"), deadline=30) == told


def test_strict_plugins_raise_their_own_error(monkeypatch):
    monkeypatch.setenv("LAKEMON_STRICT_PLUGINS", "1")
    with pytest.raises(ZeroDivisionError):
        call("lakemon_alert", a=lambda _: 1 / 0)


REFUSED = {
    "a misspelt hook": ("def lakemon_validat(self, context): ...", 'Did you mean "lakemon_validate"'),
    "a wrong argument": ("def lakemon_validate(self, ctx): ...", "ctx"),
    "one argument too many": ("def lakemon_validate(self, context, more): ...", "more"),
    "a keyword-only argument": ("def lakemon_validate(self, *, context): ...", "is never given context"),
    "a wrapper": ("def lakemon_validate(self, context):\n        return (yield)", "is a wrapper"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_hooks_that_do_not_fit_are_refused_by_name(install, kind):
    source, said = REFUSED[kind]
    marker = "@hookimpl(wrapper=True)" if kind == "a wrapper" else "@hookimpl"
    module = f"from lakemon_core import hookimpl\nclass Plugin:\n    {marker}\n    {source}\n"
    install("acme-lakemon", {"lakemon.plugins": {"odd": "acme_odd:Plugin"}}, acme_odd=module)
    (row,) = [row for row in discover().rows() if row.name == "odd"]
    assert row.status == "failed"
    assert "LM208" in row.error
    assert said in row.error
    with pytest.raises(PluginError, match="LM208"):
        discover().hooks(settings={"odd": {}})


def test_a_module_and_a_hook_without_arguments_are_fine(install):
    module = "from lakemon_core import hookimpl\n@hookimpl\ndef lakemon_alert():\n    return None\n"
    install("acme-lakemon", {"lakemon.plugins": {"plain": "acme_plain"}}, acme_plain=module)
    outcomes = discover().hooks().call("lakemon_alert", context_of("lakemon_alert"), deadline=30)
    assert [outcome.status for outcome in outcomes if outcome.plugin.endswith(":plain")] == [HookStatus.OK]


def test_a_hook_of_a_later_lakemon_is_fine_when_marked_optional(install):
    module = """
        from lakemon_core import hookimpl
        @hookimpl(optionalhook=True)
        def lakemon_from_the_future(context): ...
    """
    install("acme-lakemon", {"lakemon.plugins": {"early": "acme_early"}}, acme_early=module)
    (row,) = [row for row in discover().rows() if row.name == "early"]
    assert (row.status, row.hooks) == ("active", ())


def test_a_plugins_properties_are_not_evaluated():
    class Plugin:
        @property
        def client(self):
            raise AssertionError("evaluated")

    HookRunner().add(Plugin(), "lakemon.plugins:a", {})


def test_every_hook_can_be_called():
    runner = HookRunner()
    for hook in HOOKS:
        assert runner.call(hook, context_of(hook), deadline=1) == []
