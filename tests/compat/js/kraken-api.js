// A whole session of kraken-api, which knows REST alone.
"use strict";
const assert = require("node:assert/strict");
const Kraken = require("kraken-api");
const { bookMs, key, part, rest, run, secret, sleep, until } = require("./session.js");

const LOW = "60000.1";

run(async () => {
  const kraken = new Kraken(key, secret, { url: rest });
  const ask = async (method, params) => (await kraken.api(method, params)).result;

  assert.ok((await ask("Time")).unixtime > 0);
  assert.ok((await ask("Assets")).XXBT);
  const pairs = await ask("AssetPairs");
  assert.ok(pairs.XXBTZUSD);
  assert.ok(Number((await ask("Ticker", { pair: "XBTUSD" })).XXBTZUSD.a[0]) > 0);
  await until("a trade", async () => (await ask("Trades", { pair: "XBTUSD" })).XXBTZUSD.length > 0);
  assert.ok((await ask("Spread", { pair: "XBTUSD" })).last);
  assert.ok((await ask("OHLC", { pair: "XBTUSD" })).XXBTZUSD.length > 0);
  part("markets", `${Object.keys(pairs).length} pairs, ticker, trades, spread, candles`);

  let books = 0;
  for (const end = Date.now() + bookMs; Date.now() < end; await sleep(1000)) {
    const { bids, asks } = (await ask("Depth", { pair: "XBTUSD", count: 10 })).XXBTZUSD;
    assert.equal(bids.length, 10);
    assert.ok(Number(bids[0][0]) < Number(asks[0][0]));
    books += 1;
  }
  assert.ok(books > 0);
  part("books", `${books} times Depth, one a second; it has no feed and no checksum`);

  const order = { pair: "XBTUSD", type: "buy", ordertype: "limit", volume: "0.001" };
  const { txid } = await ask("AddOrder", { ...order, price: LOW, oflags: "post" });
  assert.ok((await ask("OpenOrders")).open[txid[0]]);
  assert.equal((await ask("CancelOrder", { txid: txid[0] })).count, 1);
  const bought = await ask("AddOrder", { ...order, ordertype: "market" });
  assert.equal((await ask("QueryOrders", { txid: bought.txid[0] }))[bought.txid[0]].status, "closed");
  await assert.rejects(ask("AddOrder", { ...order, price: LOW, volume: "0.0000001" }), /Order:Order minimum not met/);
  part("order", "add, cancel, a market buy, a refusal that it knows; it cannot amend or edit");

  await sleep(5000);
  const { trades } = await ask("TradesHistory");
  assert.ok(Object.values(trades).some((trade) => trade.ordertxid === bought.txid[0]));
  await sleep(5000);
  const { closed } = await ask("ClosedOrders");
  assert.equal(closed[txid[0]].status, "canceled");
  await sleep(5000);
  const { ledger } = await ask("Ledgers");
  assert.ok(Number((await ask("Balance")).XXBT) > 0);
  assert.ok((await ask("GetWebSocketsToken")).token);
  part("history", `${Object.keys(trades).length} trades, ${Object.keys(closed).length} closed orders, ${Object.keys(ledger).length} ledger entries`);
  part("not in this client", "a private feed; it got a token for one");
});
