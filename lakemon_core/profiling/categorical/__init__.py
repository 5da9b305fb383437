"""Columns of categories: levels in text form with their counts, and how far two of them lie apart."""
