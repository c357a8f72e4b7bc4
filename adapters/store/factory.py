"""Builds the recorders of an `eventsourcing` application from its environment.

`PERSISTENCE_MODULE=adapters.store` and `LEDGER_DATABASE_URL` are all an application needs;
`CREATE_TABLE` (default yes), `ORIGINATOR_ID_TYPE` (`uuid` or `text`) and the topics of recorder
classes mean what they mean to the library's own modules, and every key may be prefixed with the
application's name.
"""

from typing import TypeVar, cast

from eventsourcing.persistence import InfrastructureFactory, InfrastructureFactoryError
from eventsourcing.utils import Environment, EnvType, resolve_topic, strtobool

from adapters.store.application_tables import OriginatorIdType, event_tables, tracking_table
from adapters.store.engine import create_engine
from adapters.store.process_recorders import SqlProcessRecorder, SqlTrackingRecorder
from adapters.store.recorders import SqlAggregateRecorder, SqlApplicationRecorder

_Recorder = TypeVar("_Recorder", bound=SqlAggregateRecorder | SqlTrackingRecorder)
_Tracking = TypeVar("_Tracking", bound=SqlTrackingRecorder)


class SqlFactory(InfrastructureFactory[SqlTrackingRecorder]):
    """Each application, named by its environment, has its own tables in the shared database."""

    DATABASE_URL = "LEDGER_DATABASE_URL"
    CREATE_TABLE = "CREATE_TABLE"
    ORIGINATOR_ID_TYPE = "ORIGINATOR_ID_TYPE"

    def __init__(self, env: Environment | EnvType | None) -> None:
        super().__init__(env)
        url = self.env.get(self.DATABASE_URL)
        if not url:
            raise InfrastructureFactoryError(f"{self.DATABASE_URL} does not name a database.")
        self.engine = create_engine(url)

    def aggregate_recorder(self, purpose: str = "events") -> SqlAggregateRecorder:
        events, head = event_tables(self.env.name, purpose, self._originator_id_type())
        return self._ready(SqlAggregateRecorder(self.engine, events=events, head=head))

    def application_recorder(self) -> SqlApplicationRecorder:
        recorder = self._class_of(self.APPLICATION_RECORDER_TOPIC, SqlApplicationRecorder)
        events, head = event_tables(self.env.name, id_type=self._originator_id_type())
        return self._ready(recorder(self.engine, events=events, head=head))

    def tracking_recorder(
        self, tracking_recorder_class: type[_Tracking] | None = None
    ) -> _Tracking:
        recorder = tracking_recorder_class or cast(
            "type[_Tracking]", self._class_of(self.TRACKING_RECORDER_TOPIC, SqlTrackingRecorder)
        )
        return self._ready(recorder(self.engine, tracking=tracking_table(self.env.name)))

    def process_recorder(self) -> SqlProcessRecorder:
        recorder = self._class_of(self.PROCESS_RECORDER_TOPIC, SqlProcessRecorder)
        events, head = event_tables(self.env.name, id_type=self._originator_id_type())
        tracking = tracking_table(self.env.name)
        return self._ready(recorder(self.engine, events=events, head=head, tracking=tracking))

    def close(self) -> None:
        self.engine.dispose()

    def _class_of(self, key: str, default: type[_Recorder]) -> type[_Recorder]:
        topic = self.env.get(key)
        chosen = resolve_topic(topic) if topic else default
        if not (isinstance(chosen, type) and issubclass(chosen, default)):
            raise InfrastructureFactoryError(f"{key} must name a {default.__name__}, not {topic}.")
        return chosen

    def _ready(self, recorder: _Recorder) -> _Recorder:
        if strtobool(self.env.get(self.CREATE_TABLE) or "yes"):
            recorder.create_table()
        return recorder

    def _originator_id_type(self) -> OriginatorIdType:
        match (self.env.get(self.ORIGINATOR_ID_TYPE) or "uuid").lower():
            case "uuid":
                return "uuid"
            case "text":
                return "text"
            case other:
                raise InfrastructureFactoryError(
                    f"{self.ORIGINATOR_ID_TYPE} must be uuid or text, not {other}."
                )
