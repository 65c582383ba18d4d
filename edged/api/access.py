"""Who calls, and what they may do."""

from dataclasses import dataclass

from edged.api.problem import Code, Problem
from edged.settings.http import Scope


@dataclass(frozen=True, slots=True)
class Caller:
    """A program with a good access token.

    Attributes:
        client_id: its `clientId`.
        organization: as the configuration has it.
        scopes: what it may do.
        namespaces: where.
    """

    client_id: str
    organization: str
    scopes: frozenset[Scope]
    namespaces: frozenset[str]

    def require(self, scope: Scope, namespace: str | None) -> None:
        """Raise a Problem (403) unless the caller may do this, in this namespace where there is one."""
        if scope not in self.scopes:
            raise Problem(
                Code.FORBIDDEN,
                f"this needs the scope `{scope}`, which the client {self.client_id!r} does not have",
            )
        if namespace is not None and namespace not in self.namespaces:
            raise Problem(
                Code.FORBIDDEN, f"the client {self.client_id!r} may not use the namespace {namespace!r}"
            )
