// A whole session of ccxws, which knows public market data over WebSocket v1 alone. Its host names are fixed.
"use strict";
const assert = require("node:assert/strict");
const ccxws = require("ccxws");
const { KrakenOrderBook } = require("ccxws/dist/src/orderbooks/KrakenOrderBook");
const { bookMs, part, run, sleep, until } = require("./session.js");

const MARKETS = [
  { id: "XXBTZUSD", base: "BTC", quote: "USD" },
  { id: "XETHZUSD", base: "ETH", quote: "USD" },
  { id: "SOLUSD", base: "SOL", quote: "USD" },
  { id: "XDGUSD", base: "DOGE", quote: "USD" },
  { id: "XETHXXBT", base: "ETH", quote: "BTC" },
];

run(async () => {
  const client = new ccxws.KrakenClient();
  const errors = [];
  client.on("error", (error) => errors.push(error));
  await until("the list of pairs", () => client.fromRestMap.size > 0 || errors.length > 0);
  assert.deepEqual(errors, []);

  const counts = { ticker: 0, trade: 0, candle: 0 };
  for (const name of Object.keys(counts)) client.on(name, () => (counts[name] += 1));
  const books = new Map();
  const checked = { snapshots: 0, updates: 0, bad: 0 };
  client.on("l2snapshot", (snapshot, market) => {
    books.set(market.id, new KrakenOrderBook(snapshot));
    checked.snapshots += 1;
  });
  client.on("l2update", (update, market) => {
    const book = books.get(market.id);
    book.update(update);
    checked.updates += 1;
    if (book.checksum() !== update.checksum) checked.bad += 1;
  });
  for (const market of MARKETS) {
    client.subscribeTicker(market);
    client.subscribeTrades(market);
    client.subscribeCandles(market);
    client.subscribeLevel2Updates(market);
  }
  await until("tickers", () => counts.ticker > 0);
  await sleep(bookMs);
  await until("trades and candles", () => counts.trade > 0 && counts.candle > 0);
  client.close();

  assert.deepEqual(errors, []);
  part("markets", `${client.fromRestMap.size} pairs; ${counts.ticker} tickers, ${counts.trade} trades, ${counts.candle} candles`);
  part("books", `${checked.updates} updates of ${MARKETS.length} pairs, depth 500, ${checked.bad} bad by its own checksum`);
  assert.equal(checked.snapshots, MARKETS.length);
  assert.ok(checked.updates > 0);
  assert.equal(checked.bad, 0);
  part("not in this client", "orders, history, private feed");
});
