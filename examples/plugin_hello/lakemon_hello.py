"""A hook plugin in thirty lines: a gate that knows what only your team can know."""

from lakemon_core import hookimpl
from lakemon_core.domain.panels import Dot, Line, LinesPanel, PanelSpec
from lakemon_core.domain.run import Finding, Severity, Stage
from lakemon_core.hookspecs import AnalyzeContext, ValidateContext
from lakemon_core.ports import PluginConfig


class HelloConfig(PluginConfig):
    """plugins: {settings: {hello: {column: distance, limit: 5000}}}."""

    column: str = ""
    limit: float = 0.0


class Hello:
    """Stops a run when the inference table holds values above a limit."""

    lakemon_api = 1
    Config = HelloConfig

    @hookimpl
    def lakemon_validate(self, context: ValidateContext) -> list[Finding] | None:
        """Returns a critical finding, which fails the stage, or nothing."""
        import pyarrow.compute as pc

        column, limit = context.settings["column"], context.settings["limit"]
        if context.rows is None or column not in context.rows.column_names:
            return None
        above = pc.sum(pc.greater(context.rows[column], limit)).as_py() or 0
        if not above:
            return None
        title = f"{above} rows have {column} above {limit:g}"
        return [Finding(f"hello/{column}", Stage.VALIDATE, Severity.CRITICAL, title, {"rows": above})]

    @hookimpl
    def lakemon_report_panels(self, context: AnalyzeContext) -> list[PanelSpec]:
        """Shows in the report how many values of the column were missing, window by window."""
        column = context.settings["column"]
        dots = [
            Dot(signal.window.start, signal.value, n=signal.n)
            for signal in context.signals
            if signal.name == "null_rate" and signal.column == column
            if signal.window and signal.slice_key is None and signal.model_id == "*"
        ]
        return [LinesPanel("hello.nulls", f"Missing values of {column}", [Line("null rate", dots)])]
