"""Needed by every process: bus, messages, configuration, process shell, numbers, Kraken's protocol.

These touch the world: ``bus/`` and ``kraken/{rest,socket}`` (sockets), ``process/`` (the shell), ``config/load``,
``halt``, ``pausing`` and ``kraken/captures`` (files), ``clock`` (clocks), ``proxies`` (environment). All else is pure.
"""
