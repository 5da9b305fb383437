"""Metric tables to one page that a person reads: what is wrong, what changed, and on what that rests.

tables, ledger ──reading──▶ Facts ──headline, heat, trends, parts──▶ data of the page ──charts, page──▶ HTML
"""
