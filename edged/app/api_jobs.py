"""What the API does with requests: takes them on, with their webhooks, and finds their jobs again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from msgspec import Raw

from edged.api.access import Caller
from edged.api.answers import DetectJob, WebhookAnswer
from edged.api.problem import Code, Problem, not_found
from edged.api.requests import DetectRequest, RecognizeRequest, Search, WebhookRegister
from edged.app.api_stores import ApiStores, stored
from edged.domain.hook import Hook, HookLimitError
from edged.domain.job import Job
from edged.domain.moment import Clock
from edged.pipeline.request_clerk import RequestClerk
from edged.store.api_store import ApiStore
from edged.store.outbox import Outbox


class ApiHooks:
    """The webhooks of clients and of requests. Any thread may call anything.

    Args:
        outbox: keeps them, and what waits for them.
        check_url: raises Problem (403) for an address that may not be reached.
        new_id: a random UUID.
        new_secret: a signing secret, `whsec_…`.
        clock: tells the time.
    """

    def __init__(
        self,
        outbox: Outbox,
        check_url: Callable[[str, str], None],
        new_id: Callable[[], str],
        new_secret: Callable[[], str],
        clock: Clock,
    ) -> None:
        self._outbox = outbox
        self._check_url = check_url
        self._new_id = new_id
        self._new_secret = new_secret
        self._clock = clock

    def of_request(self, url: str, client_id: str | None) -> str:
        """The sink of an address that a request wants to be told at; raises Problem."""
        self._check_url(url, "webhookUrl")
        return self._added(self._hook(url, None, client_id, (), is_registered=False)).sink_id

    def release(self, sink_id: str) -> None:
        """The request that `of_request` was asked for came to nothing."""
        with stored():
            self._outbox.release_hook(sink_id.removeprefix("hook:"))

    @contextmanager
    def told_at(self, url: str | None, client_id: str) -> Iterator[tuple[str, ...]]:
        """The sinks of a request that is taken on in the body; let go of where the body raises."""
        sinks = () if url is None else (self.of_request(url, client_id),)
        try:
            yield sinks
        except BaseException:
            for sink in sinks:
                # Why the request came to nothing matters more; the next start counts hooks anew.
                with suppress(Problem):
                    self.release(sink)
            raise

    def register(self, caller: Caller, request: WebhookRegister) -> WebhookAnswer:
        """Have every job of the caller's namespaces told at an address too."""
        self._check_url(request.url, "url")
        secret = request.secret_key or self._new_secret()
        namespaces = tuple(sorted(caller.namespaces))
        hook = self._added(self._hook(request.url, secret, caller.client_id, namespaces, is_registered=True))
        return _webhook(hook, caller, secret)

    def all_of(self, caller: Caller) -> list[WebhookAnswer]:
        """The caller's webhooks, without their secrets."""
        with stored():
            return [_webhook(hook, caller, None) for hook in self._outbox.hooks(caller.client_id)]

    def remove(self, caller: Caller, hook_id: str) -> None:
        """Tell that address nothing more."""
        with stored():
            if all(hook.id != hook_id for hook in self._outbox.hooks(caller.client_id)):
                raise not_found("webhook", hook_id)
            self._outbox.remove_hook(hook_id)

    def _hook(
        self,
        url: str,
        secret: str | None,
        client_id: str | None,
        namespaces: tuple[str, ...],
        *,
        is_registered: bool,
    ) -> Hook:
        return Hook(
            id=self._new_id(),
            url=url,
            secret=secret,
            client_id=client_id,
            namespaces=namespaces,
            created_ms=self._clock.moment().utc_ms,
            is_registered=is_registered,
        )

    def _added(self, hook: Hook) -> Hook:
        with stored():
            try:
                return self._outbox.add_hook(hook)
            except HookLimitError as error:
                raise Problem(Code.TOO_MANY, str(error), retry_after_s=60) from error


class ApiJobs:
    """Recognise and detect jobs. Any thread may call anything; every method raises `Problem`."""

    def __init__(self, clerk: RequestClerk, hooks: ApiHooks, stores: ApiStores, own: ApiStore) -> None:
        self._clerk = clerk
        self._hooks = hooks
        self._stores = stores
        self._own = own

    def recognize(self, caller: Caller, namespace: str, request: RecognizeRequest) -> Job:
        """Take a request on; the job as it begins."""
        with self._hooks.told_at(request.webhook_url, caller.client_id) as sinks:
            return self._clerk.recognize(namespace, request, client_id=caller.client_id, recipients=sinks)

    def recognize_job(self, namespace: str, job_id: str) -> Raw:
        """A job, of a request or of a camera, as it was told last."""
        with self._stores.of(namespace) as store:
            body = store.job(job_id)
        if body is None:
            raise not_found("job", job_id)
        return Raw(body)

    def recognize_jobs(self, namespace: str, search: Search) -> list[Raw]:
        """Jobs."""
        with self._stores.of(namespace) as store:
            return list(map(Raw, store.jobs(search)))

    def detect(self, caller: Caller, request: DetectRequest) -> DetectJob:
        """Take a request on."""
        with self._hooks.told_at(request.webhook_url, caller.client_id) as sinks:
            return self._clerk.detect(caller.client_id, request, recipients=sinks)

    def detect_job(self, caller: Caller, job_id: str) -> Raw:
        """A detect job of the caller's."""
        with stored():
            body = self._own.detect_job(caller.client_id, job_id)
        if body is None:
            raise not_found("job", job_id)
        return Raw(body)

    def detect_jobs(
        self,
        caller: Caller,
        custom_id: str | None,
        feed_id: str | None,
        before_ms: float | None,
        after_ms: float | None,
    ) -> list[Raw]:
        """Detect jobs of the caller's, the newest first."""
        with stored():
            found = self._own.detect_jobs(caller.client_id, custom_id, feed_id, before_ms, after_ms)
        return list(map(Raw, found))


def _webhook(hook: Hook, caller: Caller, secret: str | None) -> WebhookAnswer:
    return WebhookAnswer(
        id=hook.id,
        url=hook.url,
        secret_key=secret,
        application=caller.client_id,
        organization_id=caller.organization,
        created_at=hook.created_ms,
    )
