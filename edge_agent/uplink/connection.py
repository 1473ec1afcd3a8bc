"""One connection to the broker, from CONNECT to its end, as events on the inbox.

Each attempt is a new paho client, so nothing of ours outlives a connection in paho's memory: what
had no PUBACK is published again from the journal. paho's own traps are answered here: its thread
can die of a callback's exception while `is_connected()` stays True, `publish()` while offline keeps
and later sends, a refusing PUBACK counts as published, the server's Receive Maximum is ignored.
"""

import contextlib
import math
import socket
import ssl
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_agent.config import Broker
from edge_agent.contract.messages import MAX_WIRE_BYTES
from edge_agent.errors import ConfigError
from edge_agent.events import Arrived, Connected, Disconnected, Event, PubAck
from edge_agent.uplink.traffic import carried

_V5 = MQTTProtocolVersion.MQTTv5
_VERSIONS = {"5": _V5, "3.1.1": MQTTProtocolVersion.MQTTv311}
#: MQTT 5 section 3.2.2.3.3: without the property the client may send 65,535 at once.
_NO_LIMIT = 65_535
_CONNECT_S = 10.0
#: A broker that has accepted the subscription by then is one; a keep-alive would wait for minutes.
_WELCOME_S = 30.0
_GOODBYE_S = 3.0


class _Client(mqtt.Client):
    """paho's client, which says when its network thread ends, whatever the reason.

    Also of a broker that accepts and says no more: `late`, asked once a second, ends it.
    """

    def __init__(
        self, ended: Callable[[str], None], late: Callable[[], bool], **options: Any
    ) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, reconnect_on_failure=False, **options)
        self._ended = ended
        self._late = late

    def loop_forever(
        self, timeout: float = 1.0, retry_first_connection: bool = False
    ) -> MQTTErrorCode:
        cause = ""
        try:
            return super().loop_forever(timeout)  # never retries: the spine decides when
        except OSError as error:
            cause = error.strerror or str(error)
            return MQTTErrorCode.MQTT_ERR_NO_CONN
        except Exception as error:  # noqa: BLE001  a thread's outermost frame
            cause = f"{type(error).__name__}: {error}"
            return MQTTErrorCode.MQTT_ERR_UNKNOWN
        finally:
            self._ended(cause)
            self._let_go()

    def loop_misc(self) -> MQTTErrorCode:
        if self._late():
            self.disconnect()
        return super().loop_misc()

    def _let_go(self) -> None:
        """Forget whom we told: held in a circle, paho's sockets outlive the connection."""
        self._ended = lambda _cause: None
        self._late = lambda: False
        self.on_connect = self.on_disconnect = None
        self.on_publish = self.on_message = self.on_subscribe = None
        self.on_socket_open = self.on_socket_close = None


class Connection:
    """Attempt number `link` to be connected; ends in exactly one `Disconnected`.

    Args:
        link: number carried by every event, so that late ones of an older connection are known.
        broker: where to and how.
        client_id: the terminal's name.
        will: topic and payload that the broker publishes, retained, when we vanish.
        subscriptions: topics to listen to, QoS 1.
        tell: takes the events, from paho's thread.
        welcome_s: who is not subscribed so long after the connection stands gives it up.
    """

    def __init__(
        self,
        link: int,
        broker: Broker,
        client_id: str,
        will: tuple[str, bytes],
        subscriptions: tuple[str, ...],
        tell: Callable[[Event], None],
        welcome_s: float = _WELCOME_S,
    ) -> None:
        self.link = link
        self._tell = tell
        self._subscriptions = subscriptions
        self._cause = ""
        self._welcome: Connected | None = None
        self._welcome_s, self._welcome_by_s = welcome_s, math.inf
        self._told = False
        self._ended = threading.Event()
        self._socket: socket.socket | None = None
        self._carried = (0, 0)
        self._v5 = _VERSIONS[broker.protocol] == _V5
        options: dict[str, Any] = {} if self._v5 else {"clean_session": True}
        self._client = _Client(
            self._end,
            self._is_late,
            client_id=client_id,
            protocol=_VERSIONS[broker.protocol],
            **options,
        )
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._client.on_socket_open = self._on_socket_open
        self._client.on_socket_close = self._on_socket_close
        self._client.connect_timeout = _CONNECT_S
        self._client.will_set(*will, qos=1, retain=True)
        _secure(self._client, broker)
        self._client.on_subscribe = self._on_subscribe
        self._client.connect_async(
            broker.host, broker.port, broker.keepalive_s, properties=self._properties()
        )
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes, *, retain: bool = False) -> int:
        """Publish with QoS 1; gives the mid. An outcome other than PUBACK ends the connection."""
        return int(self._client.publish(topic, payload, qos=1, retain=retain).mid)

    def listen(self, topic: str) -> None:
        """Subscribe to one more topic, QoS 1; a refusal is the broker's own business."""
        self._client.subscribe(topic, 1)

    @property
    def carried(self) -> tuple[int, int]:
        """Bytes through the socket so far, sent and received."""
        opened = self._socket  # paho's thread may take it away at any moment
        if opened is not None:
            with contextlib.suppress(OSError):  # it was closed this moment
                self._carried = carried(opened)
        return self._carried

    def close(self) -> None:
        """Say goodbye, and wait for the end of the thread as long as a person would."""
        self._client.disconnect()
        self._ended.wait(_GOODBYE_S)

    def abandon(self) -> None:
        """Give up a connection that has stalled; its thread ends by itself."""
        self._cause = "the broker stopped answering"
        self._client.disconnect()

    def _on_connect(
        self, _client: object, _data: object, _flags: object, reason: ReasonCode, given: Any
    ) -> None:
        if reason.is_failure:
            self._cause = f"refused: {reason}"
            return
        self._welcome = Connected(
            self.link,
            getattr(given, "ReceiveMaximum", _NO_LIMIT),
            min(getattr(given, "MaximumPacketSize", MAX_WIRE_BYTES), MAX_WIRE_BYTES),
        )
        self._client.subscribe([(topic, 1) for topic in self._subscriptions])

    def _on_subscribe(
        self, _client: object, _data: object, _mid: int, reasons: list[ReasonCode], _more: object
    ) -> None:
        """Without receipts a connection is of no use: only now is it one."""
        if self._told:  # what is listened to later may be refused
            return
        refused = next((str(reason) for reason in reasons if reason.is_failure), "")
        if refused or self._welcome is None:
            self._cause = f"the broker refuses the subscription: {refused}"
            self._client.disconnect()
        else:
            self._told = True
            self._tell(self._welcome)

    def _on_socket_open(self, _client: object, _data: object, opened: Any) -> None:
        self._socket = opened

    def _on_socket_close(self, _client: object, _data: object, closing: Any) -> None:
        with contextlib.suppress(OSError):  # then what was last asked has to do
            self._carried = carried(closing)
        self._socket = None

    def _on_disconnect(
        self, _client: object, _data: object, flags: Any, reason: ReasonCode, _given: object
    ) -> None:
        if not self._cause:
            said = f"the broker said {reason}" if flags.is_disconnect_packet_from_server else ""
            self._cause = said or f"the connection ended: {reason}"

    def _on_publish(
        self, _client: object, _data: object, mid: int, reason: ReasonCode, _given: object
    ) -> None:
        self._tell(PubAck(self.link, mid, str(reason) if reason.is_failure else ""))

    def _on_message(self, _client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        # What is too long to be a message is cut here: it will be refused by its size, not kept.
        payload = bytes(message.payload[: MAX_WIRE_BYTES + 1])
        self._tell(Arrived(self.link, message.topic, payload))

    def _properties(self) -> Properties | None:
        """Let the broker send nothing longer than a message can be (MQTT 5 section 3.1.2.11.4)."""
        if not self._v5:
            return None
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.MaximumPacketSize = MAX_WIRE_BYTES + 1000
        return properties

    def _is_late(self) -> bool:
        """A broker that never says that we are subscribed; the connection itself stands."""
        now_s = time.monotonic()
        self._welcome_by_s = min(self._welcome_by_s, now_s + self._welcome_s)
        if self._told or now_s < self._welcome_by_s:
            return False
        self._cause = self._cause or "the broker does not answer"
        return True

    def _end(self, cause: str) -> None:
        self._ended.set()
        self._tell(Disconnected(self.link, self._cause or cause or "the connection ended"))


def check(broker: Broker) -> None:
    """Raise ConfigError now for files that every later connection would fail on."""
    _secure(mqtt.Client(CallbackAPIVersion.VERSION2), broker)


def _secure(client: mqtt.Client, broker: Broker) -> None:
    if broker.username:
        client.username_pw_set(broker.username, _password(broker))
    if not broker.tls:
        return
    try:
        client.tls_set(broker.ca_file, broker.cert_file, broker.key_file)
    except (OSError, ssl.SSLError, ValueError) as error:
        files = ", ".join(filter(None, (broker.ca_file, broker.cert_file, broker.key_file)))
        cause = getattr(error, "strerror", None) or str(error)
        hint = "check broker.ca_file, cert_file and key_file"
        raise ConfigError("read the certificates", files or "of the system", cause, hint) from None


def _password(broker: Broker) -> str | None:
    if not broker.password_file:
        return None
    try:
        return Path(broker.password_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        cause = getattr(error, "strerror", None) or str(error)
        hint = "check broker.password_file"
        raise ConfigError("read the password", broker.password_file, cause, hint) from None
