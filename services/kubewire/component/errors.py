"""What can be wrong with how a process was started.

Exception
└── StartError                the process cannot start as it was asked to; its text is for whoever started it
    ├── ConfigError           a setting is wrong; it names the setting and where it came from
    └── CertificateError      a certificate or key cannot be used; it names the file
"""

from __future__ import annotations


class StartError(Exception):
    """The process cannot start like this; starting it differently helps."""


class ConfigError(StartError):
    """A setting has a value it cannot have, or is none."""


class CertificateError(StartError):
    """A certificate or key is missing, damaged or does not fit."""
