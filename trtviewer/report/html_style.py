"""The style sheet of the HTML report: light and dark by what the reader's system asks for, and plain for print."""

STYLE = """
:root { color-scheme: light dark;
  --page: #f4f5f7; --card: #ffffff; --line: #d9dde3; --text: #1b1e23; --faint: #59616c; --accent: #1a63c4;
  --matched: #00735a; --missed: #b34700; --extra: #0068a8; --worse: #b34700; --better: #00735a; --bar: #e9ecf0;
  --missed-fill: #d55e00; --extra-fill: #0072b2; --matched-fill: #009e73; }
@media (prefers-color-scheme: dark) { :root {
  --page: #17191c; --card: #1f2226; --line: #363b42; --text: #e8eaed; --faint: #a0a7b1; --accent: #5ea2ff;
  --matched: #2fbf94; --missed: #ff7a33; --extra: #5ab0f2; --worse: #ff7a33; --better: #2fbf94; --bar: #2a2e34;
  --missed-fill: #ff7a33; --extra-fill: #5ab0f2; --matched-fill: #2fbf94; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--page); color: var(--text);
  font: 15px/1.5 "Inter", "Segoe UI", system-ui, -apple-system, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 40px 24px 64px; }
header p.kind { margin: 0 0 6px; color: var(--faint); font-size: 13px; }
h1 { margin: 0 0 14px; font-size: 30px; line-height: 1.2; font-weight: 650; letter-spacing: -0.01em; overflow-wrap: anywhere; }
p.answer { margin: 0 0 6px; font-size: 19px; line-height: 1.45; max-width: 62em; }
p.sides { margin: 16px 0 0; color: var(--faint); overflow-wrap: anywhere; }
p.sides b { color: var(--text); font-weight: 600; }
h2 { margin: 44px 0 12px; font-size: 20px; font-weight: 650; letter-spacing: -0.005em; }
h3 { margin: 0 0 8px; font-size: 15px; font-weight: 600; }
section > p, .card > p { margin: 0 0 12px; max-width: 70em; }
.faint { color: var(--faint); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 18px 20px; margin: 0 0 16px; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(176px, 1fr)); gap: 12px; margin: 26px 0 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 14px 16px; }
.tile b { display: block; font-size: 25px; white-space: nowrap; line-height: 1.2; font-weight: 650; font-variant-numeric: tabular-nums; }
.tile > span { display: block; color: var(--faint); font-size: 13px; }
.tile > .name { color: var(--text); font-size: 13px; margin-bottom: 4px; }
.two { display: grid; grid-template-columns: repeat(auto-fit, minmax(400px, 1fr)); gap: 16px; }
.three { display: grid; grid-template-columns: repeat(auto-fit, minmax(300px, 1fr)); gap: 16px; margin: 0 0 16px; }
.three > .card { margin: 0; }
.two > .card { margin: 0; }
.two { margin: 0 0 16px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { padding: 5px 10px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; min-width: 7em; white-space: normal; overflow-wrap: anywhere; }
th:last-child, td:last-child { padding-right: 0; }
th { color: var(--faint); font-weight: 500; font-size: 13px; vertical-align: bottom; }
tr:last-child td { border-bottom: 0; }
tr.head td { padding-top: 14px; color: var(--faint); font-size: 13px; }
tr.sum td { font-weight: 600; }
td.sub { padding-left: 16px !important; color: var(--faint); }
.missed { color: var(--missed); } .extra { color: var(--extra); } .matched { color: var(--matched); }
.worse { color: var(--worse); } .better { color: var(--better); }
svg.chart { display: block; width: 100%; max-width: 680px; height: auto; overflow: visible; }
svg.chart text { fill: var(--faint); font-size: 12px; font-family: inherit; }
svg.chart text.title { fill: var(--text); }
svg.chart .grid { stroke: var(--line); stroke-width: 1; }
svg.chart .axis, svg.chart .stub { stroke: var(--faint); stroke-width: 1; }
svg.chart .line { fill: none; stroke-width: 2.2; stroke-linejoin: round; }
svg.chart .line.reference { stroke: var(--faint); stroke-dasharray: 6 4; } svg.chart .line.candidate { stroke: var(--accent); }
svg.chart .line.c0 { stroke: var(--accent); } svg.chart .line.c1 { stroke: var(--missed); stroke-dasharray: 7 4; }
svg.chart .line.c2 { stroke: var(--matched); stroke-dasharray: 2 3; } svg.chart .line.c3 { stroke: var(--faint); stroke-dasharray: 9 3 2 3; }
svg.chart .dot { fill: var(--accent); }
svg.chart .bar.missed { fill: var(--missed-fill); } svg.chart .bar.extra { fill: var(--extra-fill); }
svg.chart .shade { fill: var(--missed-fill); opacity: 0.13; } svg.chart .shade-text { fill: var(--missed); }
svg.chart .mark { stroke: var(--faint); stroke-dasharray: 3 3; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 8px 0 14px; font-size: 13px; color: var(--faint); }
.key { display: inline-flex; align-items: center; gap: 7px; }
.swatch { display: inline-block; width: 22px; height: 0; border-top: 3px solid var(--faint); }
.swatch.reference { border-top-style: dashed; } .swatch.candidate, .swatch.c0 { border-color: var(--accent); }
.swatch.c1 { border-color: var(--missed); border-top-style: dashed; } .swatch.c2 { border-color: var(--matched); border-top-style: dotted; }
.swatch.missed { border-color: var(--missed-fill); border-top-width: 10px; } .swatch.extra { border-color: var(--extra-fill); border-top-width: 10px; }
.swatch.box-matched { border-color: #35c79b; border-top-width: 2px; } .swatch.box-missed { border-color: #ff6a1f; border-top-width: 4px; }
.swatch.box-extra { border-color: #45a6ff; border-top: 4px dotted #45a6ff; } .swatch.box-ghost { border-top: 2px dashed #ff6a1f; }
.swatch.box-truth { border-top: 2px dashed var(--text); }
.share { display: grid; grid-template-columns: minmax(110px, 38%) 1fr 3.6em; gap: 6px 12px; align-items: center; font-size: 14px; }
.share .track { background: var(--bar); border-radius: 3px; height: 14px; overflow: hidden; }
.share .fill { height: 100%; border-radius: 3px; background: var(--missed-fill); }
.share .fill.extra { background: var(--extra-fill); } .share .fill.better { background: var(--matched-fill); }
.share .fill.plain { background: var(--faint); }
.share .number { text-align: right; font-variant-numeric: tabular-nums; }
figure { margin: 0; }
figure.worst { margin: 0 0 28px; }
figcaption { margin: 0 0 8px; }
figcaption b { font-weight: 600; }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 10px; }
.pair h3, .maps h4 { margin: 0 0 4px; font-size: 13px; font-weight: 500; color: var(--faint); }
.maps { display: grid; align-items: end; grid-template-columns: repeat(3, 1fr); gap: 10px; margin: 10px 0 0; }
.maps img, .where img { display: block; width: 100%; image-rendering: pixelated; border-radius: 4px; }
.picture { display: block; width: 100%; height: auto; border-radius: 6px; background: #0e0f11; }
.picture rect { fill: none; vector-effect: non-scaling-stroke; }
.picture .halo { stroke: #14171a; stroke-width: 4; opacity: 0.75; }
.picture .matched { stroke: #35c79b; stroke-width: 1.4; }
.picture .missed { stroke: #ff6a1f; stroke-width: 2.6; } .picture .missed-ghost { stroke: #ff6a1f; stroke-width: 2; stroke-dasharray: 6 4; }
.picture .extra { stroke: #45a6ff; stroke-width: 2.6; stroke-dasharray: 2 3; }
.picture .extra-ghost { stroke: #45a6ff; stroke-width: 1.4; stroke-dasharray: 6 4; }
.picture .truth { stroke: #ffffff; stroke-width: 1.2; stroke-dasharray: 8 3 2 3; }
.picture .tag rect { stroke: #14171a; stroke-width: 1; stroke-dasharray: none; }
.picture .tag.missed rect { fill: #ff6a1f; } .picture .tag.extra rect { fill: #45a6ff; }
.picture .tag text { stroke: none; fill: #101215; font-family: "Segoe UI", "Helvetica Neue", Arial, sans-serif; font-weight: 700; }
.pair ol { margin: 6px 0 0; padding: 0 0 0 1.7em; font-size: 12.5px; line-height: 1.45; columns: 2; column-gap: 22px; }
.pair li::marker { color: var(--faint); }
pre, code { font: 13px/1.5 "JetBrains Mono", "Cascadia Code", Consolas, monospace; }
pre { margin: 0 0 12px; padding: 12px 14px; background: var(--page); border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 20px; margin: 0; }
dt { color: var(--faint); } dd { margin: 0; overflow-wrap: anywhere; }
footer { margin-top: 40px; color: var(--faint); font-size: 13px; }
@media (max-width: 640px) { main { padding: 24px 14px 40px; } .pair, .two, .three { grid-template-columns: 1fr; } h1 { font-size: 24px; } }
@media print {
  :root { color-scheme: light; --page: #ffffff; --card: #ffffff; --line: #cfd4da; --text: #000000; --faint: #444b55; --accent: #1a63c4;
    --matched: #00735a; --missed: #b34700; --extra: #0068a8; --worse: #b34700; --better: #00735a; --bar: #e9ecf0;
    --missed-fill: #d55e00; --extra-fill: #0072b2; --matched-fill: #009e73; }
  @page { margin: 14mm; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  body { font-size: 10.5pt; } main { max-width: none; padding: 0; }
  h2, h3, .legend { break-after: avoid; } h2 { margin-top: 26px; }
  .legend { display: block; break-inside: avoid; } .legend > * { display: inline-flex; margin-right: 14px; }
  .tile, figure, tr, .share, dl, svg, .two > .card, .three > .card { break-inside: avoid; } .two > div > .card { break-inside: avoid; }
  .scroll { overflow: visible; } .two { grid-template-columns: 1fr 1fr; } .three { grid-template-columns: 1fr 1fr; }
  th, td { padding: 3px 6px; font-size: 9pt; } .card { padding: 12px 14px; }
}
"""
