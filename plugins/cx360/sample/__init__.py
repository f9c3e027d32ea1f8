"""A synthetic bank: fifteen feeds as a bank would deliver them, and the truth beside.

Here belongs the order in which it is made. Same arguments, same bytes. Nobody in it exists: addresses end in
``example.com``, ``.org`` or ``.net``, landlines extend numbers reserved for fiction, mobiles are made up.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Set
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cx360.sample.bank import Feed, Plan
    from cx360.sample.channels import Calls, Visits
    from cx360.sample.experience import Complaints, Surveys
    from cx360.sample.money import Accounts
    from cx360.sample.party_records import Parties
    from cx360.sample.people import People

#: Last business day unless told; never the clock. A Thursday: the last three days are working days of two months.
END = date(2026, 4, 2)
#: What a bank delivers, in the order it is written.
FEEDS = (
    "parties", "accounts", "account_parties", "holdings", "fx_rates", "call_logs", "survey_responses", "complaints",
    "transactions", "app_events", "risk_scores", "outreach", "points_entries", "survey_invitations",
    "call_legs",
)  # fmt: skip


def generate(
    customers: int,
    days: int,
    seed: int,
    out: Path,
    end: date | None = None,
    plant: bool = True,
    daily: int = 3,
    progress: Callable[[str], None] | None = None,
    feeds: Collection[str] = FEEDS,
    dirt: float = 1.0,
    settings: Mapping[str, Any] | None = None,
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
        feeds: the feeds to write; a feed's bytes are the same with others and without.
        dirt: how many times the dirt of further party records is what the parameters say, 0 to 10.
        settings: other values for some of ``parameters.yaml``, as {"people": {"duplicate_record": 0.2}}.

    Returns:
        What was written: {"files", "rows", "good", "repeated", "bad", "inbox", "truth"}.

    Raises:
        ValueError: an argument is out of its range, or names no feed or setting.
        FileExistsError: ``out`` holds a bank already.
    """
    from cx360.sample.bank import Plan, overlaid, parameters

    out = Path(out)
    if unknown := set(feeds) - set(FEEDS):
        raise ValueError(f"feeds must be among {', '.join(FEEDS)}; not {', '.join(sorted(unknown))}")
    plan = Plan(customers, days, seed, end or END, plant, daily, overlaid(parameters(), settings or {}), dirt)
    inbox, truth_folder = out / "inbox", out / "truth"
    for folder in (inbox, truth_folder):
        if folder.exists() and any(folder.iterdir()):
            raise FileExistsError(f"{folder} is not empty; give another folder or remove it")
    say = progress or (lambda _: None)
    counts: dict[str, Any] = {}
    for feed in _feeds(plan, truth_folder, say, set(feeds)):
        counts.update(_deliver(plan, feed, inbox))
        say(f"{feed.name}: {sum(c['rows'] for c in counts.values() if c['feed'] == feed.name):,} rows")
    return _report(counts, inbox, truth_folder)


class _Bank:
    """What the feeds tell of; each part is made when it is first asked for."""

    def __init__(self, plan: "Plan") -> None:
        self.plan = plan

    @cached_property
    def people(self) -> "People":
        from cx360.sample.people import make_people

        return make_people(self.plan)

    @cached_property
    def parties(self) -> "Parties":
        from cx360.sample.party_records import make_parties

        return make_parties(self.plan, self.people)

    @cached_property
    def accounts(self) -> "Accounts":
        from cx360.sample.money import make_accounts

        return make_accounts(self.plan, self.people, self.parties)

    @cached_property
    def visits(self) -> "Visits":
        from cx360.sample.channels import make_visits

        return make_visits(self.plan, self.people)

    @cached_property
    def calls(self) -> "Calls":
        from cx360.sample.channels import make_calls

        return make_calls(self.plan, self.people)

    @cached_property
    def complaints(self) -> "Complaints":
        from cx360.sample.experience import make_complaints

        return make_complaints(self.plan, self.people, self.calls)

    def surveys(self) -> "Surveys":
        """Made each time it is asked for: it is as large as the feed of answers."""
        from cx360.sample.experience import make_surveys

        return make_surveys(self.plan, self.people, self.parties, self.visits, self.calls)


def _feeds(plan: "Plan", truth_folder: Path, say: Callable[[str], None], wanted: Set[str]) -> "Iterator[Feed]":
    """Yield the feeds one by one, so that only one is in memory; the truth comes before, of what they tell of."""
    from cx360.sample import channels, experience, money, party_records, programmes, truth

    say(f"{plan.customers:,} people")
    bank = _Bank(plan)
    surveys = ("survey_responses", "survey_invitations")
    truth.write(
        truth_folder,
        plan,
        bank.people,
        bank.parties,
        bank.accounts if wanted & {"accounts", "account_parties", "holdings", "transactions"} else None,
        bank.visits if wanted & {"app_events", *surveys} else None,
        bank.calls if wanted & {"call_logs", "call_legs", "complaints", *surveys} else None,
    )
    makers: dict[str, Callable[[], Feed]] = {
        "parties": lambda: party_records.party_feed(plan, bank.people, bank.parties),
        "accounts": lambda: money.account_feed(plan, bank.people, bank.accounts),
        "account_parties": lambda: money.owner_feed(plan, bank.parties, bank.accounts),
        "holdings": lambda: money.holding_feed(plan, bank.people, bank.parties, bank.accounts),
        "fx_rates": lambda: money.fx_feed(plan),
        "call_logs": lambda: channels.call_feed(
            plan, bank.parties, bank.calls, experience.complaint_of_call(bank.complaints, bank.calls)
        ),
        "survey_responses": lambda: experience.survey_feed(plan, bank.surveys()),
        "complaints": lambda: experience.complaint_feed(plan, bank.people, bank.parties, bank.complaints),
        "transactions": lambda: money.transaction_feed(plan, bank.people, bank.accounts),
        "app_events": lambda: channels.app_feed(plan, bank.people, bank.parties, bank.visits),
        "risk_scores": lambda: programmes.risk_feed(plan, bank.people, bank.parties),
        "outreach": lambda: programmes.outreach_feed(plan, bank.people, bank.parties),
        "points_entries": lambda: programmes.points_feed(plan, bank.people, bank.parties),
        "survey_invitations": lambda: experience.invitation_feed(plan, bank.surveys()),
        "call_legs": lambda: channels.leg_feed(plan, bank.calls),
    }
    for name in FEEDS:
        if name in wanted:
            yield makers[name]()


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
