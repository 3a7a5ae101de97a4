// Shared by the sessions of all JavaScript clients: the simulator's addresses, and a line of output per finished part.
"use strict";

exports.rest = process.env.KRAKEN_REST;
exports.ws = process.env.KRAKEN_WS;
exports.wsAuth = process.env.KRAKEN_WS_AUTH;
exports.key = process.env.KRAKEN_KEY;
exports.secret = process.env.KRAKEN_SECRET;
exports.bookMs = Number(process.env.MINUTES) * 60_000;

exports.sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Prints a finished part of the session; the table of docs/compat.md is made of these lines.
exports.part = (name, detail) => console.log(`${name}: ${detail}`);

// Waits for a condition, asked twice a second; throws after 60 seconds without it. A new simulator has no past trades.
exports.until = async (what, condition) => {
  for (const end = Date.now() + 60_000; !(await condition()); await exports.sleep(500)) {
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
  }
};

// Runs a session to its end; an error ends the process with code 1.
exports.run = (session) =>
  session().then(
    () => process.exit(0),
    (error) => {
      console.error(error);
      process.exit(1);
    },
  );
