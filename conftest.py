"""What holds for the tests of all members: patience on a loaded machine, and commands that hear Ctrl-C."""

import signal

from hypothesis import HealthCheck, settings

# How long an example takes says how busy the machine is.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # Started in the background, as some runners do: commands that tests start would ignore Ctrl-C too.
    signal.signal(signal.SIGINT, signal.default_int_handler)
