"""Projects and keys in memory, in place of the server's records."""

from collections.abc import Sequence

from saastracker.wire import AuthScheme, Credential, Issued, Project


class InMemoryProjects:
    """The `Projects` an auth scheme reads, with keys that a test issues and revokes."""

    def __init__(self) -> None:
        self._live: dict[tuple[str, str], list[Credential]] = {}

    def credentials(self, scheme: str, lookup: str) -> Sequence[Credential]:
        return self._live.get((scheme, lookup), ())

    def issue(self, scheme: AuthScheme, project: Project) -> Issued:
        """A new live key of `project`."""
        issued = scheme.issue(project)
        assert issued is not None, f"{scheme.name} has no keys of its own"
        credential = Credential(project, secret=issued.secret, digest=issued.digest)
        self._live.setdefault((scheme.name, issued.lookup), []).append(credential)
        return issued

    def revoke(self, scheme: AuthScheme, issued: Issued) -> None:
        live = self._live[scheme.name, issued.lookup]
        self._live[scheme.name, issued.lookup] = [
            key for key in live if (key.secret, key.digest) != (issued.secret, issued.digest)
        ]
