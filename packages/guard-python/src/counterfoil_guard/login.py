"""Where a person is led whose page was refused: to the authority's sign-in page on this host, and back.

Programs get their challenge; only whoever looks at a page can do something with another page.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote

from .problem import Problem, problem_of
from .refusal import Refusal

if TYPE_CHECKING:
    from .credential import RequestView

# What a refresh or a sign-in may mend.
_MENDABLE = ("token_missing", "token_expired", "token_invalid", "token_stale", "session_revoked", "reauthentication_required")
_LOCAL_PATH = re.compile(r"/(?!/)[\x21-\x5b\x5d-\x7e]{0,2047}")


@dataclass(frozen=True)
class Navigation:
    """A request, as far as it says whether a person waits for a page."""

    method: str
    fetch_mode: str | None
    """``Sec-Fetch-Mode``, which no script can set."""
    target: str
    """Path and query, as the client has sent them."""


@dataclass(frozen=True)
class Answer:
    """What is answered: a problem, or the way to the sign-in page."""

    status: int
    headers: dict[str, str]
    body: bytes


def is_local_path(text: str) -> bool:
    """A path that no browser can read as another host.

    ``/…`` of printable ASCII, in which the second character is no further slash and no backslash stands anywhere (ATK-40).
    """
    return _LOCAL_PATH.fullmatch(text) is not None


class LoginPage:
    """The authority's sign-in page: the cookie that counts here is of this host, and so is the page that renews it."""

    def __init__(self, path: str) -> None:
        if not is_local_path(path) or "?" in path or "#" in path:
            raise ValueError("login must be the path of the sign-in page on this host, such as /login")
        self._path = path

    def location(self, asked: Navigation, problem: Problem) -> str | None:
        """Where to lead, if a person waits for a page: GET, and a navigation.

        It leads back where the target is a path of this host.
        """
        if asked.method != "GET" or asked.fetch_mode != "navigate" or problem.code not in _MENDABLE:
            return None
        query = [f"redirect={_encoded(asked.target)}"] if is_local_path(asked.target) else []
        if problem.code == "reauthentication_required":
            query.append("ended=reauthenticate")
            if problem.acr is not None:
                query.append(f"acr_values={_encoded(problem.acr)}")
        return self._path + ("?" + "&".join(query) if query else "")


Answerer = Callable[["Refusal | Problem", "RequestView"], Answer]


def answering(login: str | None) -> Answerer:
    """What an adapter answers with: made when the route is made, so that a wrong path is noticed then.

    ``login`` is the authority's sign-in page, by its path on this host, such as ``/login``. Without it every refusal is a problem.
    """
    page = None if login is None else LoginPage(login)

    def answer(error: Refusal | Problem, request: RequestView) -> Answer:
        problem = problem_of(error)
        modes = request.header("sec-fetch-mode")
        navigation = Navigation(request.method, modes[0] if len(modes) == 1 else None, request.target)
        location = None if page is None else page.location(navigation, problem)
        if location is not None:
            return Answer(303, {"location": location, "cache-control": "no-store"}, b"")
        return Answer(problem.status, problem.headers(), problem.body())

    return answer


def _encoded(text: str) -> str:
    return quote(text, safe="/")
