"""What a terminal listens to: each scanner, receiver and modem on a thread of its own."""

import queue
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from edge_agent import devices, profile
from edge_agent.config import Config, Gnss, Scanner
from edge_agent.devices import Decoder
from edge_agent.devices.modem import ModemDecoder
from edge_agent.events import (
    Doubted,
    Event,
    Listen,
    Located,
    Noted,
    Order,
    Scanned,
    Surveyed,
)
from edge_agent.ports.clock import Clock
from edge_agent.ports.serial_port import SerialPort
from edge_agent.ports.wireless import Wireless
from edge_agent.profile import GnssProfile, ScannerProfile
from edge_agent.records import Condition, Doubt, Fix, Reception, Scan
from edge_agent.terminal.surveying import MODEM, WIFI


class Cables:
    """Puts what the ports say into the inbox, stamped where it was read.

    Args:
        config: names ports and profiles.
        profiles: of the configured scanners, by their names.
        clock: gives the stamps.
        inbox: of the spine.
    """

    def __init__(
        self,
        config: Config,
        profiles: Mapping[str, ScannerProfile],
        clock: Clock,
        inbox: "queue.SimpleQueue[Event]",
    ) -> None:
        self._clock = clock
        self._inbox = inbox
        self._scanners = {
            one.name: self._port(
                one,
                profiles[one.name],
                devices.scanner_decoder(profiles[one.name]),
                partial(self._said, one.name),
            )
            for one in config.scanner
        }
        self.ports: Sequence[SerialPort[Any]] = list(self._scanners.values())
        if config.gnss is not None:
            receiver = profile.gnss(config.gnss.profile)
            decoder = devices.gnss_decoder(receiver)
            self.ports = [*self.ports, self._port(config.gnss, receiver, decoder, self._located)]
        #: Of those that can say how well the network is heard: what asks them.
        self.ears: dict[str, Callable[[], None]] = {}
        network = config.network
        if network.modem is not None:
            modem = SerialPort(
                MODEM, network.modem, network.baud, ModemDecoder(), self._received, inbox.put
            )
            self.ports = [*self.ports, modem]
            self.ears[MODEM] = partial(modem.order, Listen())
        if network.interface is not None:
            self.ears[WIFI] = Wireless(network.interface, self._received).ask
        #: Of scanners with a light of their own: what hands them an order.
        self.rings = [
            self._scanners[name].order for name, one in profiles.items() if one.fingerprint.ring
        ]

    def start(self) -> None:
        for port in self.ports:
            port.start()

    def stop(self) -> None:
        for port in self.ports:
            port.stop()

    def order(self, scanner: str, order: Order) -> None:
        """Hand an order to a scanner."""
        self._scanners[scanner].order(order)

    def _port(
        self,
        wanted: Scanner | Gnss,
        model: ScannerProfile | GnssProfile,
        decoder: Decoder[Any],
        record: Callable[[Any], None],
    ) -> SerialPort[Any]:
        return SerialPort(
            wanted.name,
            wanted.port,
            wanted.baud or model.baud,
            decoder,
            record,
            self._inbox.put,
            [bytes.fromhex(message) for message in model.init],
        )

    def _said(self, scanner: str, record: Any) -> None:
        if isinstance(record, Scan):
            self._inbox.put(Scanned(scanner, record, self._clock.stamp()))
        else:
            self._inbox.put(Noted(scanner, record))

    def _located(self, record: Fix | Doubt) -> None:
        now_ms = self._clock.mono_ms()
        if isinstance(record, Fix):
            self._inbox.put(Located(record, now_ms))
        else:
            self._inbox.put(Doubted(record, now_ms))

    def _received(self, record: Reception | Condition | None) -> None:
        if isinstance(record, Reception):
            self._inbox.put(Surveyed(record, self._clock.mono_ms()))
        elif record is not None:
            self._inbox.put(Noted(MODEM, record))
