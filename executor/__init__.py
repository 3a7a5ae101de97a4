"""From targets to orders: the only process that sends any.

Modules are cores (time and messages in, effects out), but for the shells: ``__main__``, ``shell``, ``hands``,
``halt_switch``, ``exchange/connection``, the SQLite files of ``record/``, and the commands in ``explain/`` and
``livecheck/``. T1 to T17 are the rules of docs/rules.md; KRAKEN.md is the notes on Kraken's protocol that the code was
written from, whose sections docs/simulator.md cites.
"""
