"""The model server of a workspace, and what the backend needs to start, find, ask and stop it.

`server` holds what runs inside the server's process; the modules here run in the process of a `lakemon` call.
"""
