"""The one list of steps and their order.

Here belongs which step follows which, what a run is told, and the summary a step gives. What a step does belongs in
the module it calls. DAGs turn the list into tasks; tests and the bench call it in process; there is no other
orchestration. Importing this module is cheap: a step imports what it needs when it runs.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from cx360.settings import Settings

#: Counts, dates and names of a step, fit for JSON, logs and XCom. Never personal data.
Summary = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """What one run is told.

    Attributes:
        run_id: name of the run in the ledger.
        until: land deliveries up to this delivery day; None lands all there are.
        as_of: business day the profiles speak for; None is the latest business date of any feed.
        known_at: arrival number up to which deliveries are known; None knows all.
        full_refresh: compute every day anew instead of the days this run brings.
    """

    run_id: str
    until: date | None = None
    as_of: date | None = None
    known_at: int | None = None
    full_refresh: bool = False

    def to_json(self) -> dict[str, Any]:
        """The run as plain values, dates as YYYY-MM-DD."""
        return {key: value.isoformat() if isinstance(value, date) else value for key, value in asdict(self).items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Run":
        """The run of ``to_json``; a missing or empty value is its default.

        Raises:
            ValueError: a day that is not YYYY-MM-DD.
        """
        known_at = values.get("known_at")
        return cls(
            run_id=str(values["run_id"]),
            until=_day(values.get("until")),
            as_of=_day(values.get("as_of")),
            known_at=None if known_at is None else int(known_at),
            full_refresh=bool(values.get("full_refresh", False)),
        )


def _day(value: str | date | None) -> date | None:
    if not value or isinstance(value, date):
        return value or None
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"{value!r} is not a day written YYYY-MM-DD") from error


@dataclass(frozen=True)
class Step:
    """One step: its name (an Airflow task id), what a person calls it, and what it does."""

    name: str
    title: str
    run: Callable[..., Summary]

    def __call__(self, settings: Settings, *told: Any) -> Summary:
        """Run it.

        Raises:
            DiskFull: there was no room left, whichever library found out.
        """
        from cx360 import lake

        with lake.room(settings):
            return self.run(settings, *told)


# Steps of a delivery day: (settings, run) -> summary; ``land`` is called once a feed.


def land(settings: Settings, run: Run, feed: str) -> Summary:
    """Take the feed's new deliveries into the lake and the ledger."""
    from cx360 import landing

    return landing.land(settings, feed, run.until).as_dict()


def check(settings: Settings, run: Run) -> Summary:
    """Let through their gates the deliveries of all feeds that landed and have no verdict yet.

    Raises:
        GateFailed: deliveries were blocked; the others went through.
    """
    from cx360 import gates
    from cx360.contracts import FEEDS

    report = gates.GateReport("deliveries", 0)
    for feed in FEEDS:
        try:
            report += gates.check_deliveries(settings, feed, run.run_id)
        except gates.GateFailed as blocked:
            report += blocked.report
    report.raise_if_blocked()
    return report.summary()


def close_day(settings: Settings, run: Run) -> Summary:
    """Close the delivery day: settle what its build knows, and name the files that are missing."""
    from cx360 import days

    return days.close(settings, run.run_id, run.until).as_dict()


# Steps of the build: (settings, run) -> summary.


def open_warehouse(settings: Settings, run: Run) -> Summary:
    """Show the models the deliveries known to this run, and work out which days to compute anew.

    Raises:
        warehouse.NothingToBuild: no delivery of parties may be read: without masters there are no people.
    """
    from cx360 import warehouse

    warehouse.require_parties(settings, run.known_at)
    return warehouse.open_run(settings, run.run_id, run.as_of, run.known_at, run.full_refresh)


def build_evidence(settings: Settings, run: Run) -> Summary:
    """Build staging and the evidence of identity."""
    from cx360 import warehouse

    return warehouse.dbt(settings, "build_evidence", select=EVIDENCE)


def resolve_identity(settings: Settings, run: Run) -> Summary:
    """Group party records into people."""
    from cx360 import ledger, warehouse
    from cx360.identity import changes, decisions
    from cx360.identity.resolve import Known, resolve

    known_at = warehouse.opened(settings).decisions_known_at
    with ledger.session(settings) as session:
        decided = decisions.standing(session, known_at)
    return resolve(
        settings, Known(decided, changes.published(settings), warehouse.identifier_files(settings, "parties"))
    )


def build_tables(settings: Settings, run: Run) -> Summary:
    """Read the customers' words, and build everything that follows from who is whom.

    What Python estimates is shown anew where it changed.
    """
    from cx360 import drivers, engines, warehouse, words

    with engines.open_warehouse(settings) as db:
        read = words.read_deliveries(settings, db)
    built = warehouse.dbt(settings, "build_tables", exclude=EVIDENCE)
    estimates = drivers.estimate(settings)
    if estimates["changed"]:
        built["by_model"] |= warehouse.dbt(settings, "build_tables", select=ESTIMATED)["by_model"]
    return built | {"words": read.as_dict(), "drivers": estimates}


def check_candidate(settings: Settings, run: Run) -> Summary:
    """Audit what was built.

    Raises:
        GateFailed: a blocking rule failed or could not be checked; what readers see stays as it was.
    """
    from cx360 import gates, warehouse

    report = gates.check_candidate(settings, run.run_id)
    warehouse.mark_audited(settings)
    return report.summary()


def publish(settings: Settings, run: Run) -> Summary:
    """Make the audited candidate visible, all of it at once; then, and only then, what this run brought is done.

    Raises:
        NotAudited: the candidate did not pass its gate.
    """
    from cx360 import publish as publishing
    from cx360 import versions, warehouse

    warehouse.require_audited(settings)
    opened = warehouse.opened(settings)
    publication = publishing.publish(
        settings,
        publishing.Run(
            run_id=run.run_id,
            as_of=opened.as_of,
            known_at=opened.known_at,
            decisions_known_at=opened.decisions_known_at,
            manifest_hash=opened.manifest_hash,
            seeds_hash=versions.of_files(settings, "dbt_project/seeds"),
            models_hash=versions.of_files(settings, "models"),
            code_version=versions.of_files(settings, "plugins/cx360", "dbt_project", "contracts", "expectations"),
            repeated_rows=warehouse.repeated_rows(settings),
        ),
        changes=warehouse.identity_changes(settings),
    )
    warehouse.settle(settings)
    return {
        "publication": publication.publication_id,
        "as_of": publication.as_of.isoformat(),
        "known_at": publication.known_at,
        "rows": sum(publication.table_rows.values()),
        "tables": publication.table_rows,
    }


def notify(settings: Settings, run: Run) -> Summary:
    """Tell of the alerts that the publication shows opened, reopened or closed and nobody was told of."""
    from cx360 import notifications

    return notifications.send(settings)


#: dbt's selection of what identity is resolved from.
EVIDENCE = (
    "+int_identity__link_keys +int_identity__household_keys +int_identity__subjects identifier_limits identity_rules"
)

#: dbt's selection of what shows what Python estimates.
ESTIMATED = "cx_drivers"

LAND = Step("land", "land the deliveries of a feed", land)

#: After every feed has landed.
DAY_STEPS = (
    Step("check", "gate of the deliveries", check),
    Step("close_day", "close the delivery day", close_day),
)

BUILD_STEPS = (
    Step("open_warehouse", "open the warehouse", open_warehouse),
    Step("build_evidence", "stage feeds, gather evidence of identity", build_evidence),
    Step("resolve_identity", "resolve who is whom", resolve_identity),
    Step("build_tables", "read the customers' words, build profiles, metrics and features", build_tables),
    Step("check_candidate", "gate of the candidate", check_candidate),
    Step("publish", "publish", publish),
    Step("notify", "tell of alerts", notify),
)


def run_all(settings: Settings, run: Run, progress: Callable[[str, Summary], None] | None = None) -> dict[str, Summary]:
    """Run every step in order, in this process.

    A delivery that its gate blocks stays invisible and the run goes on without it, as it does in Airflow.

    Args:
        settings: the deployment.
        run: what the run is told.
        progress: called after each step with its name (``land transactions``, ``publish``) and summary.

    Returns:
        Summaries by name, in order.

    Raises:
        GateFailed: the candidate was blocked; nothing was published.
    """
    from cx360 import days
    from cx360.gates import GateFailed

    summaries: dict[str, Summary] = {}

    def note(name: str, summary: Summary) -> None:
        summaries[name] = summary
        if progress:
            progress(name, summary)

    for feed in days.feeds(settings):
        note(f"{LAND.name} {feed}", LAND(settings, run, feed))
    for step in DAY_STEPS:
        try:
            note(step.name, step(settings, run))
        except GateFailed as blocked:
            note(step.name, {"blocked": str(blocked)})
    for step in BUILD_STEPS:
        note(step.name, step(settings, run))
    return summaries
