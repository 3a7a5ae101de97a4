"""Every bound in one table: queues, sizes, times and tries.

The name of a time ends in its unit. A bound that a process hits is counted and reported, never silent.
"""

from __future__ import annotations

from typing import Final

# Bus. ZeroMQ's own default of 1000 lost 72 % of a burst when measured.
BUS_QUEUE_MESSAGES: Final = 20_000
BUS_DRAIN_MESSAGES: Final = 20_000
BUS_TRACKED_TOPICS: Final = 10_000
BUS_PATH_BYTES: Final = 100  # ZeroMQ's limit is 107; some room for its own suffix
STATE_REPEAT_S: Final = 1.0
JOIN_S: Final = 0.1  # how long a publisher lets subscribers attach first; they try every 20 ms
PATH_NEWS_MS: Final = 200  # how often feed.status and book.status are published
RELAY_ANSWER_S: Final = 0.3  # a new reader that the relay does not answer for this long connects to the publishers
RELAY_SILENT_S: Final = 2.5  # so does one that has not heard it for this long; one that loses it, at once
RELAY_OVERLAP_S: Final = 1.0  # connected to both, when the relay is back
RELAY_HOLD_S: Final = 0.25  # before a publisher's messages are read, so that what the relay carries is not overtaken
RELAY_LINGER_S: Final = 0.5  # a relay that is asked to stop forwards on for this long: its readers have left by then
RELAY_KEPT_S: Final = 3.0  # a state that its publisher repeats no more is not handed to new readers
RELAY_TOGETHER_S: Final = 0.05  # messages within this time are forwarded together: waking for each costs more
PATH_DEAD_S: Final = 1.0  # if they are not heard for this long, every book is invalid

# Configuration.
CONFIG_KEYS: Final = 20_000  # aliases may multiply a few lines into more than memory holds

# Process shell.
HEARTBEAT_S: Final = 1.0
HEARTBEAT_DEAD_S: Final = 3.0
DESCRIPTORS: Final = 65_536
WATCHDOG_S: Final = 10.0
WATCHDOG_REARM_S: Final = 0.5
PARENT_CHECK_S: Final = 1.0  # between two checks that supervisord is still there
BACKOFF_FIRST_S: Final = 0.25
BACKOFF_MAX_S: Final = 30.0
CRASH_LOOP_STARTS: Final = 5
LOG_FILE_BYTES: Final = 10 * 1024 * 1024
LOG_FILES: Final = 5
LOG_SAME_IN_WINDOW: Final = 10  # of one kind; the rest is counted, and their number logged once a window
LOG_WINDOW_S: Final = 60.0
LOG_KINDS_TRACKED: Final = 1000
LOG_TEXTS_TRACKED: Final = 2000  # the 1st, 2nd, 4th, 8th... of each is written
BAD_MESSAGE_SHOWN_BYTES: Final = 200
BAD_MESSAGE_LOG_EVERY_S: Final = 60.0
BAD_NUMBER_SHOWN: Final = 40  # characters
NUMBER_DIGITS: Final = 30  # in all; no market has more, and a product of two is exact

# Kraken connections (KRAKEN.md 1.11): 150 attempts in 10 minutes is the ban.
WS_FRAME_BYTES: Final = 16 * 1024 * 1024
WS_QUEUE_FRAMES: Final = 10_000
WS_SILENT_S: Final = 3.0
CONNECT_TIMEOUT_S: Final = 5.0
RECONNECT_FAST_TRIES: Final = 8
RECONNECT_FIRST_S: Final = 0.1
RECONNECT_FAST_MAX_S: Final = 1.0
RECONNECT_STEADY_S: Final = 5.0
RECONNECT_MAX_S: Final = 30.0
CONNECTION_STABLE_S: Final = 5.0
CONNECTION_DEAD_S: Final = 6.0  # no frame, not even Kraken's 1 Hz heartbeat: drop it and connect again
CONNECT_ATTEMPTS_10_MIN: Final = 60  # collector, executor and the level3 connection together stay within 150
LEVEL3_ATTEMPTS_10_MIN: Final = 20
LEVEL3_KEPT_S: Final = 60.0  # after its last reader: readers that come and go cost few of those attempts
LEVEL3_POINTS_A_S: Final = 200  # of subscriptions to single orders, for an account that is not "pro"
PING_EVERY_S: Final = 5.0
SUBSCRIBE_BATCH_SYMBOLS: Final = 50
SUBSCRIBE_ACK_S: Final = 5.0
SUBSCRIBE_REFUSED_S: Final = 30.0
INSTRUMENTS_EVERY_S: Final = 300.0
SNAPSHOTS_EVERY_S: Final = 10.0  # at most so often are all books subscribed to anew for a reader that joined late
RESYNC_AGAIN_S: Final = 5.0
REST_TIMEOUT_S: Final = 5.0
KEY_REFUSED_FIRST_S: Final = 5.0  # before a refused key is tried again; six times as long each further time
KEY_LOCKED_OUT_S: Final = 900.0  # Kraken's "Temporary lockout"; also the longest wait for a refused key
REST_BODY_BYTES: Final = 8 * 1024 * 1024

# Strategy.
TARGET_REPEAT_S: Final = 1.0
QUOTES_PER_TARGET: Final = 40
CLOCKS_APART_MS: Final = 250  # between two machines' wall clocks; beyond it a remote strategy is not quoted for
CLOCK_SAMPLES: Final = 64  # arrivals by which the difference is measured

# Executor.
SWITCH_TIMEOUT_S: Final = 15
SWITCH_REARM_S: Final = 5.0
DEADLINE_S: Final = 2.0
DEADLINE_MIN_S: Final = 0.6  # Kraken accepts no less than 500 ms
CLOCK_UNCERTAIN_MS: Final = 500.0
REQUEST_TIMEOUT_S: Final = 3.0
REFUSED_PRICE_S: Final = 1.0
REFUSED_SLOT_S: Final = 1.0
PATIENT_SLOT_S: Final = 0.25
AMEND_EVERY_S: Final = 10.0  # the pace of an order's moves while its pair's volatility is not known
MOVE_ANYWAY_S: Final = 25.0  # an order this old moves whatever is lost by staying; an amend costs a point from 15 s on
VOLATILITY_HALF_LIFE_S: Final = 60.0  # of the estimates that price a move
TREND_HALF_LIFE_S: Final = 10.0
ONLINE_WAIT_S: Final = 5.0
MAINTENANCE_LEAD_S: Final = 30.0  # this long before its announced begin quotes are pulled, and the switch is disarmed
ENDED_ORDERS_KEPT_S: Final = 60.0
ENDED_ORDERS_KEPT: Final = 500
HISTORY_SETTLES_S: Final = 60.0
BATCH_CANCEL_IDS: Final = 50
CANCEL_FAILURES: Final = 3  # batch, alone, REST: then people are alerted, and the switch is left to pull
CANCEL_AGAIN_MAX_S: Final = 8.0
ABSENT_AFTER_ACK_S: Final = 5.0  # a snapshot may lag an ack: only after this does an order's absence mean its end
RETREAT_WAITS_S: Final = 1.0  # how long a retreat may wait to be amended; then the order is cancelled
TIME_UNCERTAIN_S: Final = 5.0  # if the exchange's time is uncertain for this long, quotes are pulled
JOURNAL_BUSY_MS: Final = 20  # a pass waits no longer for a locked journal; its rows then wait in memory
JOURNAL_RETRY_TIMES: Final = 10  # times as long as a failed write took, until the next: a lock holds up few passes
BATCH_APART_S: Final = 60.0  # how long slots of a batch that was refused whole are placed alone
HALT_POLL_S: Final = 0.1
RECONCILE_DIFFERENCE_S: Final = 5.0
SNAPSHOT_FILLS: Final = 50  # Kraken sends the last 50
SNAPSHOT_EVERY_S: Final = 2.0
FEES_EVERY_S: Final = 3600.0
HISTORY_PAGES: Final = 40
TOKENS_HELD_BACK: Final = 6  # of the REST counter, for the tokens of starts that follow one another
START_GRACE_S: Final = 1.0  # the bus needs a moment before silence means anything
NOT_LIVE_GRACE_S: Final = 0.4  # a resync takes less; pulling costs the place in the queue and 8 points an order
SLOT_WAIT_MAX_S: Final = 60.0
FLATTEN_EVERY_S: Final = 0.25
LOOK_AGAIN_S: Final = 0.02  # between two looks at a pair that waits for what no event of its own ends
CONTRADICTED_S: Final = 1.0
DISTRUST_S: Final = 5.0
STOP_PULL_S: Final = 4.0
OPENING_DOUBT_S: Final = 60.0  # a fill this close to the journal's first balances may be in them or not
OPENING_CLOCK_S: Final = 5.0  # our clock, which may have timed the opening, is off by no more
LEDGER_RECENT: Final = 1000  # entries and legs remembered beside the journal
RECONCILED_KEPT_S: Final = 10.0
MIDS_KEPT_S: Final = 120.0  # of the past, for the marks of fills that are reported late
MIDS_KEPT: Final = 1_200  # of one pair
MARK_WAITS_S: Final = 0.5  # after a horizon, for the books that show it
ARCHIVE_AFTER_S: Final = 7 * 86400.0
ARCHIVE_ROWS: Final = 5_000  # of each table, once an hour
ARCHIVE_KEEP: Final = 2_000  # the newest fills and entries stay, whatever their age: Kraken sends some again
UNWRITTEN_ROWS: Final = 100_000  # that wait in memory while the disk is full
EVENTS_FIRST: Final = 16  # of an order: its first ones are kept for good
EVENTS_LAST: Final = 48  # and so many of its newest; those in between are dropped
EVENTS_KEPT: Final = 1_000_000  # of all orders: over two days at the default settings, some 500 MB
EVENTS_PRUNED: Final = 1_000  # at a time, so that no pass waits for many
EVENTS_PRUNE_S: Final = 10.0  # between two checks whether there are too many
EVENTS_WAITING: Final = 2_000  # for the next write; more are written by themselves
KEPT_EVERY_S: Final = 60.0  # how often an event says that newer targets kept an order
LOSS_WAITS_S: Final = 60.0  # how long a start, and midnight UTC, wait for the books of all positions

UNMET_S: Final = 20.0  # a slot that is empty, or an order that is unwanted, for this long is reported
RATES_EVERY_S: Final = 1.0
RATES_AGAIN_S: Final = 0.05  # while an asset has had no rate yet: a pair may be without a book for long
VALUE_EVERY_S: Final = 0.2  # between two checks of which mids are live, and what is held
RATE_STALE_S: Final = 3.0  # a rate is stale when one of its pairs has not been live for this long
START_POSITION_TIMES: Final = 3  # a position beyond this multiple of its limit at a start is held until accepted
HELD_ALERT_S: Final = 2.0  # a move between wallets comes in two entries; a hold that lasts longer is an alert
ENTRY_WITHOUT_FILL_S: Final = 5.0  # a trade's ledger entry waits this long for its fill; then the history is asked
ENTRY_GIVEN_UP_S: Final = 180.0  # the history lags a minute; a fill that it lacks after this is no fill
FLATTEN_RETURNS_S: Final = 15.0
FLATTEN_NEAR_BPS: Final = 5  # beyond the touch, if the balance cannot pay the price at the end of the band

# Replay.
REPLAY_WAIT_S: Final = 10.0
REPLAY_LINGER_S: Final = 1.0
REPLAY_FRAMES_A_TURN: Final = 200  # between two polls of the sockets, so that full speed does not overrun a reader
REPLAY_READER_S: Final = 10.0  # a reader that takes nothing for this long is not waited for any more

# Recordings.
RECORD_FLUSH_S: Final = 1.0  # no more than this is ever lost
RECORD_BATCH_BYTES: Final = 4 * 1024 * 1024  # of payload in memory; more is written at once
RECORD_BATCH_ROWS: Final = 20_000
RECORD_FIRST_S: Final = 3.0  # if nothing is heard for this long after the start, the command says so
RECORD_GAPS_NAMED: Final = 10  # topics named in the summary, those that missed most

# Web page.
WEB_UPDATE_S: Final = 1.0
WEB_STALE_S: Final = 3.0  # older data is marked as stale
WEB_FETCH_TIMEOUT_S: Final = 1.0
WEB_FETCH_EVERY_S: Final = 0.8  # of one section, for all open pages together
WEB_ACT_TIMEOUT_S: Final = 20.0  # a restart waits for the process to end and start
WEB_SECTIONS_KEPT: Final = 64
WEB_ROWS: Final = 500  # a table shows no more; the export has them all
WEB_START_S: Final = 60.0
WEB_STOP_S: Final = 5.0

# Terminal screen and desktop window.
VIEW_DRAIN_EVERY_S: Final = 0.05
TAIL_NOBODY_S: Final = 2.5  # if no process's endpoint answers for this long, nothing runs
VIEW_LISTEN_S: Final = 2.5  # longer than two heartbeats: a process that is not heard in this time does not run
VIEW_NOTICE_S: Final = 30.0  # how long the outcome of an action stays on the screen
VIEW_ROWS: Final = 500  # of fills and log lines
TOP_DRAW_EVERY_S: Final = 0.25
DESKTOP_DRAW_EVERY_S: Final = 1 / 60
DESKTOP_CURVE_POINTS: Final = 1_200  # of a pair's mid
DESKTOP_CURVE_STEP_S: Final = 0.5  # mids nearer in time than this become one point
DESKTOP_LADDER_LEVELS: Final = 12  # of a side
DESKTOP_STOP_S: Final = 5.0  # for the thread that reads the bus

# What people look at: the monitor's API, the terminal screen, the web page, the desktop window.
HISTORY_BUCKETS: Final = 1024  # of a series; full, they double in width
HISTORY_POINTS: Final = 2_000  # of a series in one answer
HISTORY_ANSWERS: Final = 256  # remembered between two samples
TRADES_SHOWN: Final = 200  # of a symbol
FILLS_SHOWN: Final = 5_000
ALERTS_SHOWN: Final = 500
LINES_SHOWN: Final = 1_000
FIELDS_SHOWN: Final = 50  # of a log line
TEXT_SHOWN: Final = 2_000  # characters of a text
LEVELS_SHOWN: Final = 100  # of a side of a book
API_FRESH_S: Final = 0.1  # requests for one section within this time share an answer
API_BODY_BYTES: Final = 64 * 1024
STREAM_CLIENTS: Final = 100
STREAM_EVERY_S: Final = 0.25
STREAM_SLOWLY_S: Final = 1.0  # for sections that change all the time
STREAM_VERSIONS: Final = 4  # of a section; a client that missed more gets the whole
STREAM_BUFFER_BYTES: Final = 64 * 1024  # in the kernel, for a client
STREAM_ASK_BYTES: Final = 4 * 1024
STREAM_SILENT_S: Final = 30.0  # a client that reads nothing for this long is disconnected
STREAM_ASK_S: Final = 1.0  # for a client's first message
JOURNAL_READ_S: Final = 60.0
JOURNAL_ORDERS_S: Final = 2.0  # a halt waits no longer for the journal's live orders
JOURNAL_AGAIN_S: Final = 10.0

# Webhooks.
WEBHOOK_QUEUE: Final = 100  # alerts that wait for one; the oldest gives way
WEBHOOK_TIMEOUT_S: Final = 10.0  # of one try
WEBHOOK_PAUSE_FIRST_S: Final = 1.0  # before it is tried again; doubled each time
WEBHOOK_PAUSE_MAX_S: Final = 60.0
WEBHOOK_OLD_S: Final = 3600.0  # an alert that could not be sent for this long is dropped
WEBHOOK_TEXT: Final = 1_000  # characters; Discord takes 2000 in all
ALERT_TEST_S: Final = 5.0  # for a test alert to come back over the bus

# What a strategy remembers of a symbol.
VIEW_TRADES: Final = 500  # public trades in its view; the oldest give way
VIEW_TRADES_S: Final = 60.0
MARKOUT_FILLS: Final = 1_000  # own fills that wait for their markout; the oldest give way

# Self-watching.
OPERATIONS_MEASURED: Final = 100
MEMORY_CHECK_S: Final = 5.0
LAZY_BUSY_MS: Final = 4  # between two reads of topics that wake nobody, while more than a few a turn come
LAZY_FEW: Final = 6
SPIN_MS: Final = 250  # how long a process stays awake after its last message, where performance.spin is on
GARBAGE_YOUNG_S: Final = 1.0  # between two collections of young garbage, by turns and never amid messages
GARBAGE_ALL_S: Final = 60.0
MEMORY_WARN_EVERY_S: Final = 60.0
