# SPDX-License-Identifier: Apache-2.0
"""Owns the talk with splunkd: search jobs and configuration over REST, events over HEC. Standard library only.

Authority: Splunk Enterprise REST API Reference Manual, "Search endpoint descriptions" (search/v2/jobs and what is below
it), "Configuration endpoint descriptions", "Access endpoint descriptions"; REST API User Manual, "Connecting to splunkd"
and "Namespace"; Getting Data In, "Format events for HTTP Event Collector" and "Troubleshoot HTTP Event Collector"
(reply codes). Read in November 2026; never run against a splunkd here.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from http.client import HTTPException
from typing import Any, Callable, NamedTuple, Optional, Union
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode
from urllib.request import HTTPSHandler, OpenerDirector, ProxyHandler, Request, build_opener

from tests.live.settings import APP, LiveSettings, Refusal

Value = Union[str, list[str]]
Row = dict[str, Value]
Message = tuple[str, str]  # level and text

PAGE = 10_000  # rows of one reply; limits.conf allows 50,000
BATCH = 500  # events of one request to HEC
PATIENCE_S = 300  # for a job, and until events can be searched
OUT_OF_REACH = "it cannot be reached"


class Answer(NamedTuple):
    """What a server said: the HTTP status and the JSON of the body (empty where it is none)."""

    status: int
    body: dict[str, Any]

    @property
    def messages(self) -> list[Message]:
        """The messages in it as (level, text)."""
        return [(message.get("type", ""), message.get("text") or "") for message in self.body.get("messages", [])]


class Outcome(NamedTuple):
    """A search that ended: the fields in their order, the rows, what it said to the user, and the job's properties."""

    fields: list[str]
    rows: list[Row]
    messages: list[Message]
    properties: dict[str, Any]
    failed: bool = False

    def said(self, *levels: str) -> list[str]:
        """The texts of the messages of these levels."""
        return [text for level, text in self.messages if level in levels]


class Preview(NamedTuple):
    """A look at the results of a job, and whether splunkd calls them a preview."""

    rows: list[Row]
    is_preview: bool


class Splunk:
    """One Splunk instance. `pause` waits for some seconds; tests hand in one that does not."""

    def __init__(self, settings: LiveSettings, pause: Callable[[float], object] = time.sleep) -> None:
        self.settings = settings
        self._pause = pause
        self._opener = build_http(settings)
        # a JSON web token has three parts; anything else is a session key
        self._authorization = f"{'Bearer' if settings.token.count('.') == 2 else 'Splunk'} {settings.token}"

    # -- HTTP

    def get(self, path: str, **parameters: Any) -> Answer:
        """Ask splunkd for an endpoint below its address."""
        query = urlencode({"output_mode": "json", **parameters})
        return self._send(Request(f"{self.settings.url}{path}?{query}", headers=self._headers()))

    def post(self, path: str, **form: Any) -> Answer:
        """Send a form to an endpoint of splunkd."""
        body = urlencode({"output_mode": "json", **form}).encode()
        return self._send(Request(f"{self.settings.url}{path}", data=body, headers=self._headers()))

    def delete(self, path: str) -> Answer:
        """Delete what is at an endpoint of splunkd."""
        return self._send(Request(f"{self.settings.url}{path}", headers=self._headers(), method="DELETE"))

    def _headers(self) -> dict[str, str]:
        return {"Authorization": self._authorization}

    def _send(self, request: Request, variable: str = "SPLUNK_URL") -> Answer:
        """The answer, also that of an HTTP error; a Refusal when there is none, or when splunkd does not know the token."""
        try:
            with self._opener.open(request, timeout=PATIENCE_S) as reply:
                answer = Answer(reply.status, read_json(reply.read()))
        except HTTPError as error:
            with error:
                answer = Answer(error.code, read_json(error.read()))
        except (URLError, HTTPException, OSError) as error:
            raise Refusal(explain(error, request.full_url, variable)) from error
        if answer.status == 401 and variable == "SPLUNK_URL":
            raise Refusal(
                f"splunkd at {self.settings.url} does not accept SPLUNK_TOKEN (HTTP 401): make a token in Settings > Tokens, "
                "or log in again for a new session key."
            )
        return answer

    # -- configuration

    def entry(self, path: str) -> Optional[dict[str, Any]]:
        """The content of the one entry at an endpoint, None where there is none (HTTP 404)."""
        answer = self.get(path)
        if answer.status == 404:
            return None
        self._expect(answer, path)
        entries = answer.body.get("entry", [])
        return entries[0]["content"] if entries else None

    def entries(self, path: str) -> dict[str, dict[str, Any]]:
        """Name -> content of every entry at an endpoint."""
        answer = self.get(path, count=0)
        self._expect(answer, path)
        return {entry["name"]: entry["content"] for entry in answer.body.get("entry", [])}

    def stanza(self, conf: str, name: str) -> Optional[dict[str, Any]]:
        """A stanza of a conf file as splunkd has merged it in the context of the app, None where there is none."""
        return self.entry(f"/servicesNS/nobody/{APP}/configs/conf-{conf}/{quote(name, safe='')}")

    def _expect(self, answer: Answer, path: str) -> None:
        if answer.status == 403:
            raise Refusal(
                f"the user of SPLUNK_TOKEN may not read {path} of splunkd at {self.settings.url} (HTTP 403): take one "
                "with the role admin or sc_admin."
            )
        if answer.status not in (200, 201):
            raise Refusal(
                f"splunkd at {self.settings.url} answered {path} with HTTP {answer.status}: "
                f"{'; '.join(text for _, text in answer.messages) or 'no message'}; look into its splunkd.log."
            )

    # -- searches

    def search(self, text: str, app: str = APP, **options: Any) -> Outcome:
        """Run a search to its end as a normal job and read all its results; a search that fails is an outcome too."""
        sid, refused = self.dispatch(text, app, **options)
        if refused is not None:
            return refused
        properties = self.wait(sid)
        try:
            return self._outcome(sid, properties)
        finally:
            self.delete(job_path(sid))

    def dispatch(self, text: str, app: str = APP, **options: Any) -> tuple[str, Optional[Outcome]]:
        """Start a job: its sid, or the outcome of a search that splunkd does not even start."""
        form = {"search": as_search(text), "earliest_time": 0, "latest_time": "now", **options}
        answer = self.post(f"/servicesNS/nobody/{quote(app)}/search/v2/jobs", **form)
        if answer.status == 400:
            return "", Outcome([], [], answer.messages, {}, failed=True)
        self._expect(answer, "search/v2/jobs")
        return str(answer.body["sid"]), None

    def oneshot(self, text: str, app: str = APP, **options: Any) -> Outcome:
        """Run a search whose results come back in the same reply, at most PAGE of them."""
        form = {"search": as_search(text), "exec_mode": "oneshot", "count": PAGE, "earliest_time": 0, **options}
        answer = self.post(f"/servicesNS/nobody/{quote(app)}/search/v2/jobs", **form)
        if answer.status == 400:
            return Outcome([], [], answer.messages, {}, failed=True)
        self._expect(answer, "search/v2/jobs")
        return Outcome(field_names(answer), answer.body.get("results", []), answer.messages, {})

    def wait(self, sid: str) -> dict[str, Any]:
        """The properties of a job once it is done or has failed; a Refusal after PATIENCE_S seconds."""
        for seconds in patience():
            properties = self.properties(sid)
            if properties.get("isDone") or properties.get("isFailed"):
                return properties
            self._pause(seconds)
        raise Refusal(
            f"search job {sid} at {self.settings.url} was not done after {PATIENCE_S} s: look at it under "
            "Activity > Jobs, and run the suite when the instance is less busy."
        )

    def properties(self, sid: str) -> dict[str, Any]:
        """The properties of a job: isDone, isFailed, resultCount, messages, performance, remoteSearch and others."""
        return self.entry(job_path(sid)) or {"isFailed": True, "messages": [{"type": "FATAL", "text": "no such job"}]}

    def preview(self, sid: str) -> Preview:
        """What the results of a job look like by now; no rows while there are none (HTTP 204)."""
        answer = self.get(f"{job_path(sid)}/results_preview", count=PAGE)
        if answer.status == 204:
            return Preview([], True)
        self._expect(answer, "results_preview")
        return Preview(answer.body.get("results", []), bool(answer.body.get("preview", False)))

    def pages(self, sid: str) -> Iterator[Answer]:
        """The results of a job, page by page, until one is not full."""
        offset, rows = 0, PAGE
        while rows == PAGE:
            answer = self.get(f"{job_path(sid)}/results", count=PAGE, offset=offset)
            if answer.status == 204:
                return
            self._expect(answer, "results")
            yield answer
            rows = len(answer.body.get("results", []))
            offset += rows

    def _outcome(self, sid: str, properties: dict[str, Any]) -> Outcome:
        messages = Answer(200, properties).messages
        if properties.get("isFailed"):
            return Outcome([], [], messages, properties, failed=True)
        pages = list(self.pages(sid))
        names = dict.fromkeys(name for page in pages for name in field_names(page))
        rows = [row for page in pages for row in page.body.get("results", [])]
        return Outcome(list(names), rows, messages, properties)

    # -- events

    def send(self, events: Sequence[Mapping[str, Any]], token: str) -> None:
        """Hand events to HEC in batches of objects one behind the other; a Refusal says what HEC did not like."""
        for start in range(0, len(events), BATCH):
            body = "\n".join(json.dumps(event) for event in events[start : start + BATCH]).encode()
            request = Request(
                f"{self.settings.hec_url}/services/collector/event",
                data=body,
                headers={"Authorization": f"Splunk {token}", "Content-Type": "application/json"},
            )
            answer = self._send(request, "SPLUNK_HEC_URL")
            if answer.status != 200 or answer.body.get("code") != 0:
                raise Refusal(explain_hec(answer, self.settings))

    def await_events(self, base: str, count: int) -> None:
        """Return when a base search finds this many events; a Refusal after PATIENCE_S seconds."""
        found = "0"
        for seconds in patience():
            rows = self.oneshot(f"search {base} | stats count").rows
            found = str(rows[0]["count"]) if rows else "0"
            if int(found) >= count:
                return
            self._pause(seconds)
        raise Refusal(
            f"of {count} events sent to {self.settings.hec_url}, {found} can be searched after {PATIENCE_S} s in the index "
            f"{self.settings.index}: let the user of SPLUNK_TOKEN search it, and see that the search head has the indexer "
            "of SPLUNK_HEC_URL as a peer."
        )


def build_http(settings: LiveSettings) -> OpenerDirector:
    """What opens addresses: no proxy, and certificates are verified unless SPLUNK_INSECURE=1 says otherwise."""
    context = ssl.create_default_context(cafile=settings.ca)
    if settings.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return build_opener(ProxyHandler({}), HTTPSHandler(context=context))


def read_json(body: bytes) -> dict[str, Any]:
    """The JSON object of a body, empty where it is none."""
    try:
        parsed = json.loads(body)
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


def explain(error: Exception, url: str, variable: str) -> str:
    """The sentence about an address that gave no answer."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, ssl.SSLCertVerificationError):
        return (
            f"the certificate at {url} is not trusted ({reason.verify_message}): give SPLUNK_CA=<PEM file> of its "
            "authority, or SPLUNK_INSECURE=1 on a test instance."
        )
    return f"{url}: {OUT_OF_REACH} ({reason}); check {variable}, and that its port is open from here."


#: Reply codes of HEC ("Troubleshoot HTTP Event Collector") -> what to do.
HEC_CODES = {
    1: "enable the token",
    2: "give SPLUNK_HEC_TOKEN",
    3: "give SPLUNK_HEC_TOKEN as it is shown, without the word Splunk",
    4: "give the SPLUNK_HEC_TOKEN of this instance",
    7: "let the token write to the index {index}, and see that the index exists where HEC is",
    9: "wait until the instance is less busy",
    10: "take a token without indexer acknowledgment",
}


def explain_hec(answer: Answer, settings: LiveSettings) -> str:
    """The sentence about events that HEC did not take."""
    code = answer.body.get("code")
    advice = HEC_CODES.get(code, "look into the splunkd.log of that instance").format(index=settings.index)  # type: ignore[arg-type]
    return (
        f"HEC at {settings.hec_url} answered HTTP {answer.status}, code {code} "
        f"({answer.body.get('text', 'no text')}): {advice}."
    )


def as_search(text: str) -> str:
    """A search as the REST API wants it: a generating command as it is, anything else behind `search`."""
    text = text.strip()
    return text if text.startswith(("|", "search ")) else f"search {text}"


def job_path(sid: str) -> str:
    """The endpoint of a job."""
    return f"/services/search/v2/jobs/{quote(sid, safe='')}"


def field_names(answer: Answer) -> list[str]:
    """The columns of a page of results in their order."""
    return [field["name"] if isinstance(field, dict) else field for field in answer.body.get("fields", [])]


def patience() -> Iterable[float]:
    """Seconds to wait between two looks, from a tenth to two, PATIENCE_S in all."""
    waited, step = 0.0, 0.1
    while waited < PATIENCE_S:
        yield step
        waited, step = waited + step, min(step * 1.5, 2.0)
