"""The wire: requests, answers, routes, faults and the journal of all calls; knows nothing of Databricks."""
