#!/usr/bin/env bash
# What a person who has just typed 'make run' wants to know.
cd "$(dirname "$0")/.." || exit 1
case $PWD in *%*)
    echo "TradeByte cannot run here: supervisord takes the % in $PWD for a variable; move the folder" >&2
    exit 1
    ;;
esac
cat <<'EOT'

TradeByte runs in this terminal until Ctrl-C (which pulls every order first). In another one:

  .venv/bin/tradebyte status        is everything ready, which books are live, what is open
  .venv/bin/tradebyte web           all of it in a browser, with charts and controls
  .venv/bin/tradebyte doctor        what could keep it from trading, and what to do about it
  .venv/bin/tradebyte tail fill     own fills as they happen
  .venv/bin/tradebyte halt          pull everything and place nothing more, until 'resume'

  http://127.0.0.1:8181/health      the same for machines (address: config/config.yaml, monitor)
  logs/NAME.out.log                 what a process printed, such as why it refuses to start

EOT
