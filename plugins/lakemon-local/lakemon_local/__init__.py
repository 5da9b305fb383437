"""The local backend of lakemon: MLflow on SQLite, a model server, Delta tables and a SQLite ledger."""
