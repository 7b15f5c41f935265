"""Runs a job from the command line: in the running server, or here where none runs."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

from saastracker import keeping
from saastracker.cli.options import Installation
from saastracker.contracts import Store
from saastracker.control import Control
from saastracker.erasures import Erasures
from saastracker.indexer import Indexer
from saastracker.job import JobContext
from saastracker.merging import merging
from saastracker.records import now_ms


def run_job(installation: Installation, name: str, show: Callable[[int, int | None], None]) -> None:
    """Run one of the jobs of `keeping` to its end. Raises OperatorError."""
    control = Control.connect(installation.config.data)
    if control is None:
        _directly(installation, name, show)
        return
    with closing(control):
        control.run_job(name, show)


@contextmanager
def followed(installation: Installation) -> Iterator[Store]:
    """The store, whose index has all events: a running server sees to it, else it is done here."""
    with closing(installation.plugins.open_store(installation.records)) as store:
        control = Control.connect(installation.config.data)
        if control is None:
            store.claim()
            catch_up(indexer(installation, store))
        else:
            control.close()
        yield merging(store, installation.definitions)


def _directly(installation: Installation, name: str, show: Callable[[int, int | None], None]) -> None:
    facts, records = installation.facts, installation.records
    with closing(installation.plugins.open_store(records)) as store:
        store.claim()
        following = indexer(installation, store)
        catch_up(following)
        known, erasures = merging(store, installation.definitions), Erasures(records, installation.secrets)
        job = keeping.jobs(facts, records, erasures, known, lambda work: work(), lambda: following.step() and None)[
            name
        ]
        job.run(
            JobContext(
                now=now_ms(),
                projects=[project for project in facts.snapshot.projects.values() if project.active],
                definitions=installation.definitions,
                reader=known.reader,
                progress=show,
                cancelled=lambda: False,
            )
        )
        catch_up(following)


def indexer(installation: Installation, store: Store) -> Indexer:
    """Of a store that is claimed; its index may have been made by other code."""
    zones = {project.id: project.timezone for project in installation.facts.snapshot.projects.values()}
    made = Indexer(
        store.index,
        lambda: zones,
        lambda work: work(),
        taggers=installation.registry.taggers,
        definitions=installation.definitions,
    )
    made.begin()
    return made


def catch_up(following: Indexer) -> None:
    """Until the index has all events."""
    while any(following.step()):
        pass
