"""The people who use the product while its parts die: they ask for runs until there are enough."""

import itertools
import threading
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import closing

import httpx

from tests.benchmarks.demo_site import DemoSite
from tests.soak.notebooks import PLAINTEXT

#: Each with the persona that they act as.
PEOPLE = {
    "adams": "doctor",
    "baker": "doctor",
    "bill": "billing",
    "lena": "lab",
    "helen": "department_head",
}
WAIT = {"Prefer": "wait=20"}
#: After a run that did not end well, or an answer that did not come.
PAUSE_S = 1.0
SUCCEEDED = "succeeded"


class Crowd:
    """Some people at once.  ``asked`` is every run that the product said it has taken."""

    def __init__(self, site: DemoSite, slugs: Mapping[str, str], *, runs: int) -> None:
        self.site = site
        self.slugs = slugs
        self.wanted = runs
        self.asked: dict[str, str] = {}
        self.trouble: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._notebooks = itertools.cycle(slugs)

    def use_the_product(self, *, within_s: float) -> None:
        """Return when enough runs were asked for.  Raises TimeoutError."""
        until = time.monotonic() + within_s
        threads = [
            threading.Thread(target=self._person, args=(name, until), daemon=True)
            for name in PEOPLE
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if self._wants_more():
            raise TimeoutError(f"{len(self.asked)} runs in {within_s:.0f} s")

    def _wants_more(self) -> bool:
        return len(self.asked) < self.wanted

    def _person(self, name: str, until: float) -> None:
        while self._wants_more() and time.monotonic() < until:
            try:
                with closing(self.site.sign_in(name)) as person:
                    while self._wants_more() and time.monotonic() < until:
                        self._ask(person, PEOPLE[name])
            except (httpx.HTTPError, AssertionError, ValueError) as error:
                self._troubled(type(error).__name__)

    def _ask(self, person: httpx.Client, persona: str) -> None:
        with self._lock:
            title = next(self._notebooks)
        answer = person.post(
            f"notebooks/{self.slugs[title]}/runs/",
            json={"persona": persona},
            headers=WAIT,
        )
        if answer.status_code not in (200, 202):
            self._troubled(f"answer {answer.status_code}")
            if answer.status_code in (401, 403):
                answer.raise_for_status()
            return
        run = answer.json()
        with self._lock:
            self.asked[run["id"]] = title
        if run["status"] != SUCCEEDED:
            time.sleep(PAUSE_S)

    def _troubled(self, what: str) -> None:
        with self._lock:
            self.trouble[what] += 1
        time.sleep(PAUSE_S)

    def unreadable(self, runs: Mapping[str, str]) -> list[str]:
        """Which of these runs, by their people, do not show the result that they must have."""
        wrong = []
        for name in PEOPLE:
            with closing(self.site.sign_in(name)) as person:
                for run_id in (each for each, owner in runs.items() if owner == name):
                    page = person.get(f"runs/{run_id}/ipynb/")
                    if not page.is_success or PLAINTEXT not in page.text:
                        wrong.append(f"{run_id}: {page.status_code}")
        return wrong
