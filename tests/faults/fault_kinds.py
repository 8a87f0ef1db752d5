"""What can happen to a call."""

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from tests.faults.proxy import Exchange, Fault, refusal


async def dropped_before(exchange: Exchange) -> web.Response:
    """The connection breaks before the API server has heard of it."""
    return exchange.drop()


async def dropped_after(exchange: Exchange) -> web.Response:
    """It took effect, and the connection breaks before the answer."""
    await exchange.forward()
    return exchange.drop()


async def delayed(exchange: Exchange) -> web.Response:
    """It takes its time."""
    await asyncio.sleep(1.0)
    return await exchange.forward()


def refused(code: int, reason: str = "", retry_after: int | None = None) -> Fault:
    """The API server, or something before it, answers so and does nothing."""

    async def fault(exchange: Exchange) -> web.Response:
        del exchange
        return refusal(code, reason, retry_after)

    return fault


def not_the_api_server(code: int) -> Fault:
    """Something before the API server answers in its place, with a page for people."""

    async def fault(exchange: Exchange) -> web.Response:
        del exchange
        return web.Response(status=code, text="<html>Sorry</html>", content_type="text/html")

    return fault


def failed_after(code: int) -> Fault:
    """It took effect, and the answer says that something failed."""

    async def fault(exchange: Exchange) -> web.Response:
        await exchange.forward()
        return refusal(code, "")

    return fault


def held(until: asyncio.Event) -> Fault:
    """It is on its way for very long, and takes effect then."""

    async def fault(exchange: Exchange) -> web.Response:
        await until.wait()
        return await exchange.forward()

    return fault


def killed(kill: Callable[[], Awaitable[None]], *, after: bool) -> Fault:
    """The caller is killed before or after it takes effect."""

    async def fault(exchange: Exchange) -> web.Response:
        if after:
            await exchange.forward()
        await kill()
        return exchange.drop()

    return fault


EVERY: dict[str, Fault] = {
    "dropped before": dropped_before,
    "dropped after": dropped_after,
    "conflict": refused(409, "Conflict"),
    "throttled": refused(429, "TooManyRequests", retry_after=1),
    "internal error": refused(500, "InternalError"),
    "unavailable": refused(503, "ServiceUnavailable"),
    "timed out, but done": failed_after(504),
    "failed, but done": failed_after(500),
    "delayed": delayed,
    "a page": not_the_api_server(200),
    "no page": not_the_api_server(404),
}
