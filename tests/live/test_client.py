# SPDX-License-Identifier: Apache-2.0
"""The client of the live suite against the stand-in: jobs, pages, messages, events, and what each refusal says."""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from urllib.error import URLError

import pytest

from tests.live import client
from tests.live.client import Splunk, as_search, explain, patience
from tests.live.fake import Instance, Job, serve
from tests.live.ready import make_ready
from tests.live.settings import LiveSettings, Refusal
from tools.places import ROOT


@pytest.fixture
def instance(app):
    return Instance(app)


@pytest.fixture
def connect(instance):
    """Make a client of the instance that never waits; keywords change its settings."""
    with serve(instance) as url:
        settings = LiveSettings(url, instance.token, instance.index, url, None, None, False, False)
        yield lambda **changed: Splunk(settings._replace(**changed), pause=lambda seconds: None)


@pytest.fixture
def splunk(connect):
    return connect()


def event(number, index="flowlag_test"):
    fields = {"time": f"{1700000000 + number}", "index": index, "source": "s", "sourcetype": "t", "host": "h"}
    return {**fields, "event": {"n": str(number)}}


# -- jobs


def test_job_is_created_watched_read_and_deleted(splunk, instance):
    outcome = splunk.search('| makeresults | eval a="b" | table a')
    assert (outcome.fields, outcome.rows, outcome.failed) == (["a"], [{"a": "b"}], False)
    assert outcome.properties["dispatchState"] == "DONE" and instance.jobs == {}
    methods = [(method, path.rsplit("/", 1)[-1]) for method, path in instance.requests]
    assert methods[0] == ("POST", "jobs") and methods[-2:] == [("GET", "results"), ("DELETE", methods[-1][1])]


def test_job_is_polled_until_it_is_done(splunk, instance):
    instance.jobs["1.5"] = Job("x", [], [], [], looks=4)
    assert splunk.wait("1.5")["isDone"]
    assert len(instance.requests) == 4


def test_job_that_is_never_done_is_given_up(splunk, instance):
    instance.jobs["1.5"] = Job("x", [], [], [], looks=10**6)
    with pytest.raises(Refusal, match=r"search job 1\.5 at http://127.* was not done after 300 s: look at it"):
        splunk.wait("1.5")


def test_job_that_is_gone_has_failed(splunk):
    assert splunk.wait("1.404")["isFailed"]


@pytest.mark.parametrize("rows", [0, 1, 9, 10, 11, 20, 25])
def test_results_come_in_pages(splunk, instance, monkeypatch, rows):
    """Every row once and in order, whether or not the last page is full."""
    monkeypatch.setattr(client, "PAGE", 10)
    instance.jobs["1.5"] = Job("x", [{"n": str(n)} for n in range(rows)], ["n"], [], looks=0)
    pages = list(splunk.pages("1.5"))
    assert [row["n"] for page in pages for row in page.body["results"]] == [str(n) for n in range(rows)]
    assert len(pages) == rows // 10 + 1


def test_results_of_a_job_that_runs_are_no_rows(splunk, instance):
    """HTTP 204: there is nothing yet."""
    instance.jobs["1.5"] = Job("x", [{"n": "1"}], ["n"], [], looks=3)
    assert list(splunk.pages("1.5")) == [] and splunk.preview("1.5") == ([], True)
    splunk.wait("1.5")
    assert splunk.preview("1.5") == ([{"n": "1"}], False)


def test_messages_are_read_by_level(splunk, instance):
    instance.jobs["1.5"] = Job("x", [], [], [("WARN", "one"), ("ERROR", "two"), ("INFO", "three")], looks=0)
    outcome = splunk._outcome("1.5", splunk.wait("1.5"))
    assert outcome.said("WARN") == ["one"] and outcome.said("ERROR", "FATAL") == ["two"]


@pytest.mark.parametrize("mode", ["search", "oneshot"])
def test_search_that_fails_is_an_outcome(splunk, mode):
    outcome = getattr(splunk, mode)("| nonsense")
    assert outcome.failed and outcome.rows == []
    assert outcome.said("FATAL") == ["Unknown search command 'nonsense'."]


def test_refused_at_creation_is_an_outcome(splunk, monkeypatch):
    """splunkd may refuse a search with HTTP 400 before there is a job."""
    monkeypatch.setattr(
        splunk, "post", lambda path, **form: client.Answer(400, {"messages": [{"type": "FATAL", "text": "x"}]})
    )
    assert splunk.search("| x").messages == [("FATAL", "x")]


@pytest.mark.parametrize(
    ("text", "sent"), [("index=a", "search index=a"), (" | makeresults", "| makeresults"), ("search a", "search a")]
)
def test_search_gets_its_command(text, sent):
    assert as_search(text) == sent


def test_waiting_grows_and_ends():
    steps = list(patience())
    assert steps == sorted(steps) and steps[0] == 0.1 and steps[-1] == 2.0
    assert client.PATIENCE_S <= sum(steps) < client.PATIENCE_S + 2


@pytest.mark.parametrize(("token", "scheme"), [("a.b.c", "Bearer"), ("192fd3e46a31246da7ea7f109e7f95fd", "Splunk")])
def test_token_is_sent_under_its_scheme(connect, token, scheme):
    assert connect(token=token)._headers() == {"Authorization": f"{scheme} {token}"}


# -- events


@pytest.mark.parametrize(("count", "batches"), [(1, [1]), (500, [500]), (1001, [500, 500, 1])])
def test_events_go_in_batches(splunk, instance, count, batches):
    splunk.send([event(number) for number in range(count)], instance.hec_token)
    assert instance.batches == batches
    assert [row["n"] for row in instance.events] == [str(number) for number in range(count)]


def test_events_are_waited_for(splunk, instance):
    splunk.send([event(number) for number in range(3)], instance.hec_token)
    splunk.await_events('source="s"', 3)
    with pytest.raises(Refusal, match=r"of 4 events sent to http://127.*, 3 can be searched after 300 s in the index"):
        splunk.await_events('source="s"', 4)


@pytest.mark.parametrize(
    ("token", "index", "words"),
    [
        ("wrong", "flowlag_test", "HTTP 403, code 4 .Invalid token.: give the SPLUNK_HEC_TOKEN of this instance"),
        ("hec-token", "main", "HTTP 400, code 7 .Incorrect index.: let the token write to the index flowlag_test"),
    ],
)
def test_hec_says_no(splunk, token, index, words):
    with pytest.raises(Refusal, match=words):
        splunk.send([event(1, index)], token)


# -- what an instance may lack


def test_instance_that_has_all_gives_a_token(splunk, instance):
    """The first enabled token that may write to the index; one that is given is taken as it is."""
    assert make_ready(splunk) == instance.hec_token


def test_given_token_is_taken(connect):
    assert make_ready(connect(hec_token="mine")) == "mine"


@pytest.mark.parametrize(
    ("lack", "words"),
    [
        pytest.param({"token": "other"}, r"does not accept SPLUNK_TOKEN \(HTTP 401\): make a token", id="token"),
        pytest.param(
            {"version": None},
            r"the app flowlag is not installed on the search head .*: run `make package`",
            id="no app",
        ),
        pytest.param(
            {"version": "0.0.1"}, r"is version 0\.0\.1, and this repository is .*: install the package", id="version"
        ),
        pytest.param({"disabled": True}, r"the app flowlag is disabled on .*: enable it under Apps", id="disabled"),
        pytest.param({"index": "other"}, r"there is no index flowlag_test on .*: make one for tests", id="index"),
        pytest.param(
            {"hec_token": ""}, r"SPLUNK_HEC_TOKEN is not set, and .* has no enabled HEC token", id="HEC token"
        ),
        pytest.param(
            {"forbidden": "/services/apps/local/flowlag"}, r"may not read .*/apps/local/flowlag .*HTTP 403", id="right"
        ),
    ],
)
def test_lack_is_said_in_one_sentence(splunk, instance, lack, words):
    for name, value in lack.items():
        setattr(instance, name, value)
    with pytest.raises(Refusal, match=words) as refusal:
        make_ready(splunk)
    assert "\n" not in str(refusal.value) and str(refusal.value).endswith(".")
    assert {path for method, path in instance.requests if method != "GET"} <= {
        "/servicesNS/nobody/flowlag/search/v2/jobs"
    }
    assert instance.events == []


def test_index_of_a_peer_is_enough(splunk, monkeypatch):
    """A search head that sends all events to its peers has no such index itself."""
    monkeypatch.setattr(splunk, "entry", lambda path: None)
    monkeypatch.setattr(splunk, "oneshot", lambda text: client.Outcome([], [{"index": "x", "server": "idx"}], [], {}))
    from tests.live.ready import check_index

    check_index(splunk)


def test_closed_port_is_said():
    settings = LiveSettings("http://127.0.0.1:9", "t", "i", "http://127.0.0.1:9", None, None, False, False)
    with pytest.raises(Refusal, match=r"http://127\.0\.0\.1:9/services/.*: it cannot be reached .*; check SPLUNK_URL"):
        make_ready(Splunk(settings))


def test_answer_that_is_no_json_is_said(splunk, monkeypatch):
    """Such as the page of a proxy."""
    monkeypatch.setattr(splunk, "get", lambda path, **query: client.Answer(502, client.read_json(b"<html>")))
    with pytest.raises(Refusal, match=r"answered /services/x with HTTP 502: no message; look into its splunkd\.log"):
        splunk.entry("/services/x")


def test_certificates_are_verified_unless_told_otherwise(connect):
    def context(opener):
        (handler,) = [handler for handler in opener.handlers if handler.__class__.__name__ == "HTTPSHandler"]
        return handler._context

    careful, careless = (context(connect(insecure=insecure)._opener) for insecure in (False, True))
    assert careful.verify_mode == ssl.CERT_REQUIRED and careful.check_hostname
    assert careless.verify_mode == ssl.CERT_NONE and not careless.check_hostname


def test_untrusted_certificate_is_said():
    error = ssl.SSLCertVerificationError(1, "x")
    error.verify_message = "self-signed certificate"
    said = explain(URLError(error), "https://splunk:8089/x", "SPLUNK_URL")
    assert "is not trusted (self-signed certificate): give SPLUNK_CA=<PEM file>" in said and "SPLUNK_INSECURE=1" in said


def test_stand_in_is_not_made_of_the_client():
    """The two check each other only as long as neither imports the other."""
    script = "import sys, tests.live.fake; sys.exit('tests.live.client' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={**os.environ, "PYTHONPATH": "lib"}, capture_output=True
    )
    assert done.returncode == 0, done.stderr
