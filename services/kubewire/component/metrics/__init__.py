"""Numbers about a process, as Prometheus reads them: `families` count, `registry` names them, `exposition` prints them.

Written for one event loop: a counter is a plain attribute without a lock, and whoever counts often keeps the labelled
series instead of looking it up. `process` adds what the kernel knows about this process, `watchdog` what the loop does.
"""
