"""Time-series stores behind one contract: `open_store` opens the one that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateway.stores.settings import EmbeddedSettings, InfluxDb1Settings, InfluxDb2Settings

if TYPE_CHECKING:
    from gateway.stores.base import Store

__all__ = ["open_store"]


def open_store(settings: EmbeddedSettings | InfluxDb1Settings | InfluxDb2Settings) -> Store:
    """Open a store. Servers are not contacted before the first call.

    Raises:
        ConfigError: a password or token cannot be read.
        StoreUnavailable: the embedded store's file cannot be opened.
    """
    # Each library is imported only where it is used: influxdb-client alone takes 40 MB.
    match settings:
        case EmbeddedSettings():
            from gateway.stores.embedded import EmbeddedStore  # noqa: PLC0415

            return EmbeddedStore(settings.path, keep=settings.keep)
        case InfluxDb1Settings():
            from gateway.stores.influxdb import InfluxDb1  # noqa: PLC0415

            return InfluxDb1(settings)
        case InfluxDb2Settings():
            from gateway.stores.influxdb import InfluxDb2  # noqa: PLC0415

            return InfluxDb2(settings)
