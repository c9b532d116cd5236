"""Every command by name: in which module its function is, and one line of help. Imports none.

The function has the command's last word as its name, with _ behind it where Python has that word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Entry(NamedTuple):
    """`module` is below contactctl.cli; `help` stands in lists and above the command's own help."""

    module: str
    help: str


@dataclass(frozen=True, slots=True)
class Group:
    """Commands that share a first word: the line of help, and what they are used for most."""

    help: str
    examples: tuple[str, ...]


GROUPS: dict[str, Group] = {
    "db": Group(
        "Check, upgrade, back up and move the store; rights for its roles.",
        (
            "contactctl db check",
            "contactctl db backup contacts.backup",
            "contactctl db copy --to postgresql://db.example.com/marketing",
        ),
    ),
    "criteria": Group(
        "Criteria that come with the program.",
        ("contactctl criteria list", "contactctl criteria list --json"),
    ),
    "contacts": Group(
        "Import, export, list, show, add, repair and erase contacts.",
        (
            "contactctl contacts import people.csv --dry-run",
            "contactctl contacts list --where 'email_domain = example.com'",
            "contactctl contacts show ann@example.com",
            "contactctl contacts export --deliverable --group newsletter",
        ),
    ),
    "groups": Group(
        "Groups and their members.",
        (
            "contactctl groups list",
            "contactctl groups members newsletter",
            "contactctl groups remove newsletter ann@example.com",
        ),
    ),
    "tags": Group(
        "Tags of contacts.",
        (
            "contactctl tags list",
            "contactctl tags add vip ann@example.com",
            "contactctl tags remove cold --where 'last_opened within-last 30 days'",
        ),
    ),
    "responses": Group(
        "Bounces and complaints: read, classify, record, list.",
        (
            "contactctl responses classify bounce.eml",
            "contactctl responses ingest events.jsonl",
            "contactctl responses list --email ann@example.com",
        ),
    ),
    "runs": Group(
        "Show runs; apply, resume, cancel and undo them.",
        (
            "contactctl runs list",
            "contactctl runs show 12",
            "contactctl runs apply 12",
        ),
    ),
    "suppressions": Group(
        "Suppressed addresses, which must not come back.",
        (
            "contactctl suppressions check ann@example.com",
            "contactctl suppressions list",
        ),
    ),
    "sweep": Group(
        "For cron: thresholds, handling rules, interrupted runs.",
        (
            "contactctl sweep all --dry-run",
            "contactctl sweep all --yes --log",
        ),
    ),
    "rules": Group(
        "What happens to deactivated contacts, and what is recommended.",
        (
            "contactctl rules show",
            "contactctl rules check",
            "contactctl rules what-if stricter.yaml",
        ),
    ),
    "policy": Group(
        "What the store decides for everybody: limits, approval, rules.",
        ("contactctl policy show", "contactctl policy apply policy.yaml"),
    ),
    "config": Group(
        "Show and check the configuration.",
        ("contactctl config show", "contactctl config check --config new.yaml"),
    ),
}

COMMANDS: dict[str, Entry] = {
    "init": Entry("database", "Create the store, and write a config unless there is one."),
    "demo": Entry("demo", "Create a sample store of 5,000 contacts, and try the main task on it."),
    "db check": Entry("database", "Check the store for errors."),
    "db upgrade": Entry("database", "Upgrade the store to this program's schema."),
    "db grants": Entry(
        "database", "Print the rights that viewers, operators and admins need on Postgres."
    ),
    "db copy": Entry(
        "database", "Copy the whole store into an empty database, and compare both at the end."
    ),
    "db distribute": Entry(
        "database", "Spread a Postgres store over the workers of a Citus cluster."
    ),
    "db attributes": Entry(
        "upkeep", "List the attributes that contacts have; rename or drop one that the config lost."
    ),
    "db backup": Entry(
        "database", "Write the whole store into one new file, while others work on it."
    ),
    "status": Entry(
        "database", "Show totals, billing, deactivations by month and the latest runs."
    ),
    "preview": Entry("deactivation", "Count and show the active contacts that match."),
    "build": Entry(
        "build", "Edit criteria with a live count, review the contacts, and deactivate them."
    ),
    "deactivate": Entry(
        "deactivation", "Deactivate the active contacts that match, or one, after a confirmation."
    ),
    "criteria list": Entry("config", "List the prebuilt criteria."),
    "contacts import": Entry("imports", "Add and update contacts from a CSV or JSON lines file."),
    "contacts sync": Entry(
        "imports", "Add and update contacts from another database that the config names."
    ),
    "contacts presets": Entry(
        "imports", "List the presets of an import, or print one to be copied."
    ),
    "contacts export": Entry(
        "contacts", "Print contacts as CSV or JSON lines that an import can read."
    ),
    "contacts list": Entry("contacts", "List contacts, active and inactive."),
    "contacts show": Entry("contacts", "Show one contact: its data, groups, and deactivations."),
    "contacts add": Entry("contacts", "Add one contact."),
    "contacts edit": Entry("upkeep", "Change fields of one contact."),
    "contacts readdress": Entry("upkeep", "Give one contact another email, and keep all else."),
    "contacts merge": Entry("upkeep", "Merge one contact into another, and delete it."),
    "tags list": Entry("upkeep", "List the tags with their numbers of contacts."),
    "tags add": Entry("upkeep", "Give a tag to one contact, or to those that match."),
    "tags remove": Entry("upkeep", "Take a tag from one contact, or from those that match."),
    "contacts changes": Entry(
        "runs", "Print what changed in who may be mailed, each change once and in order."
    ),
    "groups list": Entry("groups", "List the groups with their sizes."),
    "groups create": Entry("groups", "Create a group."),
    "groups add": Entry("groups", "Add one contact to a group."),
    "groups remove": Entry("groups", "Remove one contact, or those that match, from a group."),
    "groups members": Entry(
        "groups", "List the members of a group with the state of their membership."
    ),
    "groups set": Entry("groups", "Change a group's own settings; without options, show them."),
    "groups rename": Entry("groups", "Rename a group."),
    "groups delete": Entry("groups", "Delete a group that has no members."),
    "contacts anonymize": Entry("erasure", "Remove all personal data from contacts, permanently."),
    "contacts delete": Entry(
        "erasure", "Delete contacts and everything stored about them, permanently."
    ),
    "suppressions list": Entry("suppressions", "List the suppressed addresses, as hashes."),
    "suppressions check": Entry("suppressions", "Show whether an address is suppressed."),
    "suppressions import": Entry("suppressions", "Suppress a whole list of addresses."),
    "suppressions add": Entry(
        "suppressions", "Suppress an address that no contact has, or a whole domain."
    ),
    "suppressions remove": Entry(
        "suppressions", "Allow an address, or a domain, to be imported again."
    ),
    "suppressions push": Entry(
        "suppressions", "Make a provider's suppression list follow who is inactive."
    ),
    "suppressions diff": Entry(
        "suppressions", "Compare a provider's suppression list with who is inactive."
    ),
    "suppressions pull": Entry(
        "suppressions", "Record why a provider suppresses addresses, as responses."
    ),
    "suppressions rotate-key": Entry("suppressions", "Create a new key for future hashes."),
    "responses ingest": Entry(
        "ingest", "Record responses, and deactivate the contacts that reach a threshold."
    ),
    "responses classify": Entry(
        "ingest", "Show what an ingest would record, and why; no store is used."
    ),
    "responses fetch": Entry(
        "ingest", "Record the responses of a mailbox, or of a provider's API."
    ),
    "responses list": Entry("responses", "List recorded responses, newest first."),
    "responses report": Entry(
        "responses", "Show how many mails bounce and are complained of, the worst first."
    ),
    "responses incidents": Entry(
        "responses", "List the incidents whose responses wait for a decision, oldest first."
    ),
    "responses release": Entry(
        "responses", "Let held responses count, and deactivate the contacts that reach a threshold."
    ),
    "responses discard": Entry("responses", "Keep held responses on record, but never count them."),
    "responses rules": Entry(
        "ingest", "List the rules that give a response its category, in the order they are tried."
    ),
    "runs list": Entry("runs", "List the latest runs."),
    "runs show": Entry("runs", "Show one run, with its plan if it waits."),
    "runs contacts": Entry("runs", "List the contacts that a run changed, and how."),
    "runs apply": Entry("runs", "Apply a kept plan, after a preview and a confirmation."),
    "runs watch": Entry("runs", "Follow a run until it is done."),
    "runs resume": Entry("runs", "Resume an interrupted run."),
    "runs cancel": Entry("runs", "Cancel a run: delete its plan, or stop it where it is."),
    "runs undo": Entry("runs", "Undo a run."),
    "reactivate": Entry("contacts", "Reactivate one contact, after showing why it is inactive."),
    "sweep all": Entry("handling", "Do everything: runs, then thresholds, then handling rules."),
    "sweep runs": Entry(
        "handling", "Finish interrupted runs; delete plans that nobody applied in time."
    ),
    "sweep thresholds": Entry("handling", "Deactivate the contacts that have reached a threshold."),
    "sweep handling": Entry(
        "handling", "Reactivate contacts and end memberships, as handling rules say."
    ),
    "rules show": Entry(
        "handling", "Show what happens to deactivated contacts, by category and group."
    ),
    "rules check": Entry("handling", "Compare the rules with the recommended handling."),
    "rules recommend": Entry(
        "handling", "Print the recommended handling rules, ready for the config."
    ),
    "rules what-if": Entry(
        "handling",
        "Count the contacts that another config file's thresholds and rules would change now.",
    ),
    "explain": Entry(
        "contacts",
        "Show why a contact is active or inactive, what counts now, and what comes next.",
    ),
    "fields": Entry("config", "List the fields that criteria can test."),
    "policy show": Entry("policy", "Show the policy that binds everybody who works on this store."),
    "policy export": Entry("policy", "Print the policy as YAML, to be edited and applied."),
    "policy diff": Entry(
        "policy", "Show what a file would change in the policy; exit 1 if it would change anything."
    ),
    "policy apply": Entry(
        "policy", "Put the policy of a file in force, for everybody, after showing what it changes."
    ),
    "config show": Entry("config", "Show every setting, and where its value comes from."),
    "config path": Entry("config", "Show which config files are read, the strongest first."),
    "config check": Entry("config", "Check the config without using the store."),
    "completion": Entry("completion", "Print the completion script for a shell."),
}

# headings of `contactctl --help`, in the order of a day's work
SECTIONS: dict[str, tuple[str, ...]] = {
    "Start": ("init", "demo", "status"),
    "Deactivate": ("preview", "build", "deactivate", "runs"),
    "Contacts": ("contacts", "groups", "tags", "reactivate", "explain", "suppressions"),
    "Responses": ("responses", "rules", "sweep"),
    "Program": ("fields", "criteria", "config", "policy", "db", "completion"),
}


def names_below(path: str) -> list[str]:
    """Names of the commands and groups directly below a group; '' is the program itself."""
    prefix = f"{path} " if path else ""
    words = [name.removeprefix(prefix) for name in COMMANDS if name.startswith(prefix)]
    return list(dict.fromkeys(word.split(" ")[0] for word in words))


def help_of(path: str) -> str:
    """The line of help of a command or group."""
    return GROUPS[path].help if path in GROUPS else COMMANDS[path].help


def command_named_by(argv: Sequence[str]) -> str:
    """The command that argv names, as far as it is known: '' when there is none."""
    first = argv[0] if argv else ""
    if first in GROUPS and len(argv) > 1 and f"{first} {argv[1]}" in COMMANDS:
        return f"{first} {argv[1]}"
    return first if first in COMMANDS or first in GROUPS else ""
