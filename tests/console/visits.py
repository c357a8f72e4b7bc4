"""Visits to a served console: signed in by a one-time link, and watched for errors all along."""

from typing import Literal

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.harness.console import Console

WAIT_MS = 60_000
"""Longer than anything takes on a busy machine."""
Scheme = Literal["light", "dark"]


class Visit:
    """One person with one browser context; what goes wrong in any tab is kept."""

    def __init__(self, console: Console, context: BrowserContext) -> None:
        self.console = console
        self.context = context
        self.errors: list[str] = []
        self.page = self.tab()

    def tab(self) -> Page:
        """Another tab."""
        page = self.context.new_page()
        page.set_default_timeout(WAIT_MS)
        expect.set_options(timeout=WAIT_MS)
        page.on("console", self._note)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        return page

    def sign_in(self, role: str = "admin", sites: tuple[str, ...] = ()) -> None:
        """Follow a one-time link."""
        self.page.goto(self.console.link(role, sites))

    def go(self, path: str) -> Page:
        """Open a page of the console."""
        self.page.goto(self.console.url + path)
        return self.page

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(message.text)


class Visitors:
    """Makes visits, and looks at their errors when they end."""

    def __init__(self, console: Console, chromium: Browser) -> None:
        self._console = console
        self._chromium = chromium
        self._visits: list[Visit] = []

    def come(
        self,
        role: str = "admin",
        sites: tuple[str, ...] = (),
        *,
        language: str = "en",
        scheme: Scheme = "light",
        width: int = 1280,
        height: int = 860,
    ) -> Visit:
        """Somebody who signed in; without a role, somebody who did not."""
        context = self._chromium.new_context(
            locale=language, color_scheme=scheme, viewport={"width": width, "height": height}
        )
        visit = Visit(self._console, context)
        self._visits.append(visit)
        if role:
            visit.sign_in(role, sites)
        return visit

    def leave(self) -> None:
        """Close everything; an error in anybody's browser fails the test."""
        errors = [error for visit in self._visits for error in visit.errors]
        for visit in self._visits:
            visit.context.close()
        assert not errors, errors
