"""The live dashboard: every model and environment of a workspace, as pages that renew themselves.

configs ──places──▶ Watched (session, judged page) ──pages──▶ HTML ◀──door── browser

It reads what the tables and the ledger say, holds no lock, and writes only what a person asks for:
acknowledgements and silences, through the code of `lakemon alert`.
"""
