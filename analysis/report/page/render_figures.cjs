// node -e SCRIPT -- LIBRARIES FILE.vl.json…: draws each specification into FILE.svg with the browser bundles of Vega and
// Vega-Lite, which also run under Node. Texts are measured by estimate, for Node has no canvas.
const fs = require('fs');
const path = require('path');

const [libraries, ...files] = process.argv.slice(1);

// The bundles ask for each other by name; they lie side by side.
function load(name) {
  const loaded = {exports: {}};
  const code = fs.readFileSync(path.join(libraries, name + '.min.js'), 'utf8');
  new Function('module', 'exports', 'require', code)(loaded, loaded.exports, load);
  return loaded.exports;
}

const vega = load('vega');
const vegaLite = load('vega-lite');

(async () => {
  for (const file of files) {
    const spec = JSON.parse(fs.readFileSync(file, 'utf8'));
    const view = new vega.View(vega.parse(vegaLite.compile(spec).spec), {renderer: 'none', logLevel: vega.Warn});
    const svg = await view.toSVG();
    const out = file.replace(/\.vl\.json$/, '.svg');
    fs.writeFileSync(out + '.tmp', svg + '\n');
    fs.renameSync(out + '.tmp', out);
  }
})().catch(error => {
  process.stderr.write(`souk: ${error.stack}\n`);
  process.exitCode = 1;
});
