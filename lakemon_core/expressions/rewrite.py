"""The tree of an expression to DuckDB's SQL, part by part; a part that is not listed here is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatchmethod

from sqlglot import exp
from sqlglot.expressions.core import Expression

from lakemon_core.domain.errors import DataError, did_you_mean
from lakemon_core.domain.names import plain
from lakemon_core.expressions import functions
from lakemon_core.expressions.columns import Columns, Shape
from lakemon_core.expressions.parse import PREFIX

_BINARY: Mapping[type[Expression], str] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.DPipe: "||", exp.And: "AND", exp.Or: "OR",
    exp.EQ: "=", exp.NEQ: "<>", exp.GT: ">", exp.GTE: ">=", exp.LT: "<", exp.LTE: "<=", exp.Is: "IS",
    exp.NullSafeEQ: "IS NOT DISTINCT FROM", exp.NullSafeNEQ: "IS DISTINCT FROM",
}  # fmt: skip
_TEMPLATES: Mapping[type[Expression], str] = {
    exp.Div: functions.QUOTIENT,
    exp.IntDiv: functions.WHOLE_QUOTIENT,
    exp.Mod: functions.REMAINDER,
}
_SPOKEN: Mapping[str, str] = {
    "subquery": "a subquery", "select": "a subquery", "exists": "a subquery", "window": "a window (OVER)",
    "star": "*", "alias": "AS", "lambda": "a lambda", "jsonextract": "a path into JSON",
    "bracket": "an element in brackets", "dot": "a field of a call", "parameter": "a parameter",
    "placeholder": "a parameter", "regexplike": "RLIKE", "ilike": "ILIKE", "interval": "INTERVAL",
    "concat": "texts side by side",
}  # fmt: skip
_PARAMETER = re.compile(r":([abc])\b")
_LONGEST = 100_000
"""Characters of the translation: templates that repeat an argument grow quickly when nested."""


@dataclass(slots=True)
class Rewriting:
    """Rewrites one expression.

    Attributes:
        text: the expression, for messages.
        shape: what it may be.
        columns: finds columns and remembers them.
        inside: an aggregate is being rewritten.
    """

    text: str
    shape: Shape
    columns: Columns
    inside: bool = False

    @singledispatchmethod
    def sql(self, tree: Expression) -> str:
        """Returns the expression for DuckDB.

        Raises:
            DataError: LM331, LM332, LM333.
        """
        kind = type(tree)
        if kind in _BINARY:
            return f"({self.sql(tree.this)} {_BINARY[kind]} {self.sql(tree.expression)})"
        if kind in _TEMPLATES:
            return self._fill(_TEMPLATES[kind], [tree.this, tree.expression])
        raise self._refused(_SPOKEN.get(tree.key, tree.key.upper()))

    @sql.register
    def _column(self, tree: exp.Column) -> str:
        parts = [part.name for part in tree.parts]
        if len(parts) > 1 and self.shape is not Shape.METRICS:
            raise self._refused(f"the field {plain('.'.join(parts))}")
        if self.shape is Shape.TABLE and not self.inside:
            raise DataError(
                "LM332",
                f"{plain(self.text)!r} reads {plain(parts[0])!r} outside of an aggregate;",
                cure="write e.g. avg(...) around it.",
            )
        return self.columns.find(parts)

    @sql.register
    def _literal(self, tree: exp.Literal) -> str:
        return exp.Literal.string(tree.name).sql("duckdb") if tree.args["is_string"] else tree.name

    @sql.register
    def _truth(self, tree: exp.Boolean) -> str:
        return "TRUE" if tree.this else "FALSE"

    @sql.register
    def _null(self, tree: exp.Null) -> str:
        return str(tree)

    @sql.register
    def _paren(self, tree: exp.Paren) -> str:
        return f"({self.sql(tree.this)})"

    @sql.register
    def _minus(self, tree: exp.Neg) -> str:
        return f"(-{self.sql(tree.this)})"

    @sql.register
    def _not(self, tree: exp.Not) -> str:
        return f"(NOT {self.sql(tree.this)})"

    @sql.register
    def _call(self, tree: exp.Anonymous) -> str:
        name, arguments = str(tree.this).casefold(), list(tree.expressions)
        if name in functions.AGGREGATE and self.shape is Shape.TABLE:
            return self._aggregate(name, tree)
        if name == "date_trunc":
            return self._date_trunc(tree)
        if name in functions.ANY_NUMBER:
            parts = [self.sql(argument) for argument in arguments]
            joined = functions.ANY_NUMBER[name]
            if joined == "||":
                return "(" + " || ".join(f"CAST({part} AS TEXT)" for part in parts) + ")"
            return f"{joined}({', '.join(parts)})"
        if name not in functions.SCALAR:
            raise self._unknown(tree)
        return self._fill(self._template(functions.SCALAR[name], tree), arguments)

    def _aggregate(self, name: str, tree: Expression) -> str:
        if self.inside:
            raise self._refused(f"the aggregate {name} inside of another")
        arguments = list(tree.expressions)
        template = self._template(functions.AGGREGATE[name], tree)
        if name == "count" and isinstance(arguments[0], exp.Star):
            return "COUNT(*)"
        self.inside = True
        try:
            if name == "count" and isinstance(arguments[0], exp.Distinct):
                (only,) = self._one(arguments[0].expressions, "DISTINCT of several columns")
                return f"COUNT(DISTINCT {self.sql(only)})"
            return self._fill(template, arguments)
        finally:
            self.inside = False

    def _one(self, trees: Sequence[Expression], several: str) -> Sequence[Expression]:
        if len(trees) != 1:
            raise self._refused(several)
        return trees

    @sql.register
    def _filter(self, tree: exp.Filter) -> str:
        if not isinstance(tree.this, exp.Anonymous):
            raise self._refused("FILTER")
        summed = self.sql(tree.this).removeprefix("(").removesuffix(")")
        self.inside = True
        try:
            return f"{summed} FILTER (WHERE {self.sql(tree.expression.this)})"
        finally:
            self.inside = False

    def _date_trunc(self, tree: Expression) -> str:
        unit = tree.expressions[0] if len(tree.expressions) == 2 else None
        if not isinstance(unit, exp.Literal) or unit.name.casefold() not in functions.UNITS:
            raise self._refused(f"date_trunc without one of the units {', '.join(sorted(functions.UNITS))}")
        return f"DATE_TRUNC('{unit.name.casefold()}', {self.sql(tree.expressions[1])})"

    @sql.register
    def _cast(self, tree: exp.Cast) -> str:
        target = tree.args["to"]
        name = target.this.name
        if name in functions.WHOLE_TYPES:
            return self._fill(functions.WHOLE_NUMBER, [tree.this])
        if name not in functions.CASTS or target.expressions:
            raise self._refused(f"a cast to {target.sql('databricks')}")
        return f"TRY_CAST({self.sql(tree.this)} AS {functions.CASTS[name]})"

    @sql.register
    def _case(self, tree: exp.Case) -> str:
        start = self.sql(tree.this) if tree.this else ""
        branches = [
            f"WHEN {self.sql(branch.this)} THEN {self.sql(branch.args['true'])}"
            for branch in tree.args["ifs"]
        ]
        otherwise = tree.args.get("default")
        end = f" ELSE {self.sql(otherwise)}" if otherwise else ""
        return f"(CASE {start} {' '.join(branches)}{end} END)"

    @sql.register
    def _if(self, tree: exp.If) -> str:
        otherwise = tree.args.get("false") or exp.Null()
        return self._fill(functions.SCALAR["if"][0], [tree.this, tree.args["true"], otherwise])

    @sql.register
    def _in(self, tree: exp.In) -> str:
        if not tree.expressions:
            raise self._refused("a subquery")
        return f"({self.sql(tree.this)} IN ({', '.join(self.sql(one) for one in tree.expressions)}))"

    @sql.register
    def _between(self, tree: exp.Between) -> str:
        low, high = tree.args["low"], tree.args["high"]
        if tree.args.get("symmetric"):
            raise self._refused("BETWEEN SYMMETRIC")
        return f"({self.sql(tree.this)} BETWEEN {self.sql(low)} AND {self.sql(high)})"

    @sql.register
    def _like(self, tree: exp.Like) -> str:
        if not isinstance(tree.expression, exp.Literal) or "\\" in tree.expression.name:
            raise self._refused("LIKE with anything but a text without backslashes")
        return f"({self.sql(tree.this)} LIKE {self.sql(tree.expression)})"

    def _template(self, templates: Sequence[str], tree: Expression) -> str:
        """Returns the template for as many arguments as the call has."""
        wanted = [len(set(_PARAMETER.findall(template))) for template in templates]
        given = len(tree.expressions)
        if given not in wanted:
            counts = " or ".join(map(str, wanted))
            raise DataError(
                "LM331", f"{plain(self.text)!r} calls {tree.this} with {given} arguments, it takes {counts}."
            )
        return templates[wanted.index(given)]

    def _fill(self, template: str, arguments: Sequence[Expression]) -> str:
        parts = dict(zip("abc", (f"({self.sql(argument)})" for argument in arguments), strict=False))
        filled = "(" + _PARAMETER.sub(lambda found: parts[found[1]], template) + ")"
        if len(filled) > _LONGEST:
            raise DataError("LM330", f"{plain(self.text)!r} is nested too deeply.")
        return filled

    def _refused(self, what: str) -> DataError:
        cure = "slices and metrics of rows take no aggregates, subqueries or windows."
        if self.shape is Shape.TABLE:
            cure = "use one aggregate of columns, or a calculation with several."
        return DataError(
            "LM332", f"{plain(self.text)!r} uses {what}, which cannot be measured here;", cure=cure
        )

    def _unknown(self, tree: Expression) -> DataError:
        name = str(tree.this)
        if name.casefold() in functions.AGGREGATE:
            return self._refused(f"the aggregate {plain(name)}")
        place = tree.meta.get("start", len(PREFIX)) - len(PREFIX) + 1
        allowed = functions.names(aggregates=self.shape is Shape.TABLE)
        hint = did_you_mean(name.casefold(), allowed)
        listed = "" if hint.startswith("Known") else f"{hint} "
        return DataError(
            "LM331",
            f"{plain(self.text)!r} calls {plain(name)} at character {place}, which cannot be translated;",
            cure=f"{listed}Functions that may be used: {', '.join(allowed)}.",
        )
