"""The commands below `responses` that look at what is recorded, and decide about held ones."""

from collections.abc import Callable
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from contactctl import operations, output
from contactctl.cli import candidates, options
from contactctl.cli.context import ReasonedInvocation, StoreInvocation
from contactctl.cli.options import flag, option
from contactctl.domain.errors import UsageError
from contactctl.domain.response_report import ReportBy
from contactctl.output.view import Presentation

if TYPE_CHECKING:
    from contactctl.domain.responses import Category, HeldFilter, ResponseFilter
    from contactctl.operations.responses import HeldResult

Domain = Annotated[str | None, option("--domain", "DOMAIN", "Only addresses in this domain.")]
OfRun = Annotated[
    int | None, options.number("--run", "RUN", "Only responses that this run recorded.")
]
OfIncident = Annotated[
    int | None, options.number("--incident", "INCIDENT", "Only what this incident holds or held.")
]
By = Annotated[ReportBy, option("--by", "WHAT", "One row each: domain, host, category or day.")]
Period = Annotated[str, option("--since", "PERIOD", "7d, 24h, 2w, or a date: 2024-05-31.")]
FailAbove = Annotated[
    list[str] | None,
    option(
        "--fail-above",
        "WHAT=PERCENT",
        "Exit with 4 above complaints=PERCENT or bounces=PERCENT. Repeatable.",
    ),
]
Picture = Annotated[Path | None, option("--picture", "FILE", "Draw it into this SVG file.")]


class ListInvocation(StoreInvocation):
    """Which responses to list."""

    category: Annotated[
        list[str] | None,
        option(
            "--category",
            "CATEGORY",
            "Only this category. Repeatable.",
            autocompletion=candidates.categories,
        ),
    ] = None
    email: Annotated[str | None, option("--email", "EMAIL", "Only responses for this address.")] = (
        None
    )
    domain: Domain = None
    since: Annotated[
        str | None, option("--since", "DATE", "Only responses since this date: 2024-05-31.")
    ] = None
    run: OfRun = None
    unmatched: Annotated[
        bool, flag("--unmatched", "Only responses to addresses that no contact has.")
    ] = False
    held: Annotated[bool, flag("--held", "Only responses that wait for a decision.")] = False
    unsubscribed: Annotated[
        bool, flag("--unsubscribed", "Only people who unsubscribed, or subscribed again.")
    ] = False
    incident: OfIncident = None
    not_counted: Annotated[
        bool, flag("--not-counted", "Only responses that count towards no threshold.")
    ] = False
    limit: Annotated[int, options.limit("Show at most N responses.", most=1_000_000)] = 100

    def categories(self) -> "list[Category]":
        """Those that are named; UsageError for others."""
        from contactctl.domain.responses import Category

        if self.unsubscribed and self.category:
            raise UsageError("--unsubscribed cannot be combined with --category")
        return [options.chosen(Category, name, "--category") for name in self.category or ()]

    def wanted(self, categories: "list[Category]", zone: tzinfo) -> "ResponseFilter":
        """What the options say, with times of this zone."""
        from contactctl.domain.responses import ResponseFilter

        return ResponseFilter(
            categories=categories,
            email_key=_key(self.email) if self.email else None,
            domain=_domain_key(self.domain),
            since=options.instant(self.since, zone, "--since") if self.since else None,
            run_id=self.run,
            unmatched=self.unmatched,
            held=self.held,
            unsubscribed=self.unsubscribed,
            incident=self.incident,
            not_counted=self.not_counted,
            limit=self.limit + 1,
        )


def list_(invocation: ListInvocation) -> Presentation:
    """Examples:
    contactctl responses list
    contactctl responses list --email ann@example.com
    contactctl responses list --category spam-complaint --since 2026-01-01 --json
    contactctl responses list --unmatched --limit 1000 --format csv
    contactctl responses list --held --unmatched
    contactctl responses list --unsubscribed --since 2026-01-01
    """
    invocation.check_fields(*output.responses.RESPONSE_FIELDS)
    categories = invocation.categories()
    with invocation.open_session() as session:
        wanted = invocation.wanted(categories, session.time_zone)
        found = operations.responses.latest_responses(session, wanted)
        return output.responses.present_responses(found, invocation.limit)


def report(
    invocation: StoreInvocation,
    by: By = ReportBy.DOMAIN,
    since: Period = "7d",
    fail_above: FailAbove = None,
    picture: Picture = None,
) -> Presentation:
    """Examples:
        contactctl responses report
        contactctl responses report --by day --since 30d --picture month.svg
        contactctl responses report --since 24h --fail-above complaints=0.3% --quiet

    Bounces are compared with the mails delivered and bounced, complaints with those
    delivered. With --fail-above the exit code is 4 if all together, or a row of 100
    mails or more, are over the limit. Echoes and delays are not counted.
    """
    from contactctl.domain.response_report import parse_rate_limit

    invocation.check_fields(*output.responses.REPORT_FIELDS)
    try:
        limits = [parse_rate_limit(text) for text in fail_above or ()]
    except ValueError as error:
        raise UsageError(f"--fail-above: {error}", hint="write it as complaints=0.3%") from error
    with invocation.open_session() as session:
        started = _start(since, session.now, session.time_zone)
        found = operations.responses.report_responses(session, by, started, limits)
    if picture is not None:
        svg = output.responses.picture_of(found)
        output.picture.write_picture(svg, invocation.console.cwd / picture)
    return output.responses.present_report(found)


def incidents(invocation: StoreInvocation) -> Presentation:
    """Examples:
        contactctl responses incidents
        contactctl responses incidents --json

    `responses release` lets an incident's responses count, `responses discard`
    keeps them on record without ever counting them.
    """
    invocation.check_fields(*output.responses.INCIDENT_FIELDS)
    with invocation.open_session() as session:
        return output.responses.present_incidents(operations.responses.open_incidents(session))


class HeldInvocation(ReasonedInvocation):
    """A command that decides about held responses: which ones, and why."""

    incident: OfIncident = None
    run: OfRun = None
    domain: Domain = None
    all_: Annotated[bool, flag("--all", "All held responses.")] = False

    def chosen(self) -> "HeldFilter":
        """The held responses that the options name; UsageError where that is none or unclear."""
        from contactctl.domain.responses import HeldFilter

        named = (self.incident, self.run, self.domain)
        if self.all_ == any(each is not None for each in named):
            raise UsageError(
                "say which held responses: --incident, --run, --domain or several of these, or"
                " --all",
                hint="`contactctl responses incidents` lists them",
            )
        return HeldFilter(self.run, _domain_key(self.domain), self.incident)


def release(invocation: HeldInvocation) -> Presentation:
    """Examples:
        contactctl responses release --incident 3
        contactctl responses release --domain example.com --reason 'really gone'
        contactctl responses release --all --json

    When more responses of one category come from one domain, one receiving host or
    for one reason than is usual, they are held (incident_guard in the config).
    """
    return _decide(invocation, operations.responses.release, "Released")


def discard(invocation: HeldInvocation) -> Presentation:
    """Examples:
    contactctl responses discard --incident 3 --reason 'an outage'
    contactctl responses discard --domain example.com
    """
    return _decide(invocation, operations.responses.discard, "Discarded")


def _decide(
    invocation: HeldInvocation, decide: "Callable[..., HeldResult]", done: str
) -> Presentation:
    held = invocation.chosen()
    with invocation.open_session() as session:
        return output.responses.present_held(decide(session, held, reason=invocation.reason), done)


def _key(email: str) -> str:
    from contactctl.domain.emails import email_key

    try:
        return email_key(email)
    except ValueError:
        return email.lower()  # kept as given where it is not an address that a contact could have


def _domain_key(domain: str | None) -> str | None:
    return None if domain is None else _key(f"x@{domain.strip().removeprefix('@')}")[2:]


def _start(text: str, now: datetime, zone: tzinfo) -> datetime:
    """When a period before now, or since a date, began."""
    from contactctl.domain.response_report import parse_period

    try:
        return now - parse_period(text)
    except (ValueError, OverflowError):
        return options.instant(text, zone, "--since")
