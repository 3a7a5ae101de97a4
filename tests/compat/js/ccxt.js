// A whole session of ccxt, over REST and (ccxt.pro) WebSocket v2.
"use strict";
const assert = require("node:assert/strict");
const ccxt = require("ccxt");
const { bookMs, key, part, rest, run, secret, sleep, until, ws, wsAuth } = require("./session.js");

const SYMBOLS = ["BTC/USD", "ETH/USD", "SOL/USD", "DOGE/USD", "ETH/BTC"];
const SYMBOL = SYMBOLS[0];
const LOW = 60_000.1;

run(async () => {
  const exchange = new ccxt.pro.kraken({ apiKey: key, secret, enableRateLimit: false });
  Object.assign(exchange.urls.api, { public: rest, private: rest });
  Object.assign(exchange.urls.api.ws, { publicV2: ws, privateV2: wsAuth });

  const markets = await exchange.loadMarkets();
  assert.equal(markets[SYMBOL].precision.price, 0.1);
  assert.equal((await exchange.fetchStatus()).status, "ok");
  assert.ok((await exchange.fetchTime()) > 0);
  assert.ok((await exchange.fetchTicker(SYMBOL)).bid > 0);
  await until("a trade", async () => (await exchange.fetchTrades(SYMBOL)).length > 0);
  assert.ok((await exchange.fetchOHLCV(SYMBOL)).length > 0);
  part("markets", `${Object.keys(markets).length} pairs, ticker, trades, candles`);

  let books = 0;
  const end = Date.now() + bookMs;
  const follow = async (symbol) => {
    while (Date.now() < end) {
      const book = await exchange.watchOrderBook(symbol, 10);
      assert.ok(book.bids[0][0] < book.asks[0][0]);
      assert.ok(book.bids.length === 10 && book.asks.length === 10);
      books += 1;
    }
  };
  await Promise.all(SYMBOLS.map(follow));
  assert.ok(books > 0);
  part("books", `${books} updates of ${SYMBOLS.length} pairs; its own checksum is off, as it ships`);

  const orders = [];
  const trades = [];
  const listen = async (watch, into) => {
    for (;;) into.push(...(await watch.call(exchange)));
  };
  listen(exchange.watchOrders, orders).catch(() => {});
  listen(exchange.watchMyTrades, trades).catch(() => {});
  await sleep(2000);

  const placed = await exchange.createOrder(SYMBOL, "limit", "buy", 0.001, LOW, { postOnly: true });
  assert.equal((await exchange.fetchOpenOrders(SYMBOL))[0].id, placed.id);
  await exchange.editOrder(placed.id, SYMBOL, "limit", "buy", 0.002, LOW + 1);
  const [standing] = await exchange.fetchOpenOrders(SYMBOL);
  assert.deepEqual([standing.price, standing.amount], [LOW + 1, 0.002]);
  await exchange.cancelOrder(standing.id, SYMBOL);
  assert.equal((await exchange.fetchOrder(standing.id)).status, "canceled");
  const overSocket = await exchange.createOrderWs(SYMBOL, "limit", "buy", 0.001, LOW);
  const edited = await exchange.editOrderWs(overSocket.id, SYMBOL, "limit", "buy", 0.002, LOW + 1);
  await exchange.cancelOrderWs(edited.id);
  const bought = await exchange.createOrder(SYMBOL, "market", "buy", 0.001);
  part("order", "add, edit, cancel over REST; add, amend, cancel over WebSocket; a market buy");

  await sleep(5000);
  const mine = await exchange.fetchMyTrades(SYMBOL);
  assert.ok(mine.some((trade) => trade.order === bought.id));
  await sleep(5000);
  const closed = await exchange.fetchClosedOrders(SYMBOL);
  assert.ok(closed.some((order) => order.id === bought.id));
  await sleep(5000);
  const ledger = await exchange.fetchLedger();
  assert.ok(ledger.length >= 2);
  part("history", `${mine.length} trades, ${closed.length} closed orders, ${ledger.length} ledger entries`);

  assert.ok(orders.some((order) => order.id === overSocket.id && order.status === "canceled"));
  assert.ok(trades.some((trade) => trade.order === bought.id));
  const balance = await exchange.watchBalance();
  assert.ok(balance.USD.total > 0);
  part("private feed", `${orders.length} order reports, ${trades.length} trades, balances`);

  await sleep(5000);
  assert.ok((await exchange.fetchDepositAddress("BTC")).address);
  assert.ok((await exchange.fetchDeposits("BTC")).length > 0);
  assert.deepEqual(await exchange.fetchWithdrawals("BTC"), []);
  part("account", "a deposit address by the method's name that it knows, deposits, withdrawals");
});
