"""A synthetic bank: ten feeds as a bank would deliver them, and the truth beside.

Here belongs the order in which it is made. Same arguments, same bytes. Nobody in it exists: addresses end in
``example.com``, ``.org`` or ``.net``, landlines extend numbers reserved for fiction, mobiles are made up.
"""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cx360.sample.bank import Feed, Plan

#: Last business day unless told; never the clock. A Thursday: the last three days are working days of two months.
END = date(2026, 4, 2)


def generate(
    customers: int,
    days: int,
    seed: int,
    out: Path,
    end: date | None = None,
    plant: bool = True,
    daily: int = 3,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Write a synthetic bank: ``out/inbox/<delivery day>/…`` and, beside it, ``out/truth/…``.

    Args:
        customers: number of people, 1 to 1,000,000.
        days: length of the period in days, at least four more than ``daily``, at most 3,660.
        seed: the same seed gives the same bytes.
        out: folder to write below; ``inbox`` and ``truth`` must not hold anything yet.
        end: last business day; default 2026-04-02.
        plant: whether groups with known facts are hidden in the data.
        daily: how many of the last days are deliveries of their own, 3 to 366; all before is one delivery.
        progress: gets a short text before each part of the work.

    Returns:
        What was written: {"files", "rows", "good", "repeated", "bad", "inbox", "truth"}.

    Raises:
        ValueError: an argument is out of its range.
        FileExistsError: ``out`` holds a bank already.
    """
    from cx360.sample.bank import Plan

    out = Path(out)
    plan = Plan(customers, days, seed, end or END, plant, daily)
    inbox, truth_folder = out / "inbox", out / "truth"
    for folder in (inbox, truth_folder):
        if folder.exists() and any(folder.iterdir()):
            raise FileExistsError(f"{folder} is not empty; give another folder or remove it")
    say = progress or (lambda _: None)
    counts: dict[str, Any] = {}
    for feed in _feeds(plan, truth_folder, say):
        counts.update(_deliver(plan, feed, inbox))
        say(f"{feed.name}: {sum(c['rows'] for c in counts.values() if c['feed'] == feed.name):,} rows")
    return _report(counts, inbox, truth_folder)


def _feeds(plan: "Plan", truth_folder: Path, say: Callable[[str], None]) -> "Any":
    """Yield the feeds one by one, so that only one is in memory; the truth is written on the way."""
    from cx360.sample import channels, experience, money, people, truth

    say(f"{plan.customers:,} people")
    persons = people.make_people(plan)
    parties = people.make_parties(plan, persons)
    accounts = money.make_accounts(plan, persons, parties)
    visits = channels.make_visits(plan, persons)
    calls = channels.make_calls(plan, persons)
    complaints = experience.make_complaints(plan, persons, calls)
    truth.write(truth_folder, plan, persons, parties, accounts, visits, calls)
    yield people.party_feed(plan, persons, parties)
    yield money.account_feed(plan, persons, accounts)
    yield money.owner_feed(plan, parties, accounts)
    yield money.holding_feed(plan, persons, parties, accounts)
    yield money.fx_feed(plan)
    yield channels.call_feed(plan, parties, calls, experience.complaint_of_call(complaints, calls))
    yield experience.survey_feed(plan, persons, parties, visits, calls)
    yield experience.complaint_feed(plan, persons, parties, complaints)
    yield money.transaction_feed(plan, persons, accounts)
    yield channels.app_feed(plan, persons, parties, visits)


def _deliver(plan: "Plan", feed: "Feed", inbox: Path) -> dict[str, Any]:
    """Write a feed's files with their dirt; returns what each file holds, by path below the inbox."""
    import numpy as np

    from cx360.sample import dirt, files

    dirt.add_dirt(plan, feed)
    counts: dict[str, Any] = {}
    bounds = np.searchsorted(feed.slot, np.arange(len(feed.slots) + 1))
    for k, slot in enumerate(feed.slots):
        rows = np.arange(bounds[k], bounds[k + 1])
        table = feed.table.slice(bounds[k], len(rows))
        if not len(rows) and files.FORMS[feed.name].has_no_header:
            continue  # a system without a header and without rows delivers nothing
        files.write(inbox, feed.name, slot, table)
        counts[files.name(feed.name, slot)] = dirt.count(feed, rows)
        for name, original, copy in dirt.copies(plan):
            if name == feed.name and original == slot:
                files.write(inbox, feed.name, copy, table)
                counts[files.name(name, copy)] = dirt.count(feed, rows) | {"copy_of": files.name(name, slot)}
    name, slot = dirt.header_only(plan)
    if name == feed.name:
        files.write(inbox, name, slot, feed.table.slice(0, 0))
        counts[files.name(name, slot)] = dirt.count(feed, np.arange(0))
    name, slot = dirt.unfinished(plan)
    if name == feed.name:
        path = inbox / files.name(name, slot)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return counts


def _report(counts: dict[str, Any], inbox: Path, truth_folder: Path) -> dict[str, Any]:
    from cx360.sample import truth

    totals: dict[str, Any] = {}
    for c in counts.values():
        of_feed = totals.setdefault(c["feed"], {"rows": 0, "good": 0, "repeated": 0, "bad": 0})
        for key in ("rows", "good", "repeated"):
            of_feed[key] += c[key]
        of_feed["bad"] += sum(c["bad"].values())
    truth.write_json(truth_folder / "dirt.json", {"files": counts, "totals": totals})
    sums = {key: sum(t[key] for t in totals.values()) for key in ("rows", "good", "repeated", "bad")}
    return {"files": len(counts), **sums, "inbox": inbox, "truth": truth_folder}
