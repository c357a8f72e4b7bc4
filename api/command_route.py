"""Routes of commands: a guard, a path and a body that the handler reads, and nothing to solve.

The framework's own way costs a third of a recharge: dependencies, exit stacks and error handlers
for each request, where one guard is asked and the application handles errors anyway.
"""

from typing import Any, cast

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.types import Receive, Scope, Send

from api.auth import Requires


class CommandRoute(APIRoute):
    """For `async def handler(request, who, **path)`; any other shape is refused at the start."""

    def __init__(self, path: str, endpoint: Any, **settings: Any) -> None:  # noqa: ANN401 - the framework's own
        super().__init__(path, endpoint, **settings)
        dependant = self.dependant
        asks = dependant.query_params + dependant.header_params + dependant.cookie_params
        if asks or len(dependant.dependencies) != 1 or dependant.request_param_name != "request":
            raise TypeError(f"{path}: a command route takes its request, its guard and its path.")
        (guard,) = dependant.dependencies
        self._guard = cast("Requires", guard.call)
        self._who = str(guard.name)
        self._endpoint = endpoint
        self.app = self._answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive, send)
        who = await self._guard(request)
        given = {**scope["path_params"], self._who: who}
        response = await self._endpoint(request=request, **given)
        await response(scope, receive, send)
