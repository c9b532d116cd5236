"""Passwords in URLs never show."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contactctl.domain.urls import has_password, hide_password


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:s3cret@host/db", "postgresql://me:***@host/db"),
        ("postgresql://:s3cret@host/db", "postgresql://:***@host/db"),
        ("postgresql://me:s3@cr/et@host/db", "postgresql://me:***@host/db"),
        ("postgresql:///db?user=me&password=s3cret", "postgresql:///db?user=me&password=***"),
        ("postgresql:///db?sslpassword=x&a=b", "postgresql:///db?sslpassword=***&a=***"),
        ("postgresql:///db?PASSWORD=x", "postgresql:///db?PASSWORD=***"),
    ],
)
def test_a_password_is_hidden(url, shown):
    assert hide_password(url) == shown
    assert has_password(url)


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////srv/contacts.db",
        "postgresql://me@host:5432/db",
        "postgresql://host:5432/db?sslmode=require&passfile=/x",
    ],
)
def test_a_url_without_a_password_stays_as_it_is(url):
    assert hide_password(url) == url
    assert not has_password(url)


@given(st.text(min_size=1).map(lambda text: f"S3{text}CRET"))
def test_no_password_gets_through(password):
    assert "CRET" not in hide_password(f"postgresql://me:{password}@host/db")
    in_query = password.replace("&", "")
    assert "CRET" not in hide_password(f"postgresql://host/db?password={in_query}")
