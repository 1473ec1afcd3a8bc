"""A configuration and profiles with every key there is, to be loaded, changed and broken."""

from typing import Any

#: Every key there is, none at its default.
FULL: dict[str, Any] = {
    "terminal": "bungi-1",
    "site": {
        "id": "kec-bungi",
        "name": "Kantor Kecamatan Bungi",
        "zone": "Asia/Makassar",
        "latitude": -5.3694,
        "longitude": 122.694,
        "radius_m": 150,
    },
    "files": {
        "journal": "/data/journal.db",
        "seal_key": "/data/seal.key",
        "credential_key": "/data/credential.key",
        "status": "/data/status.json",
        "control": "/data/control",
        "organisation_key": "/data/organisation.pub",
    },
    "broker": {
        "host": "broker.baubau.example",
        "port": 8883,
        "topic_root": "attendance/baubau",
        "protocol": "3.1.1",
        "keepalive_s": 30,
        "window": 6,
        "username": "bungi-1",
        "password_file": "/data/password",
        "tls": True,
        "ca_file": "/data/ca.pem",
        "cert_file": "/data/cert.pem",
        "key_file": "/data/key.pem",
    },
    "scanner": [
        {"name": "front", "port": "/dev/serial/by-id/a", "profile": "rdm6300", "baud": 2400},
        {"name": "rear", "port": "/dev/serial/by-id/b", "profile": "id12la", "baud": 19200},
    ],
    "gnss": {
        "port": "/dev/serial/by-id/c",
        "profile": "nmea",
        "baud": 4800,
        "name": "sky",
        "chrony": "/run/chrony.sock",
    },
    "network": {
        "modem": "/dev/serial/by-id/d",
        "baud": 9600,
        "interface": "wlan1",
        "daily_kb": 500,
    },
    "panel": {
        "kind": "gpio",
        "green": 17,
        "amber": 27,
        "red": 22,
        "buzzer": 23,
        "file": "/data/panel.jsonl",
    },
    "rules": {
        "duplicate_s": 30,
        "fix_age_s": 5,
        "broker_grace_s": 15,
        "central_grace_s": 90,
        "receipt_wait_s": 25,
        "retry_first_s": 2.5,
        "retry_max_s": 30,
        "survey_s": 1800,
        "keep_days": 90,
    },
    "clock": {"kind": "simulated", "file": "/data/clock.json"},
}
IDENTIFY: dict[str, Any] = {
    "usb": ["1a86:7523", "0403:6001"],
    "ask": "EF01 FFFFFFFF 01 0003 0F 0013",
    "answer": "EF01.*",
    "wait_ms": 500,
    "bauds": [9600, 115_200],
}
SCANNER_PROFILE: dict[str, Any] = {
    "decoder": "em4100",
    "baud": 9600,
    "confirm": 2,
    "confirm_ms": 250,
    "gone_ms": 600,
    "technology": "em4100",
    "init": ["7E 00 08", "55"],
    "title": "A reader",
    "wiring": "TX to RX",
    "verified": "not at all",
    "text": {"format": "dec10", "pattern": "UID: (.*)", "end_ms": 30, "longest": 32},
    "pn532": {"poll_ms": 70, "misses": 4},
    "fingerprint": {
        "capacity": 162,
        "index_table": False,
        "password": "00C0FFEE",
        "address": "FFFFFFFE",
        "ring": "r503-old",
        "poll_ms": 80,
    },
    "identify": IDENTIFY,
}
GNSS_PROFILE: dict[str, Any] = {
    "late_ms": 700,
    "baud": 4800,
    "init": ["B562"],
    "title": "A receiver",
    "wiring": "TX to RX",
    "verified": "not at all",
    "identify": IDENTIFY,
}
BOARD_PROFILE: dict[str, Any] = {
    "title": "A computer",
    "model": "A computer.*",
    "uart": [
        {
            "device": "/dev/ttyAMA0",
            "rx": 10,
            "tx": 8,
            "config": "enable_uart=1",
            "fastest": 115_200,
            "note": "the good one",
        }
    ],
    "wiring": "TX to RX",
    "verified": "not at all",
}
