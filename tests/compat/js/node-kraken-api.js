// A whole session of node-kraken-api, over REST and WebSocket v1. Its host names are fixed.
"use strict";
const assert = require("node:assert/strict");
const { Kraken } = require("node-kraken-api");
const { bookMs, key, part, run, secret, sleep, until } = require("./session.js");

const PAIRS = ["XBT/USD", "ETH/USD", "SOL/USD", "XDG/USD", "ETH/XBT"];
const LOW = "60000.1";

run(async () => {
  const kraken = new Kraken({ key, secret, timeout: 10_000 });
  assert.ok((await kraken.time()).unixtime > 0);
  assert.equal((await kraken.systemStatus()).status, "online");
  const pairs = await kraken.assetPairs();
  assert.ok(pairs.XXBTZUSD);
  assert.ok(Number((await kraken.ticker({ pair: "XBTUSD" })).XXBTZUSD.a[0]) > 0);
  assert.equal((await kraken.depth({ pair: "XBTUSD", count: 5 })).XXBTZUSD.bids.length, 5);
  await until("a trade", async () => (await kraken.trades({ pair: "XBTUSD" })).XXBTZUSD.length > 0);
  assert.ok((await kraken.ohlc({ pair: "XBTUSD" })).XXBTZUSD.length > 0);
  assert.ok((await kraken.spread({ pair: "XBTUSD" })).last);
  part("markets", `${Object.keys(pairs).length} pairs, ticker, candles, depth, trades, spread`);

  const seen = { snapshots: 0, mirrors: 0, sides: 0 };
  const failures = [];
  const book = await kraken.ws
    .book({ depth: 10 })
    .on("snapshot", () => (seen.snapshots += 1))
    .on("mirror", () => (seen.mirrors += 1))
    .on("ask", () => (seen.sides += 1))
    .on("bid", () => (seen.sides += 1))
    .on("error", (error) => failures.push(error))
    .subscribe(...PAIRS);
  await sleep(bookMs);
  assert.deepEqual(failures, []);
  await book.unsubscribe(...PAIRS);
  const again = seen.snapshots - PAIRS.length;
  part("books", `${seen.sides} updates of ${PAIRS.length} pairs; ${seen.mirrors} good by its own checksum, ${again} times subscribed again by it`);
  assert.ok(seen.mirrors > 0);

  const { token } = await kraken.getWebSocketsToken();
  const heard = { orders: [], trades: [] };
  await kraken.ws
    .openOrders({ token })
    .on("update", (update) => heard.orders.push(...[].concat(update).flatMap(Object.entries)))
    .subscribe();
  await kraken.ws
    .ownTrades({ token })
    .on("update", (update) => heard.trades.push(...[].concat(update).flatMap(Object.values)))
    .subscribe();

  const order = { pair: "XBTUSD", type: "buy", ordertype: "limit", volume: "0.001", price: LOW };
  const { txid } = await kraken.addOrder({ ...order, oflags: "post" });
  assert.ok((await kraken.openOrders()).open[txid[0]]);
  assert.equal((await kraken.cancelOrder({ txid: txid[0] })).count, 1);
  const overSocket = await kraken.ws.addOrder({ ...order, pair: "XBT/USD", token });
  await kraken.ws.cancelOrder({ token, txid: [overSocket.txid] });
  assert.ok((await kraken.ws.cancelAllOrdersAfter({ token, timeout: 60 })).triggerTime);
  await kraken.ws.cancelAllOrdersAfter({ token, timeout: 0 });
  const bought = await kraken.ws.addOrder({ token, pair: "XBT/USD", type: "buy", ordertype: "market", volume: "0.001" });
  part("order", "add and cancel over REST and over WebSocket, dead man's switch, a market buy; it cannot amend or edit");

  await sleep(5000);
  const { trades } = await kraken.tradesHistory();
  assert.ok(Object.values(trades).some((trade) => trade.ordertxid === bought.txid));
  await sleep(5000);
  const { closed } = await kraken.closedOrders();
  assert.equal(closed[bought.txid].status, "closed");
  await sleep(5000);
  const { ledger } = await kraken.ledgers();
  part("history", `${Object.keys(trades).length} trades, ${Object.keys(closed).length} closed orders, ${Object.keys(ledger).length} ledger entries`);

  await until("the fill", () => heard.trades.some((trade) => trade.ordertxid === bought.txid));
  await until("the cancel", () => heard.orders.some(([id, report]) => id === overSocket.txid && report.status === "canceled"));
  part("private feed", `${heard.orders.length} order reports, ${heard.trades.length} trades`);
});
