"""Forecasting models for lakemon: errors by horizon and series, against the seasonal naive, revisions."""
