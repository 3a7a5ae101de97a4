"""The page's style sheet; ``light-dark()`` follows the theme, so that one sheet serves both."""

from __future__ import annotations

from typing import Final

CSS: Final = """<style>
:root {
  --tb-line: light-dark(#d5dbe3, #2c3846); --tb-soft: light-dark(#f3f5f8, #18212c);
  --tb-quiet: light-dark(#566372, #9aa7b5); --tb-good: light-dark(#0b6b53, #5fd0b0);
  --tb-warn: light-dark(#8a5200, #f0b25a); --tb-bad: light-dark(#b3261e, #ff8f83);
  --tb-buy: light-dark(#1f5fa8, #6cb2f2); --tb-sell: light-dark(#a84a0c, #f29a5c);
}
/* What is being renewed must not fade in and out every second. */
[data-stale="true"], .stElementContainer, .stVerticalBlock { opacity: 1 !important; transition: none !important; }
[data-testid="stStatusWidget"] { display: none; }
[data-testid="stHeader"] { display: none; }
.stMainBlockContainer { padding: .9rem 1.5rem 3rem; max-width: 1500px; }
.st-key-line { position: sticky; top: 0; z-index: 20; background: light-dark(#ffffff, #0f151d);
  padding: .1rem 0 .3rem; }
.stMainBlockContainer h3 { font-size: 1.05rem; padding: .6rem 0 .1rem; }
.tb-cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); gap: .6rem; }
.tb-card { background: var(--tb-soft); border: 1px solid var(--tb-line); border-radius: 6px; padding: .55rem .75rem;
  min-width: 0; }
.tb-name { font-size: .8rem; color: var(--tb-quiet); }
.tb-value { font-size: 1.25rem; font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere;
  line-height: 1.35; }
.tb-note { font-size: .75rem; color: var(--tb-quiet); overflow-wrap: anywhere; }
.tb-table { border-collapse: collapse; font-size: .84rem; width: 100%; margin: 0; }
.tb-table th { text-align: left; font-weight: 500; color: var(--tb-quiet); white-space: nowrap; position: sticky;
  top: 0; background: light-dark(#ffffff, #0f151d); }
.tb-table th, .tb-table td { padding: .22rem .45rem; border: 0; border-bottom: 1px solid var(--tb-line);
  vertical-align: top; }
.tb-table th:first-child, .tb-table td:first-child { padding-left: 0; }
.tb-table td { white-space: nowrap; }
.tb-table td:last-child { white-space: normal; }
.tb-table .tb-number { text-align: right; font-variant-numeric: tabular-nums; }
.tb-table[data-table="ladder"] td, .tb-table[data-table="ladder"] th { padding-top: .1rem; padding-bottom: .1rem; }
.tb-table[data-table="log"] td:last-child, .tb-table[data-table="recent"] td:last-child { min-width: 18rem; }
[class*="st-key-scroll-"] { overflow: auto; }
[class*="st-key-scroll-tall-"] { max-height: 26rem; }
[class*="st-key-scroll-"] .stHtml, [class*="st-key-scroll-"] .stElementContainer { width: 100%; overflow: visible; }
.tb-table[data-table="hops"] td:nth-child(2) { white-space: normal; min-width: 15rem; }
.tb-good { color: var(--tb-good); } .tb-warn { color: var(--tb-warn); } .tb-bad { color: var(--tb-bad); }
.tb-buy { color: var(--tb-buy); } .tb-sell { color: var(--tb-sell); } .tb-quiet { color: var(--tb-quiet); }
.tb-own { font-weight: 700; border-left: 3px solid currentColor; padding-left: .4rem; }
.tb-badge { border: 1px solid currentColor; border-radius: 4px; padding: 0 .4rem; font-size: .78rem; font-weight: 600;
  white-space: nowrap; }
.tb-real { color: #fff; background: #b3261e; border-color: #b3261e; letter-spacing: .04em; }
.tb-empty { color: var(--tb-quiet); font-size: .84rem; margin: .2rem 0; }
.tb-banner { border: 1px solid currentColor; border-left-width: 6px; border-radius: 6px; padding: .55rem .8rem;
  background: var(--tb-soft); font-size: .92rem; }
.tb-banner span { color: light-dark(#17202b, #e4e9ef); }
.tb-line { display: flex; flex-wrap: wrap; gap: .35rem .7rem; align-items: center; font-size: .84rem;
  min-height: 1.7rem; }
.stMainBlockContainer:has(.tb-old) [class*="st-key-page-"]:not(.st-key-page-7) { filter: grayscale(1) opacity(.6); }
@media (max-width: 640px) {
  .stMainBlockContainer { padding: .7rem .8rem 3rem; }
  .st-key-page button { padding: .15rem .6rem; min-height: 2.1rem; }
  .tb-cards { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .tb-value { font-size: 1.05rem; }
}
</style>"""
