# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Calling a function now and then, in a thread."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Callable


class Ticker:
    """Calls a function again and again, until it is stopped or the program ends.

    The thread is a daemon, so that it holds up no run that breaks off. But it must not be writing while Python shuts down, since it would end with its hand
    on the lock of the output; so it is stopped before that in any case.

    :param tick: returns the seconds until it wants to be called again. It must not raise.
    :param delay: seconds until the first call.
    """

    def __init__(self, tick: Callable[[], float], delay: float) -> None:
        self._tick = tick
        self._delay = delay
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="progress", daemon=True)
        self._thread.start()
        atexit.register(self.stop)

    def cancel(self) -> None:
        """Have no further call begin."""
        self._stopped.set()

    def stop(self) -> None:
        """End it, and wait for a call that is under way. Not to be called by ``tick``, nor while holding what ``tick`` waits for."""
        self.cancel()
        self._thread.join()
        atexit.unregister(self.stop)

    def _run(self) -> None:
        delay = self._delay
        while not self._stopped.wait(delay):
            delay = self._tick()
