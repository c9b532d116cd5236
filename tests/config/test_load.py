"""Which source wins, and where each value is said to come from."""

import subprocess
import sys
from pathlib import Path

import pytest

from contactctl.config.load import load_settings_file, user_config_path
from contactctl.domain.errors import ConfigError, ContactctlError, ExitCode, UsageError
from contactctl.domain.policies import Threshold
from contactctl.domain.responses import Category


def test_without_any_source_everything_has_its_default(load, tmp_path, user_folder):
    loaded = load()
    assert loaded.settings.database == f"sqlite:///{tmp_path}/data/contactctl/contacts.db"
    assert loaded.settings.suppression_key_file == user_folder / "suppression.key"
    assert loaded.settings.time_zone == "UTC"
    assert (loaded.files, loaded.warnings) == ((), ())
    assert loaded.origin("database") == "default"
    assert loaded.origin("limits.max_contacts") == "default"


def test_each_source_wins_over_the_next(load, project, user_folder):
    (user_folder / "contactctl.yaml").write_text("time_zone: Asia/Tokyo\n")
    named = project / "named.yaml"
    named.write_text("# first\ntime_zone: Europe/Oslo\n")
    variable = {"CONTACTCTL_TIME_ZONE": "America/Lima"}

    def zone_and_origin(loaded):
        return loaded.settings.time_zone, loaded.origin("time_zone")

    user_place = f"{user_config_path()}:1"
    assert zone_and_origin(load()) == ("Asia/Tokyo", user_place)
    project_loaded = load("\n\ntime_zone: Europe/Paris\n")
    assert zone_and_origin(project_loaded) == ("Europe/Paris", "contactctl.yaml:3")
    assert zone_and_origin(load(config=Path("named.yaml"))) == ("Europe/Oslo", "named.yaml:2")
    environment_loaded = load(config=named, environ=variable)
    assert zone_and_origin(environment_loaded) == ("America/Lima", "CONTACTCTL_TIME_ZONE")
    assert environment_loaded.files == (named, project / "contactctl.yaml", user_config_path())
    url = {"CONTACTCTL_DATABASE_URL": "sqlite:////srv/a.db"}
    flag_loaded = load(config=named, environ=url, database="sqlite:////srv/b.db")
    assert flag_loaded.settings.database == "sqlite:////srv/b.db"
    assert flag_loaded.origin("database") == "--database"


def test_a_flag_that_was_not_given_and_an_empty_variable_set_nothing(load):
    loaded = load(environ={"CONTACTCTL_TIME_ZONE": ""}, database=None)
    assert loaded.origin("time_zone") == "default"


def test_the_config_variable_names_a_file_and_the_flag_wins_over_it(load, project):
    (project / "a.yaml").write_text("allow_undo: true\n")
    (project / "b.yaml").write_text("allow_undo: false\n")
    environ = {"CONTACTCTL_CONFIG": "a.yaml"}
    assert load(environ=environ).origin("allow_undo") == "a.yaml:1"
    assert load(environ=environ, config=Path("b.yaml")).origin("allow_undo") == "b.yaml:1"


def test_a_file_named_twice_is_read_once(load, project):
    loaded = load("allow_undo: true\n", config=project / "contactctl.yaml")
    assert loaded.files == (project / "contactctl.yaml",)


@pytest.mark.parametrize("environ", [{}, {"CONTACTCTL_CONFIG": "gone.yaml"}])
def test_a_named_config_that_is_not_there_is_an_error(load, environ):
    with pytest.raises(ConfigError, match=r"^the config file gone\.yaml does not exist$") as error:
        load(config=None if environ else Path("gone.yaml"), environ=environ)
    assert "init" in error.value.hint


@pytest.mark.parametrize("name", ["~nobody-has-this-name/x", "a\x1b[31m.yaml", "a\0b"])
def test_a_config_of_an_impossible_name_is_an_error(load, name):
    with pytest.raises(ConfigError, match=r"^the config file's name must be") as error:
        load(config=Path(name))
    assert error.value.message.isprintable()


def test_a_config_that_is_a_folder_is_an_error(load, project):
    with pytest.raises(ConfigError, match="cannot read"):
        load(config=project)


def test_a_config_that_cannot_be_looked_at_is_an_error(load, monkeypatch):
    def refuse(path, **_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", refuse)
    with pytest.raises(ConfigError, match=r"cannot read contactctl\.yaml"):
        load()


def test_an_empty_file_is_a_config(load):
    assert load("# nothing yet\n").origins.keys() == {"database", "suppression_key_file"}


def test_a_section_is_joined_entry_by_entry_and_an_entry_taken_whole(load, user_folder):
    (user_folder / "contactctl.yaml").write_text(
        "limits: {max_contacts: 5, max_percent: 3}\n"
        "handling:\n"
        "  transient: {reactivate_after: 7 days}\n"
        "  unknown: {reactivate_after: 7 days}\n"
    )
    loaded = load("""\
        limits: {max_contacts: 9}
        handling:
          transient: {remove_from_group_after: 9 days}
        """)
    limits, handling = loaded.settings.limits, loaded.settings.responses.handling
    assert (limits.max_contacts, limits.max_percent) == (9, 3)
    assert [rule.action for rule in handling.values()].count("reactivate") == 1
    assert handling[Category.TRANSIENT].action == "remove-from-group"
    assert loaded.origin("limits.max_contacts") == "contactctl.yaml:1"
    assert loaded.origin("limits.max_percent") == f"{user_config_path()}:1"
    assert loaded.origin("handling.transient") == "contactctl.yaml:3"
    assert loaded.origin("handling.unknown") == f"{user_config_path()}:4"


def test_variables_reach_sections_through_two_underscores(load):
    environ = {
        "CONTACTCTL_LIMITS__MAX_CONTACTS": "7",
        "CONTACTCTL_LIMITS__MAX_PERCENT": "2.5",
        "CONTACTCTL_ALLOW_UNDO": "True",
        "CONTACTCTL_PLANS__EXPIRE_AFTER": "2 hours",
        "CONTACTCTL_SUPPRESSION_KEY_FILE": "keys/one",
    }
    loaded = load("limits: {max_percent: 9}\n", environ=environ)
    assert (loaded.settings.limits.max_contacts, str(loaded.settings.limits.max_percent)) == (
        7,
        "2.5",
    )
    assert loaded.settings.allow_undo is True
    assert loaded.settings.plans.expire_after.total_seconds() == 7200
    assert loaded.settings.suppression_key_file.parts[-3:] == ("project", "keys", "one")
    assert loaded.origin("limits.max_percent") == "CONTACTCTL_LIMITS__MAX_PERCENT"


def test_a_mistake_in_a_variable_names_the_variable(load):
    with pytest.raises(ConfigError) as error:
        load(environ={"CONTACTCTL_LIMITS__MAX_CONTACTS": "many"})
    assert error.value.message == (
        "CONTACTCTL_LIMITS__MAX_CONTACTS: limits.max_contacts:"
        " must be a whole number of at least 0, not 'many'"
    )


def test_a_mistake_in_a_flag_names_the_flag(load):
    with pytest.raises(
        ConfigError, match=r"^--database: database: 'mysql' is not a supported database"
    ):
        load(database="mysql://host/db")


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("CONTACTCTL_DATABASE", "; did you mean CONTACTCTL_DATABASE_URL?"),
        ("CONTACTCTL_LIMITS_MAX_CONTACTS", "; did you mean CONTACTCTL_LIMITS__MAX_CONTACTS?"),
        ("CONTACTCTL_XYZZY", ""),
    ],
)
def test_an_unknown_variable_is_warned_of(load, name, suggestion):
    warning = f"the environment variable {name} is unknown{suggestion}"
    assert load(environ={name: "1"}).warnings == (warning,)


def test_variables_that_others_read_are_not_warned_of(load):
    yaml = """\
        mailboxes:
          bounces: {url: imaps://me@host, password_env: CONTACTCTL_BOUNCES_PASSWORD}
        """
    environ = {"CONTACTCTL_NOW": "x", "CONTACTCTL_BOUNCES_PASSWORD": "x", "HOME": "x"}
    assert load(yaml, environ=environ).warnings == ()


def test_relative_paths_start_from_the_file_or_from_the_current_folder(load, project, user_folder):
    (user_folder / "contactctl.yaml").write_text("database: sqlite:///a.db\n")
    assert load().settings.database == f"sqlite:///{user_folder}/a.db"
    environ = {"CONTACTCTL_DATABASE_URL": "sqlite:///b.db"}
    assert load(environ=environ).settings.database == f"sqlite:///{project}/b.db"
    loaded = load(environ=environ, database="sqlite:///c/c.db")
    assert loaded.settings.database == f"sqlite:///{project}/c/c.db"
    assert loaded.origin("database") == "--database"


@pytest.mark.parametrize(
    "url", ["postgresql://me:s3cret@host/db", "postgresql://host/db?password=s3cret"]
)
def test_a_password_is_refused_on_the_command_line_alone(load, url):
    with pytest.raises(UsageError, match="password") as error:
        load(database=url)
    assert "s3cret" not in error.value.message + error.value.hint
    assert load(environ={"CONTACTCTL_DATABASE_URL": url}).settings.database == url
    assert load(f"database: {url}\n").settings.database == url


@pytest.mark.parametrize(
    "url", ["mysql://me:s3cret@host/db", "postgresql://me:s3cret@host", "me:s3cret@host/db"]
)
def test_an_error_about_the_database_never_shows_its_password(load, url):
    with pytest.raises(ConfigError) as error:
        load(f"database: {url}\n")
    assert "s3cret" not in error.value.message + error.value.hint


def test_a_file_loaded_on_its_own_ignores_every_other_source(load, project, monkeypatch):
    load("allow_undo: true\n")
    monkeypatch.setenv("CONTACTCTL_TIME_ZONE", "Asia/Tokyo")
    other = project / "other.yaml"
    other.write_text("thresholds: {blocked: {count: 2}}\n")
    settings = load_settings_file(other).settings
    assert settings.responses.thresholds == {Category.BLOCKED: Threshold(2)}
    assert (settings.allow_undo, settings.time_zone) == (False, "UTC")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a: [1,\nb: 2\n", "contactctl.yaml:3"),
        (b"time_zone: UTC\ntime_zone: UTC\n", "contactctl.yaml:2"),
        (b"- time_zone\n", "contactctl.yaml:1: must be a mapping"),
        (b"time_zone: \xff\n", "contactctl.yaml:1: not UTF-8"),
        (b"verp: &a x\n", "contactctl.yaml:1: anchors"),
    ],
)
def test_hostile_files_are_config_errors_with_a_place(load, project, content, message):
    (project / "contactctl.yaml").write_bytes(content)
    with pytest.raises(ContactctlError) as error:
        load()
    assert error.value.exit_code is ExitCode.USAGE
    assert error.value.message.startswith(message)


def test_text_of_a_file_is_shown_without_control_characters(load):
    with pytest.raises(ConfigError) as error:
        load('"\u202elimits": 1\n')
    assert error.value.message == r"contactctl.yaml:1: unknown key '\u202elimits'"
    with pytest.raises(ConfigError) as error:
        load('time_zone: "\\e[31mred"\n')
    assert "\x1b" not in error.value.message


def test_importing_the_loader_imports_neither_yaml_nor_what_only_some_need():
    code = "import sys, contactctl.config.load; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "contactctl.config.sections" in modules
    assert not {"yaml", "platformdirs", "zoneinfo", "pydantic", "sqlalchemy"} & set(modules)


def test_a_user_without_a_home_needs_no_default_that_is_in_it(load, monkeypatch):
    def no_home(_app: str) -> Path:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr("platformdirs.user_config_path", no_home)
    monkeypatch.setattr("platformdirs.user_data_path", no_home)
    loaded = load("database: sqlite:////srv/contacts.db\n")
    assert loaded.settings.database == "sqlite:////srv/contacts.db"
    assert loaded.settings.suppression_key_file == Path("/nonexistent/contactctl/suppression.key")
