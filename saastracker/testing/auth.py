"""What every AuthScheme must keep: subclass `AuthSchemeContract` in a test module and fill in the first part."""

import contextlib
from collections.abc import Mapping

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saastracker.errors import NotFound, Refusal, Unauthorized
from saastracker.testing import OTHER_PROJECT, PROJECT, request
from saastracker.testing.projects import InMemoryProjects
from saastracker.wire import AuthScheme, Project, Request


class AuthSchemeContract:
    """Override `make`, `carry` and `secret`; the rest where the scheme differs."""

    secret: str  # which entry of `Issued.shown` proves the sender
    public = False  # whether that entry is public, so that it may be stored as it is

    def make(self, projects: InMemoryProjects) -> AuthScheme:
        """The scheme under test, reading its keys from `projects`."""
        raise NotImplementedError

    def carry(self, shown: Mapping[str, str]) -> Request:
        """A request that proves itself with a key as it was shown."""
        raise NotImplementedError

    def make_issuer(self, projects: InMemoryProjects) -> AuthScheme:
        """The scheme whose keys this one reads, if not its own."""
        return self.make(projects)

    def bare(self) -> Request:
        """A well-formed request that carries nothing of the scheme."""
        return request(b"{}")

    @pytest.fixture
    def projects(self) -> InMemoryProjects:
        return InMemoryProjects()

    @pytest.fixture
    def scheme(self, projects: InMemoryProjects) -> AuthScheme:
        return self.make(projects)

    @pytest.fixture
    def issuer(self, projects: InMemoryProjects) -> AuthScheme:
        return self.make_issuer(projects)

    def forge(self, shown: Mapping[str, str], place: int = -1) -> dict[str, str]:
        """The key with one character of its secret changed."""
        text = list(shown[self.secret])
        text[place] = "A" if text[place] != "A" else "B"
        return {**shown, self.secret: "".join(text)}

    def test_an_issued_key_opens_its_project(
        self, scheme: AuthScheme, issuer: AuthScheme, projects: InMemoryProjects
    ) -> None:
        shown = projects.issue(issuer, PROJECT).shown
        assert self._opens(scheme, self.carry(shown)) == PROJECT

    def test_a_key_opens_no_other_project(
        self, scheme: AuthScheme, issuer: AuthScheme, projects: InMemoryProjects
    ) -> None:
        mine = projects.issue(issuer, PROJECT).shown
        theirs = projects.issue(issuer, OTHER_PROJECT).shown
        assert self._opens(scheme, self.carry(theirs)) == OTHER_PROJECT
        mixed = {**theirs, self.secret: mine[self.secret]}
        assert self._opens(scheme, self.carry(mixed)) != OTHER_PROJECT

    def test_a_wrong_secret_is_refused(
        self, scheme: AuthScheme, issuer: AuthScheme, projects: InMemoryProjects
    ) -> None:
        shown = projects.issue(issuer, PROJECT).shown
        for place in (-1, len(shown[self.secret]) // 2):
            with pytest.raises(Unauthorized):
                scheme.authenticate(self.carry(self.forge(shown, place)))

    def test_a_shortened_or_empty_secret_is_refused(
        self, scheme: AuthScheme, issuer: AuthScheme, projects: InMemoryProjects
    ) -> None:
        shown = projects.issue(issuer, PROJECT).shown
        for text in (shown[self.secret][:-1], shown[self.secret] + "A", ""):
            assert not self._opens(scheme, self.carry({**shown, self.secret: text}))

    def test_a_request_without_credentials_opens_nothing(
        self, scheme: AuthScheme, issuer: AuthScheme, projects: InMemoryProjects
    ) -> None:
        projects.issue(issuer, PROJECT)
        with contextlib.suppress(Unauthorized):
            assert scheme.authenticate(self.bare()) is None

    def test_a_key_that_was_never_stored_is_refused(self, scheme: AuthScheme, issuer: AuthScheme) -> None:
        issued = issuer.issue(PROJECT)
        assert issued is not None
        with pytest.raises((Unauthorized, NotFound)):
            scheme.authenticate(self.carry(issued.shown))

    def test_two_keys_live_during_rotation_and_a_revoked_one_is_refused(
        self, scheme: AuthScheme, issuer: AuthScheme, projects: InMemoryProjects
    ) -> None:
        old, new = projects.issue(issuer, PROJECT), projects.issue(issuer, PROJECT)
        assert self._opens(scheme, self.carry(old.shown)) == PROJECT
        assert self._opens(scheme, self.carry(new.shown)) == PROJECT
        projects.revoke(issuer, old)
        assert self._opens(scheme, self.carry(new.shown)) == PROJECT
        with pytest.raises((Unauthorized, NotFound)):
            scheme.authenticate(self.carry(old.shown))

    def test_every_key_is_new_and_long(self, issuer: AuthScheme) -> None:
        issued = [issuer.issue(PROJECT) for _ in range(20)]
        secrets = {key.shown[self.secret] for key in issued if key is not None}
        assert len(secrets) == 20
        assert all(len(secret) >= (16 if self.public else 32) for secret in secrets)

    def test_what_is_stored_readable_does_not_tell_the_secret(self, issuer: AuthScheme) -> None:
        issued = issuer.issue(PROJECT)
        assert issued is not None
        if not self.public:
            secret = issued.shown[self.secret]
            assert secret not in issued.lookup
            assert secret.encode() not in issued.digest

    def test_refusals_are_alike_and_tell_nothing_of_the_key(
        self, scheme: AuthScheme, issuer: AuthScheme, projects: InMemoryProjects
    ) -> None:
        shown = projects.issue(issuer, PROJECT).shown
        told = set()
        for place in range(-8, 0):
            forged = self.forge(shown, place)
            with pytest.raises(Unauthorized) as caught:
                scheme.authenticate(self.carry(forged))
            told.add((caught.value.status, caught.value.reason, caught.value.detail))
            for secret in (shown[self.secret], forged[self.secret]):
                assert secret not in str(caught.value) + repr(caught.value)
        assert len(told) == 1

    @given(junk=st.binary(max_size=80))
    @settings(suppress_health_check=[HealthCheck.differing_executors], deadline=None)
    def test_junk_in_any_place_is_refused(self, junk: bytes) -> None:
        projects = InMemoryProjects()
        scheme, shown = self.make(projects), projects.issue(self.make_issuer(projects), PROJECT).shown
        for name in self.carry(shown).headers:
            sent = self.carry(shown)
            sent.headers[name] = junk
            self._opens(scheme, sent)
        for part in ("query_string", "raw", "body"):
            sent = self.carry(shown)
            setattr(sent, part, junk)
            self._opens(scheme, sent)
        everything = Request("POST", "/", junk, {b"authorization": junk}, junk, junk, 0)
        assert not self._opens(scheme, everything)

    def test_more_query_fields_than_anyone_sends_are_refused(self, scheme: AuthScheme) -> None:
        assert not self._opens(scheme, request(b"{}", query="a=1&" * 1000))

    @staticmethod
    def _opens(scheme: AuthScheme, sent: Request) -> Project | None:
        """The project it opens, None if refused in one of the ways the contract knows."""
        try:
            credential = scheme.authenticate(sent)
            return credential.project if credential else None
        except Refusal as caught:
            refusal = caught
        assert refusal.status in {400, 401, 404}
        assert 1 <= len(refusal.detail) <= 500
        return None
