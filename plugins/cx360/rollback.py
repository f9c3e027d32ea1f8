"""Rollback: which publication readers are brought back to, and what a person is told of it.

Here belongs the choice and its words. Bringing readers there is ``publish.rollback``.
"""

from typing import TYPE_CHECKING

from cx360 import screen, status
from cx360.settings import Settings
from cx360.status import PublicationStatus

if TYPE_CHECKING:
    from rich.console import Console

#: Publications and deliveries that are listed.
_LISTED = 20


class RollbackError(ValueError):
    """There is nothing to go back to; the message says what there is."""


def show(settings: Settings, console: "Console") -> None:
    """Print the publications, the one readers see first."""
    every = _publications(settings)
    if not every:
        console.print("Nothing was published yet.")
        return
    headings = ("publication", "as of", "known at", "published (UTC)", "rows", "run", "")
    rows = [
        (p.publication_id, p.as_of, p.known_at, p.published_at, p.rows, p.run_id, _state(p, place))
        for place, p in enumerate(every[:_LISTED])
    ]
    console.print(screen.table(headings, rows))


def _state(publication: PublicationStatus, place: int) -> str:
    if place == 0:
        return "readers see this"
    return "can be gone back to" if publication.is_kept else "files no longer kept"


def back(settings: Settings, publication_id: int | None, console: "Console") -> None:
    """Bring readers back and print what they see now; asked again, it changes nothing.

    Args:
        settings: of the deployment.
        publication_id: None for the one before what readers see, unless that was gone back to already.
        console: to print on.

    Raises:
        RollbackError: there is none before.
        sync.SyncError: that one is not kept.
    """
    from cx360 import publish

    every = _publications(settings)
    seen = next(iter(every), None)
    if seen is None:
        raise RollbackError("nothing was published yet")
    if publication_id is None and seen.run_id.startswith(publish.ROLLBACK):
        console.print(
            f"Nothing to do: publication {seen.publication_id} is a {seen.run_id} already. To go further back, name one"
            " of cx360 publish --list: cx360 publish --rollback PUBLICATION",
            soft_wrap=True,
        )
        return
    target = publication_id or _before(every)
    if any(p.publication_id == target and p.parquet_path == seen.parquet_path for p in every):
        console.print(f"Nothing to do: what readers see, publication {seen.publication_id}, is publication {target}.")
        return
    now = publish.rollback(settings, target)
    console.print(
        f"Readers see publication {target} again, as publication {now.publication_id}: profiles as of {now.as_of},"
        f" known at arrival {now.known_at}.",
        soft_wrap=True,
    )
    if now.as_of < seen.as_of:
        console.print(
            f"features.customer_features ends at {now.as_of} now. Of the days after it the next run tells only the one"
            f" it builds; to keep the others, go to publication {seen.publication_id} again before that run.",
            soft_wrap=True,
        )
    brought = _brought(settings, now.known_at, seen.known_at)
    console.print("The next green run of profile publishes forward again, from all deliveries that may be read then.")
    if brought:
        console.print("To keep out what was wrong, drop the delivery that brought it before that run:")
        console.print(screen.table(("delivery", "feed", "file"), brought[:_LISTED]))
        if len(brought) > _LISTED:
            console.print(f"and {len(brought) - _LISTED} more: deliveries {now.known_at + 1} to {seen.known_at}")
        console.print('  cx360 quarantine drop DELIVERY --reason "…"', markup=False)
    else:
        console.print("No delivery lies between the two: a model, a seed or a mapping made the difference. Mend that.")


def _publications(settings: Settings) -> list[PublicationStatus]:
    from cx360 import ledger

    with ledger.session(settings) as session:
        return status.publications(session, settings)


def _before(every: list[PublicationStatus]) -> int:
    """The latest whose files are not those readers see; a run without news publishes the same again."""
    seen = every[0]
    for publication in every[1:]:
        if publication.parquet_path != seen.parquet_path:
            if not publication.is_kept:
                break
            return publication.publication_id
    raise RollbackError(f"there is no kept publication before {seen.publication_id}; see cx360 publish --list")


def _brought(settings: Settings, known_at: int, until: int) -> list[tuple[int, str, str]]:
    """Deliveries that may be read now and arrived between two publications."""
    from sqlalchemy import select

    from cx360 import ledger, visibility
    from cx360.ledger import Delivery

    with ledger.session(settings) as session:
        visible = visibility.visible_arrivals(session, settings, None)
        found = session.scalars(
            select(Delivery)
            .where(Delivery.arrival_number.in_(visible), Delivery.arrival_number.between(known_at + 1, until))
            .order_by(Delivery.arrival_number)
        )
        return [(d.arrival_number, d.feed, d.delivery_name) for d in found]
