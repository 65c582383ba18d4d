"""Ending the process while a camera still holds a thread."""

import logging
import os
import sys
import threading


def end_process(code: int) -> int:
    """Return the exit code, or end the process with it at once when a thread hangs in foreign code.

    A read that hangs in OpenCV or in the network cannot be interrupted. Were the interpreter to finish
    around it, the thread would wake in a half dismantled process and abort it.
    """
    if all(thread is threading.main_thread() for thread in threading.enumerate()):
        return code
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    os._exit(code)
