"""The emulator's own main, looking for due messages ten times a second.

Between two looks its poller sleeps a whole second, woken by what is sent but not by a delay that ends; AWS hands a
message out when its delay is over. Runs under the emulator's interpreter, so it imports nothing of ours.
"""

import sys
import threading
import time

from ministack.app import main  # type: ignore[import-not-found]  # not in this environment

_GAP_S = 0.1


def _wake_poller() -> None:
    while True:
        time.sleep(_GAP_S)
        functions = sys.modules.get("ministack.services.lambda_svc")
        if functions is not None:
            functions.esm_wake.set()


if __name__ == "__main__":
    threading.Thread(target=_wake_poller, name="wake-poller", daemon=True).start()
    main()
