"""SQL statements on a warehouse: `Statements` runs them, everything else helps it."""

from lakemon_databricks.statements.failures import StatementFailed
from lakemon_databricks.statements.names import column_sql, table_sql, text_sql
from lakemon_databricks.statements.parameters import Binding, Value
from lakemon_databricks.statements.running import Statements

__all__ = ["Binding", "StatementFailed", "Statements", "Value", "column_sql", "table_sql", "text_sql"]
