"""One connection of the central to its broker: paho, and the thread that runs it.

A link lives for one connection. It ends once, with a `Disconnected` in the inbox whatever ended
it, and is then replaced by a new one. An acknowledgement belongs to the link its message came by,
so one that comes too late goes to a closed socket and never to a message of the next connection.

paho's own reconnecting and its own thread are not used: it reconnects without jitter, and when a
callback or its parser raises, its thread ends while `is_connected()` stays True.
"""

import ssl
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage, error_string
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from edge_agent.contract.messages import MAX_WIRE_BYTES
from edge_agent.errors import CentralError
from edge_agent.events import Connected, Disconnected, PubAck

#: Messages the broker may have sent us without our acknowledgement (MQTT 5, 3.1.2.11.3).
RECEIVE_MAXIMUM = 32
#: Receipts we have in flight if the broker does not allow fewer: mosquitto's default.
SEND_MAXIMUM = 20
#: Cause of a `Disconnected` that we asked for.
CLOSED = "closed"
#: The broker keeps our messages for a week while we are away.
SESSION_EXPIRY_S = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Tls:
    """Files in PEM form: who may have signed the broker's certificate; our own, if it wants one."""

    ca: Path
    certificate: Path | None = None
    key: Path | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """How the central reaches its broker.

    Attributes:
        root: the topics' first levels, e.g. ``attendance/baubau``.
        version: of MQTT, ``5`` or ``3.1.1``.
        client_id: of the session that the broker keeps for us; one central, one id.
        first_retry_s, last_retry_s: the back-off grows from the one to the other.
    """

    root: str
    host: str = "127.0.0.1"
    port: int = 1883
    version: str = "5"
    client_id: str = "edge-agent-central"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: Tls | None = None
    keepalive_s: int = 30
    first_retry_s: float = 0.5
    last_retry_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Message:
    """A message from the broker; it stays in its session until `link.ack(message)`.

    Attributes:
        topic: "" if it is not UTF-8.
        retained: the broker's memory of an earlier message.
    """

    link: "Link"
    topic: str
    payload: bytes
    mid: int
    qos: int
    retained: bool


@dataclass(frozen=True, slots=True)
class Subscribed:
    """The broker accepted the subscriptions of connection number `link`: nothing is missed now."""

    link: int


Event = Message | Subscribed | Connected | Disconnected | PubAck
Inbox = SimpleQueue[Event]


class Link:
    """One connection. All its callbacks do is put an event into `inbox`."""

    def __init__(
        self,
        options: Options,
        number: int,
        inbox: Inbox,
        topics: Sequence[str] = (),
        *,
        lasting: bool = True,
    ) -> None:
        """Make it ready to `open()`.

        Args:
            options: where to and as whom.
            number: tells this link's events from those of another.
            inbox: where its events go.
            topics: to subscribe to with QoS 1 once it is connected.
            lasting: continue the session that the broker keeps under the client id.

        Raises:
            CentralError: the TLS files cannot be used.
        """
        self.number = number
        self._options = options
        self._inbox = inbox
        self._topics = topics
        self._cause = ""
        self._closing = False
        self._v5 = options.version == "5"
        self._connect: dict[str, Any] = {"clean_start": not lasting} if self._v5 else {}
        if self._v5:
            self._connect["properties"] = _connect_properties(lasting)
        self._client = self._new_client(lasting)
        self._thread = threading.Thread(target=self._run, name=f"mqtt-{number}", daemon=True)

    def open(self) -> None:
        """Begin to connect; `Connected` or `Disconnected` follows."""
        self._thread.start()

    def publish(self, topic: str, payload: bytes) -> bool:
        """Send with QoS 1, retained. False if the connection is gone; else a `PubAck` follows."""
        info = self._client.publish(topic, payload, qos=1, retain=True)
        return info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS

    def ack(self, message: Message) -> None:
        """Tell the broker that `message` need not be sent again."""
        self._client.ack(message.mid, message.qos)

    def close(self, wait_s: float = 0.0) -> None:
        """Say goodbye to the broker, and wait at most so long for the thread's end."""
        self._closing = True
        self._cause = self._cause or CLOSED
        self._client.disconnect()
        if wait_s:
            self._thread.join(wait_s)

    def _new_client(self, lasting: bool) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._options.client_id if lasting else "",
            clean_session=None if self._v5 else not lasting,
            protocol=MQTTProtocolVersion.MQTTv5 if self._v5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        if self._options.username is not None:
            client.username_pw_set(self._options.username, self._options.password)
        if self._options.tls:
            client.tls_set_context(_tls_context(self._options.tls))
        client.max_inflight_messages_set(0)  # the window is counted where the receipts are
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        # With this callback paho leaves all writing to the thread in `_run`.
        client.on_socket_register_write = lambda *_: None
        return client

    def _run(self) -> None:
        cause = "unknown"
        try:
            self._client.connect(
                self._options.host, self._options.port, self._options.keepalive_s, **self._connect
            )
            while (code := self._client.loop(1.0)) == MQTTErrorCode.MQTT_ERR_SUCCESS:
                if self._closing:  # asked while still connecting, when there was nobody to tell
                    self._client.disconnect()
            cause = self._cause or error_string(code)
        except OSError as error:
            cause = error.strerror or str(error)
        except Exception as error:  # noqa: BLE001  # the thread's outermost frame
            cause = repr(error)
        finally:
            self._inbox.put(Disconnected(self.number, cause))

    def _on_connect(
        self,
        client: Client,
        _data: object,
        _flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._cause = f"the broker refuses us: {reason}"
            return
        if self._topics:
            client.subscribe([(topic, 1) for topic in self._topics])
        room = getattr(properties, "ReceiveMaximum", SEND_MAXIMUM)
        self._inbox.put(Connected(self.number, min(room, SEND_MAXIMUM), MAX_WIRE_BYTES))

    def _on_subscribe(
        self, client: Client, _data: object, _mid: int, reasons: list[ReasonCode], _more: object
    ) -> None:
        if any(reason.is_failure for reason in reasons):
            self._cause = f"the broker refuses our subscription: {reasons[0]}"
            client.disconnect()
        else:
            self._inbox.put(Subscribed(self.number))

    def _on_message(self, _client: Client, _data: object, message: MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        self._inbox.put(
            Message(self, topic, bytes(message.payload), message.mid, message.qos, message.retain)
        )

    def _on_publish(
        self, _client: Client, _data: object, mid: int, reason: ReasonCode, _more: object
    ) -> None:
        self._inbox.put(PubAck(self.number, mid, str(reason) if reason.is_failure else ""))

    def _on_disconnect(
        self,
        _client: Client,
        _data: object,
        flags: DisconnectFlags,
        reason: ReasonCode,
        _more: object,
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            self._cause = f"the broker ended the connection: {reason}"


def _connect_properties(lasting: bool) -> Properties:
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    properties.MaximumPacketSize = 4 * MAX_WIRE_BYTES
    properties.SessionExpiryInterval = SESSION_EXPIRY_S if lasting else 0
    return properties


def _tls_context(files: Tls) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=files.ca)
        if files.certificate:
            context.load_cert_chain(files.certificate, files.key)
    except (OSError, ValueError) as error:
        names = ", ".join(str(name) for name in (files.ca, files.certificate, files.key) if name)
        raise CentralError(
            "use TLS files", names, str(error), "name PEM files that this program can read"
        ) from None
    return context
