"""What a monitor reads: requests, lag of the views, in the text format of Prometheus."""

from collections.abc import Iterable, Sequence
from typing import Final

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client import generate_latest as text_of
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from api.auth import MetricsReader, service_of
from api.contract import streaming
from ledger.service import Figure

BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)

router = APIRouter(tags=["health"])


class Metrics:
    """The figures of one application."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._known: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        self._requests = Counter(
            "wattledger_http_requests",
            "Requests answered.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "wattledger_http_request_seconds",
            "Time until a request was answered.",
            ("route",),
            buckets=BUCKETS_S,
            registry=self.registry,
        )
        self._lag = Gauge(
            "wattledger_feed_lag_events",
            "Events that a feed has not seen yet.",
            ("feed",),
            registry=self.registry,
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count a request."""
        key = (method, route, status)
        found = self._known.get(key)
        if found is None:
            requests = self._requests.labels(method, route, str(status))
            found = self._known[key] = (requests, self._seconds.labels(route))
        found[0].inc()
        found[1].observe(seconds)

    def text(self, lag: dict[str, int], figures: Sequence[Figure] = ()) -> bytes:
        """Everything, as it is now."""
        for feed, events in lag.items():
            self._lag.labels(feed).set(events)
        return text_of(self.registry) + text_of(_Counted(figures))


class _Counted(Collector):
    """Figures that somebody else counts."""

    def __init__(self, figures: Sequence[Figure]) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        """One family for each name."""
        families: dict[str, GaugeMetricFamily] = {}
        for name, meaning, value, labels in self._figures:
            family = families.get(name)
            if family is None:
                family = GaugeMetricFamily(f"wattledger_{name}", meaning, labels=list(labels))
                families[name] = family
            family.add_metric(list(labels.values()), value)
        return families.values()


@router.get(
    "/metrics",
    response_class=PlainTextResponse,
    responses=streaming({"text/plain": 'wattledger_feed_lag_events{feed="front"} 0.0\n'}),
)
def metrics(request: Request, _who: MetricsReader) -> Response:
    """Figures for a monitor."""
    found: Metrics = request.app.state.metrics
    service = service_of(request)
    text = found.text(service.views.lag(), service.figures())
    return Response(text, media_type=CONTENT_TYPE_LATEST)
