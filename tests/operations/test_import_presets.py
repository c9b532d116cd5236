"""Exports of other programs, as their makers document them, read by the presets."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from contactctl.domain.errors import ContactctlError
from contactctl.operations.importing.presets import find_preset, preset_names, preset_text
from contactctl.store import tables
from contactctl.store.database.store import Store, open_store
from helpers.imports import contacts_in, import_text


@dataclass(frozen=True)
class Export:
    """A file of a program, and what must come of it: why somebody is inactive, and some values."""

    preset: str
    content: str
    inactive: dict[str, set[str]]
    values: dict[str, Any] = field(default_factory=dict)
    active: tuple[str, ...] = ()


EXPORTS = [
    Export(
        "mailchimp",
        '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,OPTIN_IP,CONFIRM_TIME,'
        "CONFIRM_IP,LATITUDE,LONGITUDE,GMTOFF,DSTOFF,TIMEZONE,CC,REGION,LAST_CHANGED,LEID,EUID,NOTES,"
        'TAGS\na@x.no,Åse,Berg,3,"2019-03-01 10:00:00",,"2019-03-01 10:00:00",192.0.2.1,,,,,,,,'
        '"2024-01-01 08:00:00",1,a1,,"""vip"",""oslo, north"""\n',
        {},
        {"first_name": "Åse", "tags": {"vip", "oslo, north"}, "created": "2019-03-01 10:00:00"},
        ("a@x.no",),
    ),
    Export(
        "mailchimp",
        '"Email Address","First Name",OPTIN_TIME,UNSUB_TIME,UNSUB_CAMPAIGN_TITLE,UNSUB_REASON,LEID,'
        'EUID,TAGS\na@x.no,A,"2019-03-01 10:00:00","2021-05-02 09:30:00",Spring,,1,a1,\n'
        'b@x.no,B,"2019-03-01 10:00:00","2021-05-02 09:30:00",Spring,SPAM,2,a2,\n',
        {"a@x.no": {""}, "b@x.no": {"spam-complaint"}},
    ),
    Export(
        "mailchimp",
        '"Email Address",CLEAN_TIME,CLEAN_CAMPAIGN_TITLE,CLEAN_CAMPAIGN_ID,LEID,EUID\n'
        'a@x.no,"2021-05-02 09:30:00",Spring,77,1,a1\n',
        {"a@x.no": {"invalid-address"}},
    ),
    Export(
        "hubspot",
        '"Record ID","First Name","Last Name",Email,"Phone Number","Lead Status",'
        '"Marketing contact status","Unsubscribed from all email","Email hard bounce reason",'
        '"Create Date"\n1,Ann,Berg,a@x.no,,New,Marketing contact,,,"2023-04-05 11:22"\n'
        '2,Bo,Dahl,b@x.no,,,Marketing contact,true,,"2023-04-05 11:22"\n'
        '3,Cy,Eng,c@x.no,,,Marketing contact,,UNKNOWN_USER,"2023-04-05 11:22"\n'
        '4,Di,Foss,d@x.no,(No value),,Non-marketing contact,,,"2023-04-05 11:22"\n',
        {"b@x.no": {""}, "c@x.no": {"invalid-address"}, "d@x.no": {""}},
        active=("a@x.no",),
    ),
    Export(
        "hubspot",
        '"Email Address","Portal Bounce","Portal Unsubscribe","Portal Spam Report","Global Bounce",'
        '"Marketing Information"\na@x.no,,TRUE,,,TRUE\nb@x.no,,,TRUE,,\nc@x.no,MAILBOX_FULL,,,,\n',
        {"a@x.no": {""}, "b@x.no": {"spam-complaint"}, "c@x.no": {"invalid-address"}},
    ),
    Export(
        "klaviyo",
        "Email,Klaviyo ID,First Name,Last Name,Organization,Phone Number,Email Marketing Consent,"
        "Email Marketing Consent Timestamp,Email Suppressions,SMS Marketing Consent,"
        "Profile Created On\n"
        "a@x.no,01A,Ann,,,+4722,SUBSCRIBED,2023-01-01 10:00:00,[],,2023-01-01 10:00:00+00:00\n"
        "b@x.no,01B,Bo,,,,UNSUBSCRIBED,,[],,2023-01-01 10:00:00+00:00\n"
        "c@x.no,01C,Cy,,,,NEVER_SUBSCRIBED,,,,2023-01-01 10:00:00+00:00\n"
        "d@x.no,01D,Di,,,,SUBSCRIBED,,HARD_BOUNCE,,2023-01-01 10:00:00+00:00\n"
        "e@x.no,01E,Ed,,,,SUBSCRIBED,,USER_SUPPRESSED,,2023-01-01 10:00:00+00:00\n",
        {"b@x.no": {""}, "c@x.no": {""}, "d@x.no": {"invalid-address"}, "e@x.no": {""}},
        {"phone": "+4722"},
        ("a@x.no",),
    ),
    Export(
        "listmonk",
        "uuid,email,name,attributes,status,created_at,updated_at,lists\n"
        '1,a@x.no,Ann Berg,"{""plan"": ""free"", ""city"": ""Oslo""}",enabled,'
        '2024-01-01T00:00:00Z,2024-01-01T00:00:00Z,"news"\n'
        '2,b@x.no,B,"{}",blocklisted,2024-01-01T00:00:00.123456Z,2024-01-01T00:00:00Z,"news"\n'
        '3,c@x.no,C,"{}",disabled,2024-01-01T00:00:00Z,2024-01-01T00:00:00Z,\n',
        {"b@x.no": {""}, "c@x.no": {""}},
        {"first_name": "Ann Berg"},
        ("a@x.no",),
    ),
    Export(
        "ghost",
        "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,"
        "deleted_at,labels,tiers\n"
        '1,a@x.no,Ann Berg,,true,false,,2023-02-13T10:00:00.000Z,,"vip,oslo",\n'
        "2,b@x.no,B,,false,false,,2023-02-13T10:00:00.000Z,,,\n"
        "3,c@x.no,C,,true,false,,2023-02-13T10:00:00.000Z,2024-02-13T10:00:00.000Z,,\n",
        {"b@x.no": {""}, "c@x.no": {""}},
        {"first_name": "Ann Berg", "tags": {"vip", "oslo"}},
        ("a@x.no",),
    ),
    Export(
        "phplist",
        "id,email,confirmed,blacklisted,optedin,bouncecount,entered,modified,uniqid,htmlemail\n"
        "5,a@x.no,1,0,0,0,2019-01-01 10:00:00,2019-01-01 10:00:00,u1,1\n"
        "6,b@x.no,1,1,0,3,2019-01-01 10:00:00,2019-01-01 10:00:00,u2,1\n"
        "7,c@x.no,0,0,0,0,0000-00-00 00:00:00,2019-01-01 10:00:00,u3,1\n",
        {"b@x.no": {""}, "c@x.no": {""}},
        active=("a@x.no",),
    ),
    Export(
        "mautic",
        "points,title,firstname,lastname,email,phone,company,tags,date_identified\n"
        '0,,Ann,Berg,a@x.no,,Acme,"vip, oslo","2023-04-05 11:22:33"\n',
        {},
        {"company": "Acme", "tags": {"vip", "oslo"}},
        ("a@x.no",),
    ),
    Export(
        "mautic",
        'Email,"First Name","DNC reason","DNC channel"\na@x.no,A,1,email\nb@x.no,B,2,email\n',
        {"a@x.no": {""}, "b@x.no": {"invalid-address"}},
    ),
    Export(
        "google",
        "First Name,Middle Name,Last Name,Organization Name,Birthday,Labels,E-mail 1 - Label,"
        "E-mail 1 - Value,E-mail 2 - Label,E-mail 2 - Value,Phone 1 - Label,Phone 1 - Value\n"
        "Ann,,Berg,Acme,,* myContacts ::: Customers,* Home,a@x.no,Work,z@x.no,Mobile,+47 22\n",
        {},
        {"company": "Acme", "phone": "+47 22", "tags": {"* myContacts", "Customers"}},
        ("a@x.no",),
    ),
    Export(
        "google",
        "Name,Given Name,Family Name,Group Membership,E-mail 1 - Type,E-mail 1 - Value\n"
        "Ann Berg,Ann,Berg,* myContacts ::: Friends,*,a@x.no\n",
        {},
        {"last_name": "Berg", "tags": {"* myContacts", "Friends"}},
        ("a@x.no",),
    ),
    Export(
        "outlook",
        "Title,First Name,Middle Name,Last Name,Suffix,Company,Business Phone,Mobile Phone,"
        "Birthday,Categories,E-mail Address,E-mail Type,E-mail 2 Address,Notes,Priority,Private\n"
        ',Ann,,Berg,,Acme,,+47 90,0/0/00,"Customer, VIP",a@x.no,SMTP,,,Normal,False\n',
        {},
        {"company": "Acme", "tags": {"Customer", "VIP"}},
        ("a@x.no",),
    ),
    Export(
        "brevo",
        "CONTACT ID,EMAIL,FIRSTNAME,LASTNAME,SMS,EMAIL_BLACKLISTED,SMS_BLACKLISTED,ADDED_TIME\n"
        "1,a@x.no,Ann,Berg,4722,0,0,05-04-2023 11:22:33\n2,b@x.no,Bo,,,1,0,05-04-2023 11:22:33\n",
        {"b@x.no": {""}},
        {"first_name": "Ann", "phone": "4722"},
        ("a@x.no",),
    ),
    Export(
        "activecampaign",
        'Email,"First Name","Last Name",Phone,Tags,Status,Score,"Date Created"\n'
        'a@x.no,Ann,,,"vip,oslo",Active,3,"2023-04-05 11:22:33"\n'
        "b@x.no,Bo,,,,Unsubscribed,0,2023-04-05 11:22:33\n"
        "c@x.no,Cy,,,,Bounced,0,2023-04-05 11:22:33\n",
        {"b@x.no": {""}, "c@x.no": {"invalid-address"}},
        {"tags": {"vip", "oslo"}},
        ("a@x.no",),
    ),
    Export(
        "mailerlite",
        "Subscriber,Name,Last name,Groups,Status,Subscribed,Opted-In\n"
        'a@x.no,Ann,Berg,"News, Offers",active,2023-04-05 11:22:33,\n'
        "b@x.no,Bo,,,unsubscribed,2023-04-05 11:22:33,\nc@x.no,Cy,,,junk,2023-04-05 11:22:33,\n"
        "d@x.no,Di,,,unconfirmed,2023-04-05 11:22:33,\ne@x.no,Ed,,,bounced,2023-04-05 11:22:33,\n",
        {
            "b@x.no": {""},
            "c@x.no": {"spam-complaint"},
            "d@x.no": {""},
            "e@x.no": {"invalid-address"},
        },
        {"groups": {"News": "follows", "Offers": "follows"}},
        ("a@x.no",),
    ),
    Export(
        "constant-contact",
        "Email address,First name,Last name,Company,Phone - work,Email status,"
        "Email permission status,Email Lists,Tags,Created At\n"
        'a@x.no,Ann,Berg,Acme,,Active,Express,"General, News",vip,2023-04-05 11:22:33 -0400\n'
        "b@x.no,Bo,,,,Unsubscribed,Unsubscribed,,,2023-04-05 11:22:33 -0400\n"
        "c@x.no,Cy,,,,Active,No permissions set,,,2023-04-05 11:22:33 -0400\n",
        {"b@x.no": {""}, "c@x.no": {""}},
        {"created": "2023-04-05 15:22:33", "company": "Acme"},
        ("a@x.no",),
    ),
    Export(
        "sendgrid",
        "EMAIL,FIRST_NAME,LAST_NAME,CITY,CREATED_AT,UPDATED_AT,CONTACT_ID\n"
        "a@x.no,Ann,Berg,Oslo,2023-04-05T11:22:33Z,2023-04-05T11:22:33Z,id1\n",
        {},
        {"created": "2023-04-05 11:22:33"},
        ("a@x.no",),
    ),
    Export(
        "campaign-monitor",
        "Email Address,Name,Date Subscribed,State\n"
        "a@x.no,Ann Berg,05 Apr 2023 11:22:33,Active\nb@x.no,Bo,05 Apr 2023,Unsubscribed\n"
        "c@x.no,Cy,05 Apr 2023,Bounced\n",
        {"b@x.no": {""}, "c@x.no": {"invalid-address"}},
        active=("a@x.no",),
    ),
]


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Store]:
    """How a file is read does not depend on the database."""
    with closing(open_store(sqlite_url)) as store:
        yield store


def reasons_in(store: Store) -> dict[str, set[str]]:
    """By address, why contacts are inactive system-wide."""
    statement = select(tables.contact.c.email_key, tables.deactivation).join(
        tables.deactivation, tables.deactivation.c.contact_id == tables.contact.c.id
    )
    found: dict[str, set[str]] = {}
    with store.reading() as connection:
        for row in connection.execute(statement):
            assert (row.origin, row.group_id, row.ended_at) == ("import", 0, None)
            found.setdefault(row.email_key, set()).add(row.category)
    return found


@pytest.mark.parametrize("export", EXPORTS, ids=[each.preset for each in EXPORTS])
def test_an_export_comes_in_with_what_it_says(sqlite_store: Store, export: Export) -> None:
    imported = import_text(sqlite_store, export.content, preset=find_preset(export.preset, Path()))
    assert list(imported.rejects) == []
    assert reasons_in(sqlite_store) == export.inactive
    contacts = contacts_in(sqlite_store)
    assert set(contacts) == {*export.inactive, *export.active}
    for address, contact in contacts.items():
        expected = "inactive" if address in export.inactive else "active"
        assert contact["status"] == expected
    for name, value in export.values.items():
        found = contacts["a@x.no"][name]
        assert (str(found)[:19] if name == "created" else found) == value


@pytest.mark.parametrize("export", EXPORTS, ids=[each.preset for each in EXPORTS])
def test_without_its_preset_nobody_comes_in_active_who_must_not(
    sqlite_store: Store, export: Export
) -> None:
    renames = {}
    for name, target in find_preset(export.preset, Path()).columns.items():
        if target == "email" and name in export.content.partition("\n")[0].replace('"', ""):
            renames = {name: "email"}
            break
    try:
        import_text(sqlite_store, export.content, renames=renames, ignore_unknown=True)
    except ContactctlError as error:
        assert "consent or status" in error.message or "no column" in error.message
        assert contacts_in(sqlite_store) == {}
    else:
        assert not export.inactive


def test_every_preset_is_read_and_tried() -> None:
    assert {each.preset for each in EXPORTS} == set(preset_names())
    for name in preset_names():
        assert find_preset(name.upper(), Path()).about


def test_a_copy_of_a_preset_is_read_from_its_file(sqlite_store: Store, tmp_path: Path) -> None:
    text = preset_text("phplist").replace("email: email", "adresse: email")
    (tmp_path / "ours.yaml").write_text(text)
    preset = find_preset("ours.yaml", tmp_path)
    import_text(sqlite_store, "adresse,blacklisted\na@x.no,1\n", preset=preset)
    assert reasons_in(sqlite_store) == {"a@x.no": {""}}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("columns: {a: b, a: c}", "already on line"),
        ("colums: {a: email}", "unknown key 'colums'"),
        ("inactive: [{when: a=b, reason: spam}]", "'spam' is not a response category"),
        ("inactive: [{wen: a=b}]", "unknown key 'wen'"),
        ("inactive: [a=]", "no value after ="),
        ("date_formats: [dd.mm.yyyy]", "no % code"),
        ("separators: {company: ','}", "separators are written"),
        ("", "an empty preset"),
        ("columns: [email]", "expected a mapping"),
    ],
)
def test_a_mistake_in_a_preset_is_told_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "ours.yaml").write_text(text)
    with pytest.raises(ContactctlError, match=r"ours\.yaml:1: ") as caught:
        find_preset("ours.yaml", tmp_path)
    assert words in caught.value.message
